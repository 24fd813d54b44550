# SPDX-License-Identifier: Apache-2.0
"""What tests/helpers/confinement.c says of each engine's default confinement, side by side.

parse() makes {area: {name: value}} of its lines; weaker() says where one is weaker than another; table()
is the one in docs/security.md.
"""

from collections import defaultdict

CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO "
    "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME "
    "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG "
    "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE").split()
# Answers of a filter. The kernel's own come from arguments that mean nothing.
DENIED = ("EPERM", "ENOSYS")
OURS = ("/confinement",)  # what the comparison itself has put there


def parse(text):
    answers = defaultdict(dict)
    for line in text.splitlines():
        head, tab, value = line.partition("\t")
        area, _, name = head.partition(" ")
        if tab and name.strip() not in OURS:
            answers[area][name.strip()] = " ".join(value.split())
    assert len(answers["call"]) > 300, text[-2000:]
    return dict(answers)


def capabilities(mask):
    return {name for bit, name in enumerate(CAPABILITIES) if int(mask, 16) >> bit & 1}


def flags(value):
    return set(value.split()[1].split(",")) & {"ro", "nosuid", "nodev", "noexec"}


def comparable(answers):
    """What of it does not differ from start to start: to be kept in a file."""
    kept = {area: values for area, values in answers.items() if area not in ("env", "fd", "cgroup")}
    kept["fd"] = sorted(answers.get("fd", {}))
    kept["env"] = sorted(answers.get("env", {}))
    return kept


def weaker(ours, theirs):
    """{what: (our answer, their answer)} wherever more is open with us than with them."""
    found = {}

    def note(name, mine, other):
        found[name] = (mine, other)

    for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        more = capabilities(ours["status"][field]) - capabilities(theirs["status"][field])
        for name in more:
            note(f"{field} {name}", "yes", "no")
    for field in ("NoNewPrivs", "Seccomp"):
        if int(ours["status"][field]) < int(theirs["status"][field]):
            note(field, ours["status"][field], theirs["status"][field])
    for name, answer in theirs["call"].items():
        mine = ours["call"].get(name, answer)
        if answer in DENIED and mine not in DENIED:
            note(f"call {name}", mine, answer)
    for name, answer in theirs["path"].items():
        order = ["absent", "hidden", "readable", "writable"]
        mine = ours["path"].get(name, "absent")
        if order.index(mine) > max(order.index(answer), order.index("hidden")):
            note(f"path {name}", mine, answer)
    for name, answer in theirs["node"].items():
        if "ok" not in answer and "ok" in ours["node"].get(name, ""):
            note(f"node {name}", ours["node"][name], answer)
    for name in ours.get("sysctl", {}):
        if name not in theirs.get("sysctl", {}):
            note(f"writable {name}", "writable", "no")
    for name, value in ours["mount"].items():
        # What is masked is not there to be written, whatever its mount says.
        if ours["path"].get(name) == "hidden":
            continue
        if name in theirs["mount"] and flags(theirs["mount"][name]) - flags(value):
            note(f"mount {name}", value, theirs["mount"][name])
    for name in set(ours["device"]) - set(theirs["device"]):
        if not ours["device"][name].startswith("->"):
            note(f"device {name}", ours["device"][name], "absent")
    for name in set(ours["fd"]) - set(theirs["fd"]):
        note(f"fd {name}", "open", "closed")
    return found


# ---- the table ----

def names(words):
    return ", ".join(sorted(words)) or "none"


def rows(one):
    """Property -> what the table says of it, without what all answers are made of."""
    status = one["status"]
    bounding = capabilities(status["CapBnd"])
    yield "capabilities: effective, permitted", names(capabilities(status["CapEff"]))
    yield "bounding set", "the same" if bounding == capabilities(status["CapEff"]) else \
        names(bounding)
    yield "inheritable, ambient", "; ".join(names(capabilities(status[field]))
                                            for field in ("CapInh", "CapAmb"))
    yield "no_new_privs", status["NoNewPrivs"]
    yield "seccomp mode", status["Seccomp"]
    calls = one["call"]
    denied = [name for name, answer in calls.items() if answer in DENIED]
    yield "system calls answered EPERM or ENOSYS", f"{len(denied)} of {len(calls)}"
    hidden = [path for path, answer in one["path"].items() if answer in ("hidden", "absent")]
    yield "sensitive files of /proc and /sys hidden or absent", f"{len(hidden)} of " \
        f"{len(one['path'])}"
    for path, answer in sorted(one["path"].items()):
        if answer in ("readable", "writable"):
            yield f"`{path}`", answer
    yield "files below /proc/sys and /sys that open for writing", str(len(one.get("sysctl", {})))
    for point in ("/", "/proc", "/proc/sys", "/proc/bus", "/proc/irq", "/sys", "/sys/fs/cgroup",
                  "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/etc/hosts", "/etc/hostname",
                  "/etc/resolv.conf"):
        value = one["mount"].get(point)
        yield f"mount `{point}`", "no mount" if value is None else \
            f"{value.split()[0]} {names(flags(value))}"
    yield "device nodes", names(name.removeprefix("/dev/") for name, value in
                                one["device"].items() if not value.startswith("->"))
    for name, answer in sorted(one["node"].items()):
        yield f"a node for {name}, made inside", answer
    yield "session keyring", calls["keyctl(GET_KEYRING_ID)"]
    for name in ("Max processes", "Max open files", "Max core file size", "Max locked memory"):
        for limit, value in one["limit"].items():
            if limit == name:
                yield f"rlimit: {name[4:]}", " / ".join(value.split()[:2])
    yield "open descriptors", names(one["fd"])
    yield "environment", names(one["env"])
    yield "groups", one["status"]["Groups"] or "none"


def answers_that_differ(answers):
    """One row for each system call that is not answered alike."""
    every = sorted(set().union(*(one["call"] for one in answers.values())))
    for name in every:
        said = {engine: one["call"].get(name, "-") for engine, one in answers.items()}
        if len({value if value in DENIED else "kernel's" for value in said.values()}) > 1:
            yield f"call `{name}`", said


def table(answers, versions):
    """Markdown: a row for each property."""
    engines = list(answers)
    heads = [f"{one} {versions[one]}" if one in versions else one for one in engines]
    lines = ["| property | " + " | ".join(heads) + " |", "|---" * (len(engines) + 1) + "|"]
    columns = {engine: dict(rows(one)) for engine, one in answers.items()}
    order = list(dict.fromkeys(name for engine in engines for name in columns[engine]))
    for name in order:
        lines.append(f"| {name} | " + " | ".join(columns[engine].get(name, "hidden or absent")
                                                 for engine in engines) + " |")
    for name, said in answers_that_differ(answers):
        lines.append(f"| {name} | " + " | ".join(said[engine] for engine in engines) + " |")
    return "\n".join(lines) + "\n"
