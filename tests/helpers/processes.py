# SPDX-License-Identifier: Apache-2.0
"""Questions about processes, asked of /proc. A process that goes away meanwhile is no error."""

import os


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def read(pid, name):
    """The text of /proc/PID/NAME; empty when there is no such process."""
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def link(pid, name):
    try:
        return os.readlink(f"/proc/{pid}/{name}")
    except OSError:
        return ""


def command_line(pid):
    return read(pid, "cmdline").replace("\0", " ").strip() or read(pid, "comm").strip()


def status_field(pid, field):
    """One field of /proc/PID/status, such as "CapBnd" or "NSpid"; None when it is gone."""
    for line in read(pid, "status").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return value.strip()
    return None


def is_alive(pid):
    """Neither gone nor a zombie."""
    state = status_field(pid, "State")
    return state is not None and not state.startswith(("Z", "X"))


def parent(pid):
    value = status_field(pid, "PPid")
    return int(value) if value else None


def children(pid):
    return [child for child in pids() if parent(child) == pid]


def namespace(pid, kind):
    """"mnt:[4026531841]" and the like."""
    return link(pid, f"ns/{kind}")


def open_files(pid):
    """Descriptor number -> what it leads to."""
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return {}
    return {int(name): link(pid, f"fd/{name}") for name in names}


def uses_path(pid, prefix):
    """Whether its working directory, root, program or an open file lies below the prefix."""
    below = prefix.rstrip("/") + "/"
    targets = [link(pid, "cwd"), link(pid, "root"), link(pid, "exe"), *open_files(pid).values()]
    return any(target == prefix or target.startswith(below) for target in targets)
