# SPDX-License-Identifier: Apache-2.0
"""kill -9 at every stage of start, exec, stop, restart and rm, for whichever process is there.

tests/helpers/inject.c knows the stages by the system calls that make them: whichever of command,
monitor, agent and the container's first process comes to the Nth is killed before it happens. After
each death commands tell the truth about the container, and one `rm` or `prune` leaves nothing. A check
takes every STRIDEth stage, the long lane all of them.
"""

import os
import subprocess

import pytest

from helpers import processes
from helpers.effort import LONG
from helpers.features import cgroup_mounts
from helpers.waiting import wait_until

NO_SUCH_STAGE = 99
STRIDE = 1 if LONG else 11
STAGES_MAX = 3000
SLEEP = ("busybox", "sleep", "1000")

# name: (what is there before, what is killed at its stages)
CASES = {
    "run": ((), ["run -d --name box -v data:/data --tmpfs /t busybox sleep 1000"]),
    "run-terminal": ((), ["run -dt --name box busybox sleep 1000"]),
    "run-rm": ((), ["run --rm --name box busybox true"]),
    "create": ((), ["create --name box -v data:/data busybox true"]),
    "start": (("create", "--name", "box", *SLEEP), ["start box"]),
    "exec": (("run", "-d", "--name", "box", *SLEEP), ["exec box true"]),
    # With the monitor, which is no child of these commands.
    "stop": ((), ["run -d --name box busybox sleep 1000", "stop -t 0 box"]),
    "kill-rm": ((), ["run -d --rm --name box busybox sleep 1000", "kill box"]),
    "restart": ((), ["run -d --name box busybox sleep 1000", "restart -t 0 box"]),
    "rm": ((), ["run -d --name box -v data:/data busybox sleep 1000", "rm -f -v box"]),
    "rm-stopped": (("run", "--name", "box", "busybox", "true"), ["rm box"]),
}


@pytest.fixture
def inject(helper_directory):
    return helper_directory / "inject"


class Victim:
    """One store, in which one thing is done again and again until it gets through."""

    def __init__(self, skiff, inject):
        self.skiff = skiff
        self.inject = inject
        self.marker = skiff.directory / "from-here"
        self.injection = None
        self.ids = set()

    def kill_at(self, point, lines):
        """Stages count from the last line on; whether there was such a stage."""
        self.marker.unlink(missing_ok=True)
        program = " ".join(self.skiff.command())
        script = "\n".join([*(f"{program} {line} >/dev/null" for line in lines[:-1]),
                            f": >{self.marker}", f"exec {program} {lines[-1]} >/dev/null"])
        self.injection = subprocess.Popen(
            [self.inject, "kill-stage", str(point), "sh", "-c", script],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**self.skiff.environment, "INJECT_FROM": str(self.marker)})
        return int(self.injection.stdout.readline()) != NO_SUCH_STAGE

    def cgroups(self):
        return [f"{mount}/skiff-{one}" for mount in cgroup_mounts() for one in self.ids
                if os.path.isdir(f"{mount}/skiff-{one}")]

    def remember(self):
        for base in (self.skiff.root, self.skiff.state):
            if (base / "containers").is_dir():
                self.ids |= set(os.listdir(base / "containers"))

    def assert_truth(self, point):
        """What commands say of the container is what the kernel says."""
        listed = self.skiff.run("ps", "--format", "{{.Names}}").stdout.split()
        known = self.skiff.run("ps", "-a", "--format", "{{.Names}}").stdout.split()
        self.remember()
        for name in known:
            done = self.skiff.run("inspect", "-f", "{{.State.Running}} {{.State.Pid}}", name,
                                  check=False)
            if done.code != 0:  # --rm, and its monitor is just at it
                assert "No such" in done.stderr, (point, done)
                continue
            running, pid = done.stdout.split()
            if running == "false":
                assert pid == "0", (point, done)
            elif not processes.is_alive(int(pid)):
                # It may have ended between the two questions; nobody may say so twice.
                wait_until(lambda one=name: "true" not in self.skiff.run(
                    "inspect", "-f", "{{.State.Running}}", one, check=False).stdout,
                    what=f"stage {point}: {name} is said to run")
        return listed

    def assert_clean_after_removal(self, point):
        for name in self.skiff.containers():
            done = self.skiff.run("rm", "-f", "-v", name, check=False)
            assert done.code == 0 or "No such container" in done.stderr, (point, done)
        self.skiff.run("prune", "-f")
        assert self.skiff.containers() == [], point
        wait_until(lambda: not self.skiff.leftovers() and not self.cgroups(),
                   what=lambda: f"stage {point}: left {self.skiff.leftovers()} {self.cgroups()}")
        # It goes when the last process has that came of the command.
        self.injection.communicate(timeout=60)


@pytest.mark.parametrize("case", CASES)
def test_killed_at_every_stage(skiff, inject, case):
    before, lines = CASES[case]
    victim = Victim(skiff, inject)
    offset = 1 if LONG else 1 + sum(map(ord, case)) % STRIDE
    for point in range(offset, STAGES_MAX, STRIDE):
        if before:
            skiff.run(*before)
        was_there = victim.kill_at(point, lines)
        victim.assert_truth(point)
        victim.assert_clean_after_removal(point)
        if not was_there:
            break
    else:
        pytest.fail(f"{case} never got through")
    assert skiff.run("run", "--rm", "busybox", "echo", "fine").stdout == "fine\n"


# The same with a network. Its steps are messages to the kernel: a lease is a row before them; a link is
# made, moved, given its address; rules are set; the resolver is bound. And all of it backwards.
NETWORK_STRIDE = 1 if LONG else 11
ON_OWN = "--network mine -p 8080:80 -p 9000-9100:9000-9100/udp busybox sleep 1000"
NETWORK_CASES = {
    "run": ((), ["run -d --name box -p 8080:80 busybox sleep 1000"]),
    "run-own": ((), [f"run -d --name box {ON_OWN}"]),
    "stop": ((), [f"run -d --name box {ON_OWN}", "stop -t 0 box"]),
    "rm": ((), ["run -d --name box -p 8080:80 busybox sleep 1000", "rm -f box"]),
    "connect": ((), ["run -d --name box busybox sleep 1000", "network connect mine box"]),
    "disconnect": ((), [f"run -d --name box {ON_OWN}", "network disconnect mine box"]),
    "publish": ((), [f"run -d --name box {ON_OWN}",
                     "update -p 7000:70 --publish-rm 80 box"]),
}


@pytest.mark.parametrize("case", NETWORK_CASES)
def test_killed_at_every_stage_of_a_network(networked, world, inject, case):
    """No address, link, rule or namespace is left, and the same can be had again."""
    before, lines = NETWORK_CASES[case]
    networked.run("network", "create", "--subnet", "10.99.0.0/24", "mine")
    clean_links = world.host.links()
    clean_rules = world.host.ruleset()
    victim = Victim(networked.skiff, inject)
    offset = 1 if LONG else 1 + sum(map(ord, case)) % NETWORK_STRIDE
    for point in range(offset, STAGES_MAX, NETWORK_STRIDE):
        was_there = victim.kill_at(point, lines)
        victim.assert_truth(point)
        victim.assert_clean_after_removal(point)
        members = networked.run("network", "inspect", "-f", "{{len .Containers}}", "mine").stdout
        assert members == "0\n", point
        wait_until(lambda: world.host.links() == clean_links,
                   what=lambda p=point: f"stage {p}: {world.host.links() - clean_links} is left")
        wait_until(lambda: world.host.ruleset() == clean_rules,
                   what=lambda p=point: f"stage {p}: rules are left: {world.host.ruleset()}")
        if not was_there:
            break
    else:
        pytest.fail(f"{case} never got through")
    networked.run("run", "-d", "--name", "again", *ON_OWN.split())
    assert networked.address("again") == "10.99.0.2", "no lease was lost"
