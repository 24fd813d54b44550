# SPDX-License-Identifier: Apache-2.0
"""A ready OCI bundle for crun and runc, as confined as docker's default."""

import json

CAPABILITIES = ["CAP_" + name for name in (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP "
    "SETGID SETPCAP SETUID SYS_CHROOT").split()]
SECCOMP_PROFILE = "/usr/share/containers/seccomp.json"
MASKED = ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
          "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
          "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def applies(rule):
    """Whether a rule of the engines' profile holds for our capabilities on x86-64."""
    wanted, unwanted = rule.get("includes", {}), rule.get("excludes", {})
    if "arches" in wanted and "amd64" not in wanted["arches"]:
        return False
    if "caps" in wanted and not set(wanted["caps"]) & set(CAPABILITIES):
        return False
    return not set(unwanted.get("caps", [])) & set(CAPABILITIES)


def seccomp():
    """The engines' profile in the form that runtimes take; None where it is not installed."""
    try:
        with open(SECCOMP_PROFILE, encoding="utf-8") as file:
            profile = json.load(file)
    except OSError:
        return None
    keys = ("names", "action", "errnoRet", "args")
    return {
        "defaultAction": profile["defaultAction"],
        "defaultErrnoRet": profile.get("defaultErrnoRet", 1),
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        "syscalls": [{key: rule[key] for key in keys if rule.get(key)}
                     for rule in profile["syscalls"] if applies(rule)],
    }


def mount(destination, kind, source, *options):
    return {"destination": destination, "type": kind, "source": source, "options": list(options)}


def config(rootfs, args, files):
    """`files`: three paths on the host for /etc/resolv.conf, hostname, hosts."""
    quiet = ("nosuid", "noexec", "nodev")
    result = {
        "ociVersion": "1.0.2",
        "hostname": "bench",
        "root": {"path": str(rootfs), "readonly": False},
        "process": {
            "terminal": False, "user": {"uid": 0, "gid": 0}, "cwd": "/", "args": args,
            "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
            "capabilities": {kind: CAPABILITIES
                             for kind in ("bounding", "effective", "permitted")},
        },
        "mounts": [
            mount("/proc", "proc", "proc", *quiet),
            mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
            mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance",
                  "ptmxmode=0666", "mode=0620", "gid=5"),
            mount("/dev/shm", "tmpfs", "shm", *quiet, "mode=1777", "size=65536k"),
            mount("/dev/mqueue", "mqueue", "mqueue", *quiet),
            mount("/sys", "sysfs", "sysfs", *quiet, "ro"),
            mount("/sys/fs/cgroup", "cgroup", "cgroup", *quiet, "relatime", "ro"),
        ],
        "linux": {
            "namespaces": [{"type": kind}
                           for kind in ("pid", "network", "ipc", "uts", "mount", "cgroup")],
            "maskedPaths": MASKED,
            "readonlyPaths": READ_ONLY,
            "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        },
    }
    for path in files:
        result["mounts"].append(mount(f"/etc/{path.name}", "bind", str(path), "rbind"))
    profile = seccomp()
    if profile:
        result["linux"]["seccomp"] = profile
    return result


def write(directory, rootfs, args):
    """A bundle at `directory`, for a root filesystem that lies elsewhere."""
    directory.mkdir()
    files = []
    for name in ("resolv.conf", "hostname", "hosts"):
        file = directory / name
        file.write_text("127.0.0.1 localhost\n", encoding="utf-8")
        files.append(file)
    (directory / "config.json").write_text(json.dumps(config(rootfs, args, files)), encoding="utf-8")
    return directory
