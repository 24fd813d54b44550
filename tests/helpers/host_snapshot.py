# SPDX-License-Identifier: Apache-2.0
"""What the host looks like, before and after.

A snapshot holds the facts about the machine that a container engine could change by mistake. Every
test takes one at its beginning; its end waits, with a deadline, until the differences are gone
(the kernel tears some things down a moment after the last process) and fails with a list of them.

Tests run in parallel, so a test looks at the whole mount table but only at such cgroups and
processes as are its own or nobody's: a container's id that no store of this session knows. The end
of the session compares everything, on a machine that has nothing else to do (CI=true).
"""

import os
import re
import shutil
import signal
import socket
import subprocess

from helpers import processes
from helpers.features import IN_CI, cgroup_mounts
from helpers.waiting import wait_until

TEMPORARY = ("/tmp", "/var/tmp")
CONTAINER_ID = re.compile(r"[0-9a-f]{64}")

SYSCTLS = (
    "fs/mqueue/msg_max", "fs/protected_hardlinks", "fs/protected_symlinks", "kernel/cap_last_cap",
    "kernel/core_pattern", "kernel/core_uses_pid", "kernel/domainname", "kernel/hostname",
    "kernel/keys/maxkeys", "kernel/modprobe", "kernel/msgmax", "kernel/panic", "kernel/pid_max",
    "kernel/sem", "kernel/shm_rmid_forced", "kernel/shmmax", "kernel/sysrq",
    "net/ipv4/conf/all/forwarding", "net/ipv4/ip_forward", "net/ipv4/ip_unprivileged_port_start",
    "net/ipv4/ping_group_range", "user/max_user_namespaces", "vm/overcommit_memory",
    "vm/swappiness",
)


def read_file(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def mount_table(pid):
    """Every mount as one line, without the numbers that the kernel gives out anew."""
    lines = []
    for line in (read_file(f"/proc/{pid}/mountinfo") or "").splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split()
        propagation = [re.sub(r":\d+", "", field) for field in fields[6:]]
        lines.append(" ".join([fields[4], "from", fields[3], fields[5], *propagation, right]))
    return sorted(lines)


def supervisors_groups():
    """First components of the groups we are in: whoever runs us makes and removes others there."""
    paths = (line.split(":", 2)[2] for line in (read_file("/proc/self/cgroup") or "").splitlines())
    return {path.split("/")[1] for path in paths if path != "/"}


def cgroup_directories():
    found = set()
    foreign = supervisors_groups()
    for mount in cgroup_mounts():
        for directory, names, _ in os.walk(mount):
            if directory == mount:
                names[:] = [name for name in names if name not in foreign]
            found.update(os.path.join(directory, name) for name in names)
    return found


def skiff_sockets():
    """Unix sockets with a name of ours; abstract ones begin with "@"."""
    names = set()
    for line in (read_file("/proc/net/unix") or "").splitlines()[1:]:
        fields = line.split(None, 7)
        if len(fields) == 8 and "skiff" in fields[7]:
            names.add(fields[7])
    return names


def firewall():
    nft = shutil.which("nft", path="/usr/sbin:/sbin")
    if nft is None:
        return ""
    return subprocess.run([nft, "-s", "list", "ruleset"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False, text=True).stdout


# Directories that the programs we make images with, and compare with, keep for good.
FOREIGN_NAMES = {"buildah", "containerd", "containers", "crun", "docker", "docker.pid", "libpod",
                 "lock", "netns", "podman", "runc"}


def names_in(directory):
    try:
        return set(os.listdir(directory))
    except OSError:
        return set()


class HostSnapshot:
    """Facts of one moment. `whole` adds those that only make sense when nothing else runs."""

    def __init__(self, whole=False):
        self.mounts = {f"of PID {pid}: {line}" for pid in (1, "self") for line in mount_table(pid)}
        self.cgroups = cgroup_directories()
        self.links = names_in("/sys/class/net")
        self.names = {f"{base}/{name}" for base in ("/run", "/var/lib", "/var/run")
                      for name in names_in(base) - FOREIGN_NAMES}
        self.values = {f"/proc/sys/{name}": read_file(f"/proc/sys/{name}") for name in SYSCTLS}
        self.values["host name"] = socket.gethostname()
        self.sockets = skiff_sockets()
        self.firewall = firewall() if whole else ""
        self.temporary = {f"/tmp/{name}" for name in names_in("/tmp") if "skiff" in name}

    def differences(self, now):
        """Readable lines: what `now` has that we lack ("+") and lacks that we have ("-")."""
        lines = []
        for what in ("mounts", "cgroups", "links", "names", "sockets", "temporary"):
            before, after = getattr(self, what), getattr(now, what)
            lines += [f"+ {what}: {one}" for one in sorted(after - before)]
            lines += [f"- {what}: {one}" for one in sorted(before - after)]
        for name, value in now.values.items():
            if self.values.get(name) != value:
                lines.append(f"! {name}: was {self.values.get(name)!r}, is {value!r}")
        if self.firewall != now.firewall:
            lines.append(f"! firewall: was\n{self.firewall}\nis\n{now.firewall}")
        return lines


def container_ids_in(text):
    return set(CONTAINER_ID.findall(text))


class HostWatch:
    """One test's view: its stores, the host before it, and the check at its end."""

    def __init__(self, session_directory):
        self.session_directory = session_directory
        self.before = HostSnapshot()
        self.stores = []  # Skiff objects
        self.ids = set()  # containers known to have been ours

    def remember_ids(self):
        for skiff in self.stores:
            for base in (skiff.root, skiff.state):
                self.ids |= {name for name in names_in(base / "containers")
                             if CONTAINER_ID.fullmatch(name)}

    def _ids_of_other_tests(self):
        own = {str(skiff.directory) for skiff in self.stores}
        found = set()
        for test in self.session_directory.iterdir():
            if str(test) in own:
                continue
            for base in (test / "root", test / "state"):
                found |= names_in(base / "containers")
        return found

    def our_cgroups(self):
        """Cgroups of our containers, and new ones of containers that no store knows.

        The latter only in CI: at a desk somebody else's containers may run.
        """
        new = cgroup_directories() - self.before.cgroups
        others = self._ids_of_other_tests() if IN_CI else None
        return sorted(path for path in new if (container_ids_in(path) & self.ids)
                      or (IN_CI and container_ids_in(path) - others))

    def our_processes(self):
        directories = [str(skiff.directory) for skiff in self.stores]
        found = []
        for pid in processes.pids():
            if pid == os.getpid() or not processes.is_alive(pid):
                continue
            if (container_ids_in(processes.read(pid, "cgroup")) & self.ids
                    or any(processes.uses_path(pid, one) for one in directories)):
                found.append(pid)
        return found

    def differences(self):
        now = HostSnapshot()
        lines = []
        for line in self.before.differences(now):
            kind = line.split(":")[0]
            if kind.endswith((" cgroups", " temporary")):
                continue  # parallel tests make some; ours are looked at below
            if kind.endswith(" names") and not IN_CI:
                continue  # somebody else's
            ours = any(str(one.directory) in line for one in self.stores)
            if not ours and any(f": {base}/" in line for base in TEMPORARY):
                continue  # a mount that some other test makes, or undoes
            lines.append(line)
        lines += [f"+ cgroup: {path}" for path in self.our_cgroups()]
        lines += [f"+ process {pid}: {processes.command_line(pid)} (cgroup "
                  f"{processes.read(pid, 'cgroup').split()[:1]})" for pid in self.our_processes()]
        for skiff in self.stores:
            lines += [f"+ file: {path}" for path in skiff.leftovers()]
        return lines

    def assert_untouched(self, deadline=30.0):
        """Waits until nothing differs; fails with the differences that stay."""
        wait_until(lambda: not self.differences(), deadline,
                   what=lambda: "the host is not as it was:\n  " + "\n  ".join(self.differences()))

    def clean_by_force(self):
        """After a failure: ends what is ours, so that one failing test stays one."""
        self.remember_ids()
        for pid in self.our_processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for path in sorted(self.our_cgroups(), key=len, reverse=True):
            try:
                os.rmdir(path)
            except OSError:
                pass
