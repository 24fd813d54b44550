# SPDX-License-Identifier: Apache-2.0
"""Issue points 10 and 12: a container is isolated as docker's default is, and without root every
command says in one line what it needs."""

import os
import shutil
import subprocess
import sys

import pytest

from helpers import processes
from helpers.features import cgroup_mounts, has_controller, require

# docker's documentation, "Runtime privilege and Linux capabilities".
DEFAULT_CAPABILITIES = {
    "CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "FSETID": 4, "KILL": 5, "SETGID": 6, "SETUID": 7,
    "SETPCAP": 8, "NET_BIND_SERVICE": 10, "NET_RAW": 13, "SYS_CHROOT": 18, "MKNOD": 27,
    "AUDIT_WRITE": 29, "SETFCAP": 31,
}
DEFAULT_MASK = sum(1 << bit for bit in DEFAULT_CAPABILITIES.values())
CAP_NET_ADMIN, CAP_SYS_ADMIN = 12, 21

NAMESPACES = ("pid", "mnt", "ipc", "uts", "cgroup", "net")

# What docker and the OCI runtime specification hide: nothing can be read there.
MASKED_FILES = ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug",
                "/proc/latency_stats", "/proc/timer_stats", "/proc/interrupts")
MASKED_DIRECTORIES = ("/proc/acpi", "/proc/asound", "/proc/scsi", "/sys/firmware",
                      "/sys/devices/virtual/powercap")
READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


def shell(skiff, script, *args, **options):
    return skiff.run("run", "--rm", *args, "busybox", "sh", "-c", script, **options).stdout


def status_of_shell(skiff, *args, exec_args=None):
    """Fields of /proc/self/status inside."""
    if exec_args is None:
        text = skiff.run("run", "--rm", *args, "busybox", "cat", "/proc/self/status").stdout
    else:
        skiff.start("--name", "box", *args)
        text = skiff.run("exec", *exec_args, "box", "cat", "/proc/self/status").stdout
    return {name: value.strip() for name, _, value in
            (line.partition(":") for line in text.splitlines())}


def probe_run(skiff, probe, *args, run_args=()):
    return skiff.run("run", "--rm", *run_args, "-v", f"{probe}:/probe:ro", "busybox", "/probe",
                     *args).stdout


# ---- namespaces ----

@pytest.mark.core
def test_own_namespaces(skiff):
    skiff.start("--name", "box")
    pid = skiff.pid("box")
    for kind in NAMESPACES:
        inside = processes.namespace(pid, kind)
        assert inside and inside != processes.namespace("self", kind), kind
    assert processes.namespace(pid, "user") == processes.namespace("self", "user")


def test_two_containers_share_nothing(skiff):
    skiff.start("--name", "one")
    skiff.start("--name", "two")
    for kind in NAMESPACES:
        assert (processes.namespace(skiff.pid("one"), kind)
                != processes.namespace(skiff.pid("two"), kind)), kind


def test_first_process_is_1_and_alone(skiff):
    listing = skiff.run("run", "--rm", "busybox", "ps", "-o", "pid,args").stdout
    assert listing.splitlines()[1:] == ["    1 ps -o pid,args"]


def test_network_none_has_only_loopback(skiff):
    assert shell(skiff, "ls /sys/class/net; cat /sys/class/net/lo/flags") == "lo\n0x9\n"
    assert shell(skiff, "ping -c 1 -W 5 127.0.0.1 >/dev/null && echo up") == "up\n"


@pytest.mark.parametrize("option, kind", [("--network", "net"), ("--pid", "pid"), ("--ipc", "ipc"),
                                          ("--uts", "uts"), ("--cgroupns", "cgroup")])
def test_namespace_of_the_host(skiff, option, kind):
    skiff.start("--name", "box", option, "host")
    assert processes.namespace(skiff.pid("box"), kind) == processes.namespace("self", kind)


@pytest.mark.parametrize("option, kind", [("--network", "net"), ("--pid", "pid")])
def test_namespace_of_another_container(skiff, option, kind):
    skiff.start("--name", "first")
    skiff.start("--name", "second", option, "container:first")
    assert (processes.namespace(skiff.pid("first"), kind)
            == processes.namespace(skiff.pid("second"), kind))


def test_hostname_is_the_short_id(skiff):
    container = skiff.start("--name", "box")
    assert skiff.run("exec", "box", "hostname").stdout.strip() == container[:12]


# ---- privileges ----

@pytest.mark.core
def test_default_capabilities(skiff):
    status = status_of_shell(skiff)
    for name in ("CapEff", "CapPrm", "CapBnd"):
        assert int(status[name], 16) == DEFAULT_MASK, name
    assert int(status["CapInh"], 16) == 0
    assert int(status["CapAmb"], 16) == 0


@pytest.mark.parametrize("args, mask", [
    (["--cap-add", "NET_ADMIN"], DEFAULT_MASK | 1 << CAP_NET_ADMIN),
    (["--cap-add", "cap_net_admin"], DEFAULT_MASK | 1 << CAP_NET_ADMIN),
    (["--cap-drop", "CHOWN"], DEFAULT_MASK & ~1),
    (["--cap-drop", "ALL"], 0),
    (["--cap-drop", "ALL", "--cap-add", "CHOWN"], 1),
])
def test_changed_capabilities(skiff, args, mask):
    status = status_of_shell(skiff, *args)
    for name in ("CapEff", "CapPrm", "CapBnd"):
        assert int(status[name], 16) == mask, name
    assert int(status["CapInh"], 16) == 0


def full_mask():
    return int(processes.status_field("self", "CapBnd"), 16)


def test_all_capabilities(skiff):
    status = status_of_shell(skiff, "--cap-add", "ALL")
    assert int(status["CapBnd"], 16) == full_mask()
    assert status["Seccomp"] == "2"


def test_unprivileged_user_has_no_effective_capabilities(skiff):
    status = status_of_shell(skiff, "-u", "nobody")
    for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert int(status["CapBnd"], 16) == DEFAULT_MASK
    assert status["Uid"].split() == ["65534"] * 4
    assert status["Gid"].split() == ["65534"] * 4


def test_privileged(skiff):
    status = status_of_shell(skiff, "--privileged")
    assert int(status["CapEff"], 16) == full_mask()
    assert status["Seccomp"] == "0"
    assert shell(skiff, "mkdir /m && mount -t tmpfs none /m && echo mounted",
                 "--privileged") == "mounted\n"


def test_no_new_privileges(skiff):
    assert status_of_shell(skiff)["NoNewPrivs"] == "0"
    assert status_of_shell(skiff, "--security-opt", "no-new-privileges")["NoNewPrivs"] == "1"


@pytest.mark.parametrize("exec_args", [None, []], ids=["run", "exec"])
def test_signals_are_as_a_fresh_process_expects(skiff, exec_args):
    status = status_of_shell(skiff, exec_args=exec_args)
    assert int(status["SigBlk"], 16) == 0
    assert int(status["SigIgn"], 16) == 0


# ---- seccomp ----

@pytest.mark.core
def test_seccomp_is_on(skiff):
    assert status_of_shell(skiff)["Seccomp"] == "2"
    assert status_of_shell(skiff, "--security-opt", "seccomp=unconfined")["Seccomp"] == "0"


# Each with arguments for which the kernel itself would not say EPERM.
@pytest.mark.parametrize("call, answer", [
    (["keyctl", "0", "18446744073709551613", "0"], "EPERM"),   # get the session keyring's id
    (["add_key", "0", "0", "0", "0", "0"], "EPERM"),
    (["request_key", "0", "0", "0", "0"], "EPERM"),
    (["userfaultfd", "1"], "EPERM"),
    (["unshare", "268435456"], "EPERM"),                       # CLONE_NEWUSER
    (["personality", "4194304"], "EPERM"),                     # READ_IMPLIES_EXEC
    (["clone3", "0", "0"], "ENOSYS"),                          # as docker: glibc falls back
    (["open_by_handle_at", "18446744073709551615", "0", "0"], "EPERM"),
    (["name_to_handle_at", "18446744073709551615", "0", "0", "0", "0"], None),
    (["kexec_load", "0", "0", "0", "0"], "EPERM"),
    (["pivot_root", "0", "0"], "EPERM"),
    (["lookup_dcookie", "0", "0", "0"], "EPERM"),
    (["getpid"], "ok"),
    (["getcpu", "0", "0", "0"], "ok"),
    (["personality", "4294967295"], "ok"),                     # reading it is allowed
    (["memfd_create", "0", "0"], "EFAULT"),
    (["ptrace", "0", "0", "0", "0"], "ok"),                    # PTRACE_TRACEME
])
def test_system_calls(skiff, probe, call, answer):
    found = probe_run(skiff, probe, "call", *call).strip()
    if answer is not None:
        assert found == answer


def test_a_capability_opens_its_system_calls(skiff, probe):
    """docker's profile lets mount(2) through only with CAP_SYS_ADMIN."""
    call = ["call", "mount", "0", "0", "0", "0", "0"]
    assert probe_run(skiff, probe, *call).strip() == "EPERM"
    with_cap = probe_run(skiff, probe, *call, run_args=["--cap-add", "SYS_ADMIN"]).strip()
    assert with_cap != "EPERM"


def test_exec_is_filtered_too(skiff, probe):
    skiff.start("--name", "box", "-v", f"{probe}:/probe:ro")
    done = skiff.run("exec", "box", "/probe", "call", "userfaultfd", "1")
    assert done.stdout == "EPERM\n"
    assert "Seccomp:\t2" in skiff.run("exec", "box", "cat", "/proc/self/status").stdout


# ---- what is in reach ----

def test_descriptors(skiff, probe):
    """0, 1 and 2, whatever the one who called skiff had open."""
    with open("/etc/hostname", encoding="utf-8") as leaked:
        os.set_inheritable(leaked.fileno(), True)
        done = skiff.run("run", "--rm", "-v", f"{probe}:/probe:ro", "busybox", "/probe", "fds",
                         close_fds=False)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["0", "1", "2"], done.stdout


def test_descriptors_of_exec(skiff, probe):
    skiff.start("--name", "box", "-v", f"{probe}:/probe:ro")
    with open("/etc/hostname", encoding="utf-8") as leaked:
        os.set_inheritable(leaked.fileno(), True)
        done = skiff.run("exec", "box", "/probe", "fds", close_fds=False)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["0", "1", "2"], done.stdout
    assert sorted(processes.open_files(skiff.pid("box"))) == [0, 1, 2]


@pytest.mark.parametrize("terminal", [[], ["-t"]], ids=["plain", "terminal"])
def test_descriptors_of_the_first_process(skiff, terminal):
    skiff.start("--name", "box", *terminal)
    assert sorted(processes.open_files(skiff.pid("box"))) == [0, 1, 2]


def test_masked_paths(skiff):
    script = "".join(f"""
        if [ -e {path} ]; then [ -z "$(head -c 1 {path} 2>/dev/null)" ] || echo {path}; fi
    """ for path in MASKED_FILES) + "".join(f"""
        if [ -e {path} ]; then [ -z "$(ls -A {path} 2>/dev/null)" ] || echo {path}; fi
    """ for path in MASKED_DIRECTORIES)
    assert shell(skiff, script) == ""


def test_read_only_paths(skiff):
    mounts = shell(skiff, "cat /proc/mounts")
    read_only = {line.split()[1] for line in mounts.splitlines()
                 if "ro" in line.split()[3].split(",")}
    present = shell(skiff, "for f in " + " ".join(READ_ONLY) + "; do [ -e $f ] && echo $f; done; :")
    assert set(present.split()) <= read_only
    assert "/sys" in read_only
    assert shell(skiff, "echo x 2>/dev/null >/proc/sys/kernel/domainname || echo refused") \
        == "refused\n"


def test_sys_and_proc_are_writable_when_privileged(skiff):
    script = "cat /proc/mounts"
    mounts = shell(skiff, script, "--privileged")
    read_only = {line.split()[1] for line in mounts.splitlines()
                 if "ro" in line.split()[3].split(",")}
    assert not {"/proc/sys", "/sys"} & read_only


def test_devices(skiff):
    listing = shell(skiff, "cd /dev; ls -A; stat -c '%n %F %a %t:%T' null zero full random urandom "
                           "tty; ls -ld fd stdin stdout stderr ptmx | sed 's/.* \\([^ ]* ->\\)/\\1/'")
    names = set(listing.split("null character")[0].split())
    assert {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "mqueue",
            "fd", "stdin", "stdout", "stderr"} <= names
    assert "console" not in names
    assert not {name for name in names if name.startswith(("sd", "vd", "nvme", "loop", "tty")) and
                name != "tty"}
    for expected in ("null character special file 666 1:3", "zero character special file 666 1:5",
                     "full character special file 666 1:7", "random character special file 666 1:8",
                     "urandom character special file 666 1:9", "tty character special file 666 5:0"):
        assert expected in listing
    for expected in ("fd -> /proc/self/fd", "stdin -> /proc/self/fd/0", "stdout -> /proc/self/fd/1",
                     "stderr -> /proc/self/fd/2", "ptmx -> pts/ptmx"):
        assert expected in listing


def test_device_access_is_limited(skiff, probe):
    """A device node can be made (CAP_MKNOD) and not opened, but for the harmless ones."""
    require(has_controller("devices") or not cgroup_mounts()[1:], "the devices controller")
    script = ("/probe mknod /kmsg c 1 11; /probe open /kmsg r; /probe mknod /mem c 1 1; "
              "/probe open /mem r; /probe mknod /null c 1 3; /probe open /null rw")
    found = shell(skiff, script, "-v", f"{probe}:/probe:ro", "--cap-add", "SYS_RAWIO")
    assert found.split() == ["ok", "EPERM", "ok", "EPERM", "ok", "ok"]


def test_device_option(skiff, probe):
    script = "stat -c '%t:%T' /dev/inside; /probe open /dev/inside r; /probe open /dev/inside rw"
    found = shell(skiff, script, "-v", f"{probe}:/probe:ro", "--device", "/dev/null:/dev/inside:r")
    assert found.split()[0] == "1:3"
    assert found.split()[1] == "ok"


def test_cgroup_view(skiff):
    """The container sees its own cgroup as the root, and cannot change it."""
    for line in shell(skiff, "cat /proc/self/cgroup").splitlines():
        assert line.split(":", 2)[2] == "/", line
    for line in shell(skiff, "grep /sys/fs/cgroup /proc/mounts").splitlines():
        assert "ro" in line.split()[3].split(","), line
    assert shell(skiff, "ls /sys/fs/cgroup | head -1") != ""
    assert shell(skiff, "find /sys/fs/cgroup -name cgroup.procs | while read f; do "
                        "{ echo 1 >$f; } 2>/dev/null && echo wrote $f; done; :") == ""


def test_keyring_is_its_own(skiff, probe):
    """The session keyring of the one who called skiff is not the container's."""
    ours = subprocess.run([str(probe), "keyring"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    theirs = probe_run(skiff, probe, "keyring", run_args=["--security-opt", "seccomp=unconfined"])
    assert ours.strip().isdigit() and theirs.strip().isdigit()
    assert ours != theirs


def test_ipc_is_empty(skiff):
    assert shell(skiff, "wc -l </proc/sysvipc/shm; ls -A /dev/mqueue /dev/shm").split() \
        == ["1", "/dev/mqueue:", "/dev/shm:"]


def test_shm_and_mqueue_are_mounts_of_their_own(skiff):
    mounts = shell(skiff, "cat /proc/mounts", "--shm-size", "8m")
    by_path = {line.split()[1]: line.split() for line in mounts.splitlines()}
    assert by_path["/dev/shm"][2] == "tmpfs" and "size=8192k" in by_path["/dev/shm"][3]
    assert by_path["/dev/mqueue"][2] == "mqueue"
    assert by_path["/dev/pts"][2] == "devpts"
    for path in ("/dev/shm", "/dev/mqueue", "/proc", "/sys"):
        assert {"nosuid", "nodev", "noexec"} <= set(by_path[path][3].split(",")), path


def test_environment_does_not_leak(skiff):
    """Nothing of the caller's environment is inside, but for -e NAME."""
    text = shell(skiff, "env; tr '\\0' '\\n' </proc/1/environ")
    assert "SKIFF" not in text and "must-not-be-seen-inside" not in text
    assert "must-not-be-seen-inside" in shell(skiff, "env", "-e", "SKIFF_TEST_CANARY")


def test_oom_score_and_limits(skiff):
    assert shell(skiff, "cat /proc/self/oom_score_adj") == "0\n"
    assert shell(skiff, "ulimit -n; ulimit -Hn", "--ulimit", "nofile=100:200") == "100\n200\n"


def test_root_of_the_container_is_all_there_is(skiff):
    assert shell(skiff, "ls -d /../../.. ; ls /../bin/busybox") == "/../../..\n/../bin/busybox\n"
    mounts = shell(skiff, "cat /proc/self/mountinfo")
    roots = [line for line in mounts.splitlines() if line.split()[4] == "/"]
    assert len(roots) == 1 and " - overlay " in roots[0]


# ---- without root ----

COMMANDS = (["ps"], ["run", "busybox"], ["images"], ["load", "-i", "/nothing"], ["exec", "box", "ls"],
            ["stop", "box"], ["rm", "box"], ["prune", "-f"], ["logs", "box"], ["top", "box"],
            ["inspect", "box"], ["create", "busybox"], ["start", "box"], ["attach", "box"], ["kill", "box"])


@pytest.fixture
def program_for_everybody(skiff):
    """A copy that an unprivileged user reaches even when the checkout is below /root."""
    path = skiff.directory / "skiff"
    shutil.copyfile(skiff.program, path)
    os.chmod(path, 0o755)
    return path


def as_nobody(program, *args, **options):
    return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--",
                           str(program), *map(str, args)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True,
                          cwd="/", env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
                          **options)


@pytest.mark.parametrize("command", COMMANDS, ids=[one[0] for one in COMMANDS])
def test_without_root(skiff, program_for_everybody, command):
    for where in ([], ["--root", str(skiff.root), "--state", str(skiff.state)]):
        done = as_nobody(program_for_everybody, *where, *command)
        assert done.returncode == (125 if command[0] == "run" else 1), done
        assert done.stdout == ""
        lines = done.stderr.strip().splitlines()
        assert len(lines) == 1, done.stderr
        assert "root" in lines[0], done.stderr


def test_without_root_help_and_version_work(program_for_everybody):
    assert as_nobody(program_for_everybody, "--help").returncode == 0
    assert as_nobody(program_for_everybody, "run", "--help").returncode == 0
    assert as_nobody(program_for_everybody, "--version").returncode == 0


def test_store_is_closed_to_others(skiff):
    skiff.start("--name", "box")
    for directory in (skiff.root, skiff.state):
        assert os.stat(directory).st_mode & 0o777 == 0o700, directory
        assert as_nobody(sys.executable, "-c",
                         f"import os; os.listdir({str(directory)!r})").returncode != 0
