# SPDX-License-Identifier: Apache-2.0
"""Whether the machine looks as it did before: mounts, cgroups, links, processes of ours."""

import os
import time
from pathlib import Path

DEADLINE_S = 10
PARENTS = ("docker", "libpod_parent")  # groups that engines make once and keep


def mounts():
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return {line.split()[4] for line in lines}


def cgroup_mounts():
    found = []
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        left, _, right = line.partition(" - ")
        if right.split()[0] in ("cgroup", "cgroup2"):
            found.append(left.split()[4])
    return found


def cgroups():
    return {os.path.join(directory, name) for mount in cgroup_mounts()
            for directory, names, _ in os.walk(mount) for name in names}


def processes_of(directory):
    """Processes that name our temporary directory or have a file in it open."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            names = [(entry / "cmdline").read_text(encoding="utf-8", errors="replace")]
            names += [os.readlink(one) for one in (entry / "fd").iterdir()]
            if any(str(directory) in name for name in names):
                found.add(f"{entry.name} {(entry / 'comm').read_text().strip()}")
        except OSError:
            continue
    return found


class Snapshot:
    def __init__(self):
        self.mounts, self.cgroups = mounts(), cgroups()
        self.links = set(os.listdir("/sys/class/net"))

    def remove_parents(self):
        """Empty groups that peers made for themselves and would keep until the next boot."""
        for path in sorted(cgroups() - self.cgroups, key=len, reverse=True):
            if any(f"/{name}" in path for name in PARENTS):
                try:
                    os.rmdir(path)
                except OSError:
                    pass

    def differences(self, directory):
        """What is left, after waiting for the kernel to finish; [] is what we want.

        Other users of the machine may have come and gone: only what names us or an engine that
        we started is ours.
        """
        deadline = time.monotonic() + DEADLINE_S
        while True:
            left = [f"mount {one}" for one in mounts() - self.mounts if str(directory) in one]
            left += [f"cgroup {one}" for one in cgroups() - self.cgroups
                     if any(mark in one for mark in ("bench-", "floor-", *PARENTS))]
            left += [f"link {one}" for one in set(os.listdir("/sys/class/net")) - self.links]
            left += [f"process {one}" for one in processes_of(directory)]
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.05)
