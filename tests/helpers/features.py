# SPDX-License-Identifier: Apache-2.0
"""What a test needs of the machine: missing, it skips on a desk and fails in CI (STYLE 10.3)."""

import os
import shutil

import pytest

IN_CI = os.environ.get("CI", "") not in ("", "0", "false")


def missing(what):
    if IN_CI:
        pytest.fail(f"this machine lacks {what}", pytrace=False)
    pytest.skip(f"this machine lacks {what}")


def require_tool(name):
    path = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None:
        missing(name)
    return path


def require(condition, what):
    if not condition:
        missing(what)


def cgroup_v1_controllers():
    """Controller -> mount point, for hierarchies of version 1."""
    found = {}
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            left, _, right = line.partition(" - ")
            kind, _, options = right.split(" ", 2)
            if kind == "cgroup":
                for option in options.strip().split(","):
                    found[option] = left.split()[4]
    return found


def cgroup_v2_mount():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            left, _, right = line.partition(" - ")
            if right.startswith("cgroup2 "):
                return left.split()[4]
    return None


def cgroup_mounts():
    mounts = set(cgroup_v1_controllers().values())
    if cgroup_v2_mount():
        mounts.add(cgroup_v2_mount())
    return sorted(mounts)


def has_controller(name):
    """Whether limits of this controller can be set, in either version."""
    if name in cgroup_v1_controllers():
        return True
    mount = cgroup_v2_mount()
    if mount is None:
        return False
    with open(f"{mount}/cgroup.controllers", encoding="utf-8") as file:
        return name in file.read().split()
