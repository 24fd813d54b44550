# SPDX-License-Identifier: Apache-2.0
"""Starts and ends without a pause, 1, 4 and 16 side by side: none fails and nothing piles up. Seconds in a
check, ten minutes in the long lane, where there are 64 too.

The host is compared at the end of every test. Here, beside that: control groups, those that are
dying included; descriptors, inotify watches and memory of the monitors that live through it.
"""

import os
import threading
import time

import pytest

from helpers import processes
from helpers.effort import LONG, effort
from helpers.features import cgroup_v2_mount
from helpers.waiting import wait_until

SECONDS = effort(8, 150)  # for each width
WIDTHS = (1, 4, 16, 64) if LONG else (1, 4, 16)
# The machine's own come and go, and other tests' beside us.
OTHER_CGROUPS = 200
MONITOR_GROWTH_KB = 256


def cgroup_count():
    """Hierarchy -> groups that the kernel keeps, dying ones too."""
    with open("/proc/cgroups", encoding="utf-8") as file:
        found = {line.split()[0]: int(line.split()[2]) for line in file.readlines()[1:]}
    if cgroup_v2_mount():
        with open(f"{cgroup_v2_mount()}/cgroup.stat", encoding="utf-8") as file:
            found |= {f"v2 {line.split()[0]}": int(line.split()[1]) for line in file}
    return found


class Lanes:
    """So many loops side by side, each doing one thing after the other until the time is over."""

    def __init__(self, width, seconds, once):
        self.end = time.monotonic() + seconds
        self.once = once
        self.done = 0
        self.failures = []
        self.lock = threading.Lock()
        threads = [threading.Thread(target=self.loop, args=(lane,)) for lane in range(width)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def loop(self, lane):
        number = 0
        while time.monotonic() < self.end and not self.failures:
            try:
                self.once(lane, number)
            except Exception as failure:  # of whatever kind: it is told by the test's own thread
                with self.lock:
                    self.failures.append(f"lane {lane}, number {number}: {failure!r}")
            number += 1
            with self.lock:
                self.done += 1


def groups_piled_up(before, done):
    """Hierarchies that grew with the number of what was done, and not by accident."""
    return {name: (before[name], now) for name, now in cgroup_count().items()
            if name in before and now - before[name] > OTHER_CGROUPS + done // 4}


@pytest.mark.parametrize("width", WIDTHS)
def test_starts_and_ends(skiff, width):
    def once(lane, number):
        text = f"{lane}-{number}"
        if number % 4:
            done = skiff.run("run", "--rm", "-v", f"shared{lane}:/v", "busybox", "echo", text)
            assert (done.stdout, done.stderr) == (text + "\n", "")
            return
        name = f"box-{text}"
        skiff.start("--name", name)
        assert skiff.run("exec", name, "echo", text).stdout == text + "\n"
        skiff.run("restart", "-t", "0", name)
        skiff.run("stop", "-t", "0", name)
        assert skiff.inspect(name)["State"]["ExitCode"] == 137
        skiff.run("rm", name)

    before = cgroup_count()
    lanes = Lanes(width, SECONDS, once)
    assert not lanes.failures, lanes.failures
    assert lanes.done >= width
    assert skiff.containers() == [] and not skiff.leftovers()
    wait_until(lambda: not groups_piled_up(before, lanes.done),
               what=lambda: f"after {lanes.done}: {groups_piled_up(before, lanes.done)}")


def private_kb(pid):
    return sum(int(line.split()[1]) for line in processes.read(pid, "smaps_rollup").splitlines()
               if line.startswith("Private_"))


def watches(pid):
    return sum(processes.read(pid, f"fdinfo/{fd}").count("inotify wd")
               for fd in processes.open_files(pid))


def test_a_monitor_does_not_grow(skiff):
    """What others do with its container leaves nothing behind in the process behind it."""
    skiff.start("--name", "box", "--health-cmd", "true", "--health-interval", "1s", "-it")
    monitor = skiff.monitor_pid("box")

    def once(lane, _):
        skiff.run("exec", "box", "true")
        skiff.run("logs", "box")
        attached = skiff.popen("attach", "--no-stdin", "box")
        attached.kill()
        attached.communicate()
        skiff.run("kill", "-s", "WINCH", "box")
        if lane == "alone":
            skiff.run("pause", "box")
            skiff.run("unpause", "box")

    def measure():
        return len(processes.open_files(monitor)), watches(monitor), private_kb(monitor)

    for number in range(10):
        once("alone", number)
    files, inotify, memory = measure()
    lanes = Lanes(4, SECONDS / 2, once)
    assert not lanes.failures, lanes.failures
    for number in range(effort(20, 500)):
        once("alone", number)
    wait_until(lambda: measure()[0] <= files, what=lambda: f"{measure()} after {files} files")
    wait_until(lambda: measure()[1] <= inotify, what=lambda: f"{measure()} of {inotify} watches")
    if "ASAN_OPTIONS" not in os.environ:  # which keeps what was freed
        # It gives back what it does not need once nothing has happened for a while.
        wait_until(lambda: measure()[2] - memory < MONITOR_GROWTH_KB,
                   what=lambda: f"{measure()} after {memory} KB, {lanes.done}")
