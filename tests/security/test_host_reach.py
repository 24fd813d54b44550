# SPDX-License-Identifier: Apache-2.0
"""THREATS.md: 2020-15257, 2021-21284, 2021-41091, 2021-41103, 2022-0492, 2023-25809, 2024-25621.
Sockets, control groups and directories of the engine are out of reach."""

import glob
import os
import re
import subprocess

import pytest

from helpers import processes
from helpers.custom_image import CustomImage
from helpers.features import cgroup_v1_controllers

ESCAPE = """
for d in $(find /sys/fs/cgroup -name release_agent -o -name notify_on_release -o -name devices.allow \
           -o -name cgroup.procs -o -name cgroup.subtree_control 2>/dev/null); do
    { echo 1 >$d; } 2>/dev/null && echo wrote $d
done
mkdir -p /tmp/cg
for c in %s; do
    mount -t cgroup -o $c cgroup /tmp/cg 2>/dev/null && echo mounted $c &&
        { echo /evil >/tmp/cg/release_agent; } 2>/dev/null && echo agent $c
    umount /tmp/cg 2>/dev/null
done
mount -t cgroup2 none /tmp/cg 2>/dev/null && echo mounted 2
:
"""


def release_agents():
    found = {}
    for mount in set(cgroup_v1_controllers().values()):
        for path in glob.glob(f"{mount}/release_agent"):
            with open(path, encoding="utf-8") as file:
                found[path] = file.read()
    return found


@pytest.mark.parametrize("args", [[], ["--cgroupns", "host"], ["-u", "nobody"],
                                  ["--cap-add", "DAC_READ_SEARCH"], ["--network", "host"],
                                  ["--pid", "host"]], ids=lambda value: "-".join(value) or "plain")
def test_control_groups_cannot_be_written(skiff, args):
    before = release_agents()
    controllers = " ".join(name for name in cgroup_v1_controllers()) or "memory"
    done = skiff.run("run", "--rm", *args, "busybox", "sh", "-c", ESCAPE % controllers)
    assert done.stdout == ""
    assert release_agents() == before


def test_release_agent_even_with_sys_admin(skiff):
    """CAP_SYS_ADMIN may mount; the agent of the host stays what it was."""
    before = release_agents()
    controllers = " ".join(name for name in cgroup_v1_controllers()) or "memory"
    done = skiff.run("run", "--rm", "--cap-add", "SYS_ADMIN", "busybox", "sh", "-c",
                     ESCAPE % controllers, check=False)
    assert "agent" not in re.findall(r"^\w+", done.stdout, re.MULTILINE)
    assert release_agents() == before


def test_no_abstract_sockets(skiff):
    """With the host's network a container reaches every abstract socket: we have none."""
    skiff.start("--name", "box", "-it", "--network", "host")
    text = skiff.run("run", "--rm", "--network", "host", "busybox", "cat", "/proc/net/unix").stdout
    monitor = skiff.monitor_pid("box")
    inodes = {target[len("socket:["):-1] for target in processes.open_files(monitor).values()
              if target.startswith("socket:[")}
    abstract = {line.split()[6] for line in text.splitlines()[1:]
                if len(line.split()) > 7 and line.split()[7].startswith("@")}
    assert not inodes & abstract


def walk_as_nobody(directory):
    script = ("import os,sys\n"
              "for base, names, files in os.walk(sys.argv[1]):\n"
              "    print(base, *names, *files)\n")
    return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--",
                           "/usr/bin/python3", "-c", script, str(directory)],
                          stdout=subprocess.PIPE, check=True, text=True).stdout


def test_others_cannot_walk_our_directories(skiff):
    """A setuid program in a layer is not there for a user of the host."""
    image = CustomImage()
    image.layer.file("setuid", "x", mode=0o4755)
    name = image.load(skiff)
    skiff.start("--name", "box", "-v", "volume:/data", image=name)
    for directory in (skiff.root, skiff.state):
        assert walk_as_nobody(directory) == ""
        st = os.stat(directory)
        assert (st.st_uid, st.st_mode & 0o077) == (0, 0)


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o722])
def test_store_writable_by_others_is_refused(skiff, mode):
    os.chmod(skiff.root, mode)
    done = skiff.fails("ps")
    assert str(skiff.root) in done.stderr
    os.chmod(skiff.root, 0o700)


def test_store_of_another_user_is_refused(skiff):
    os.chown(skiff.root, 65534, 65534)
    skiff.fails("ps")
    os.chown(skiff.root, 0, 0)


def test_store_behind_a_link_of_another_user(empty_skiff):
    """--root is a link that somebody else could turn around: not followed into a foreign place."""
    elsewhere = empty_skiff.directory / "elsewhere"
    elsewhere.mkdir(mode=0o777)
    os.chown(elsewhere, 65534, 65534)
    os.symlink(elsewhere, empty_skiff.root)
    empty_skiff.fails("images")
    assert os.listdir(elsewhere) == []
    os.unlink(empty_skiff.root)


def test_endless_output_is_bounded(skiff):
    """The log is rotated and the monitor does not grow."""
    skiff.run("run", "-d", "--name", "box", "busybox", "sh", "-c",
              "yes 0123456789abcdef | head -c 60000000; sleep 1000")
    monitor = skiff.monitor_pid("box")
    skiff.run("exec", "box", "sh", "-c", "while pgrep yes >/dev/null; do :; done", timeout=300)
    peak_kib = int(processes.status_field(monitor, "VmHWM").split()[0])
    if "ASAN_OPTIONS" not in os.environ:  # its shadow memory is no measure of ours
        assert peak_kib < 64 * 1024
    logs = glob.glob(str(skiff.root / "containers" / skiff.full_id("box") / "*.log*"))
    assert logs and sum(os.path.getsize(path) for path in logs) < 40_000_000
