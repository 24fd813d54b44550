# SPDX-License-Identifier: Apache-2.0
"""--restart: the monitor starts its container again, as docker's daemon would; and what comes back
after a boot."""

import glob
import os
import shutil
import signal
import subprocess

import pytest

from helpers import processes
from helpers.features import cgroup_mounts
from helpers.waiting import wait_until

FOREVER = ("sleep", "1000")


def state(skiff, name="box"):
    return skiff.inspect(name)["State"]


def count(skiff, name="box"):
    return skiff.inspect(name)["RestartCount"]


def kill_init(skiff, name="box"):
    """Ends the container from within, as it were: nobody asked skiff for it."""
    os.kill(skiff.pid(name), signal.SIGKILL)


def wait_status(skiff, status, name="box"):
    wait_until(lambda: skiff.status(name) == status, what=lambda: f"{name} is {skiff.status(name)}")


def wait_restart(skiff, number, name="box"):
    wait_until(lambda: count(skiff, name) >= number and skiff.status(name) == "running",
               what=lambda: f"{count(skiff, name)} restarts, {skiff.status(name)}")


# ---- policies ----

def test_no_restart_by_default(skiff):
    skiff.run("run", "--name", "box", "busybox", "false", check=False)
    inspected = skiff.inspect("box")
    assert inspected["HostConfig"]["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}
    assert inspected["RestartCount"] == 0
    assert skiff.status("box") == "exited"


def test_on_failure_is_bounded(skiff):
    skiff.run("run", "-d", "--name", "box", "--restart", "on-failure:2", "busybox", "sh", "-c",
              "echo run; exit 7")
    assert skiff.run("logs", "-f", "box").stdout == "run\n" * 3
    wait_status(skiff, "exited")
    inspected = skiff.inspect("box")
    assert inspected["RestartCount"] == 2
    assert inspected["State"]["ExitCode"] == 7
    assert inspected["HostConfig"]["RestartPolicy"] == {"Name": "on-failure",
                                                        "MaximumRetryCount": 2}
    skiff.run("start", "box")  # by hand: counted from the beginning
    wait_until(lambda: skiff.status("box") == "exited" and count(skiff) == 2)
    assert skiff.run("logs", "box").stdout == "run\n" * 6


def test_on_failure_leaves_success_alone(skiff):
    skiff.run("run", "--name", "box", "--restart", "on-failure", "busybox", "true")
    wait_status(skiff, "exited")
    assert count(skiff) == 0


@pytest.mark.parametrize("policy", ["always", "unless-stopped"])
def test_starts_again_whatever_the_code(skiff, policy):
    skiff.run("run", "-d", "--name", "box", "--restart", policy, "busybox", *FOREVER)
    before = skiff.pid("box")
    kill_init(skiff)
    wait_restart(skiff, 1)
    assert skiff.pid("box") != before
    assert skiff.run("exec", "box", "echo", "in").stdout == "in\n"
    skiff.run("stop", "-t", "0", "box")
    assert skiff.status("box") == "exited"
    assert not os.listdir(skiff.state / "containers")


def test_each_run_has_a_fresh_world_and_the_same_files(skiff):
    skiff.run("run", "-d", "--name", "box", "--restart", "always", "--tmpfs", "/t", "busybox", "sh",
              "-c", "echo >>/kept; ls /t; touch /t/gone; wc -l </kept; "
              "test $(wc -l </kept) -ge 3 && exec sleep 1000")
    wait_until(lambda: skiff.run("logs", "box").stdout == "1\n2\n3\n",
               what=lambda: skiff.run("logs", "box"))
    skiff.run("rm", "-f", "box")


def test_configuration_is_made_anew(skiff):
    """What joins another container's namespace finds it where it is now."""
    skiff.start("--name", "one")
    skiff.run("run", "-d", "--name", "box", "--restart", "always", "--network", "container:one",
              "busybox", *FOREVER)
    skiff.run("restart", "-t", "0", "one")
    kill_init(skiff)
    wait_restart(skiff, 1)
    assert processes.namespace(skiff.pid("box"), "net") == processes.namespace(skiff.pid("one"),
                                                                               "net")
    skiff.run("stop", "-t", "0", "one")
    kill_init(skiff)
    wait_status(skiff, "exited")
    assert "non running container" in state(skiff)["Error"]
    skiff.run("rm", "-f", "box", "one")


def test_signals_reach_a_restarted_container(skiff):
    """Its monitor has blocked them all; the container must not inherit that."""
    skiff.run("run", "-d", "--name", "box", "--restart", "always", "busybox", "sh", "-c",
              "trap 'echo term; exit 5' TERM; echo ready; while :; do sleep 0.05; done")
    kill_init(skiff)
    wait_restart(skiff, 1)
    wait_until(lambda: skiff.run("logs", "box").stdout.count("ready") == 2)
    assert int(processes.status_field(skiff.pid("box"), "SigBlk"), 16) == 0
    skiff.run("stop", "-t", "1000", "box")
    assert state(skiff)["ExitCode"] == 5


def test_terminal_after_a_restart(skiff):
    skiff.run("run", "-dt", "--name", "box", "--restart", "always", "busybox", "sh", "-c",
              "tty; stty size; exec sleep 1000")
    kill_init(skiff)
    wait_restart(skiff, 1)
    wait_until(lambda: skiff.run("logs", "box").stdout.count("/dev/") == 2)
    skiff.run("rm", "-f", "box")


def test_wait_between_runs_grows(skiff):
    skiff.run("run", "-d", "--name", "box", "--restart", "on-failure:4", "busybox", "false")
    skiff.run("logs", "-f", "box")
    wait_status(skiff, "exited")
    assert count(skiff) == 4


# ---- while it waits ----

@pytest.fixture
def restarting(skiff):
    """A container that fails at once, so that it waits nearly all of the time."""
    skiff.run("run", "-d", "--name", "box", "--restart", "always", "busybox", "sh", "-c", "exit 9")
    wait_until(lambda: count(skiff) >= 3 and skiff.status("box") == "restarting")
    return skiff


def test_restarting_is_shown(restarting):
    found = state(restarting)
    assert (found["Running"], found["Restarting"], found["Pid"], found["ExitCode"]) == (
        True, True, 0, 9)
    assert restarting.run("ps", "--format", "{{.Status}}").stdout.startswith("Restarting (9) ")
    assert restarting.run("ps", "-q", "-f", "status=restarting").stdout
    restarting.run("rm", "-f", "box")


@pytest.mark.parametrize("command, words", [
    (["exec", "box", "true"], "is restarting, wait until the container is running"),
    (["attach", "box"], "You cannot attach to a restarting container"),
    (["pause", "box"], "is restarting, wait until the container is running"),
    (["rm", "box"], "container is restarting: stop the container before removing"),
])
def test_restarting_refuses(restarting, command, words):
    assert words in restarting.fails(*command).stderr
    restarting.run("rm", "-f", "box")


@pytest.mark.parametrize("command", [["stop"], ["kill"], ["kill", "-s", "HUP"]])
def test_restarting_is_ended(restarting, command):
    monitor = restarting.run("start", "box")  # as docker: as good as started
    assert monitor.stdout == "box\n"
    restarting.run(*command, "box")
    assert restarting.status("box") == "exited"
    assert state(restarting)["ExitCode"] == 9
    restarting.run("rm", "box")
    assert not restarting.leftovers()


def test_restarting_is_removed_by_force(restarting):
    restarting.run("rm", "-f", "box")
    assert not restarting.leftovers()


def test_wait_hears_each_end(restarting):
    assert restarting.run("wait", "box").stdout == "9\n"
    restarting.run("rm", "-f", "box")


# ---- who has the last word ----

def test_foreground_client_hears_the_first_end(skiff):
    done = skiff.run("run", "--name", "box", "--restart", "always", "busybox", "sh", "-c",
                     "echo out; exit 4", check=False)
    assert (done.code, done.stdout) == (4, "out\n")
    wait_until(lambda: count(skiff) >= 1)
    skiff.run("rm", "-f", "box")


def test_any_signal_by_hand_cancels(skiff):
    """docker's rule for a container that was made without a stop signal."""
    skiff.run("run", "-d", "--name", "box", "--restart", "always", "busybox", "sh", "-c",
              "trap 'echo hup' HUP; while :; do sleep 0.05; done")
    skiff.run("kill", "-s", "HUP", "box")
    wait_until(lambda: skiff.status("box") == "running")
    kill_init(skiff)
    wait_status(skiff, "exited")


def test_other_signal_does_not_cancel_with_a_stop_signal(skiff):
    skiff.run("run", "-d", "--name", "box", "--restart", "always", "--stop-signal", "TERM",
              "busybox", *FOREVER)
    skiff.run("kill", "-s", "HUP", "box")
    kill_init(skiff)
    wait_restart(skiff, 1)
    skiff.run("rm", "-f", "box")


def test_restart_by_hand_goes_on_restarting(skiff):
    skiff.run("run", "-d", "--name", "box", "--restart", "unless-stopped", "busybox", *FOREVER)
    skiff.run("restart", "-t", "0", "box")
    kill_init(skiff)
    wait_restart(skiff, 1)
    skiff.run("rm", "-f", "box")


def test_failing_start_ends_it(skiff, tmp_path):
    (tmp_path / "dir").mkdir()
    skiff.run("run", "-d", "--name", "box", "--restart", "always", "--mount",
              f"type=bind,source={tmp_path}/dir,target=/d", "busybox", *FOREVER)
    (tmp_path / "dir").rmdir()
    kill_init(skiff)
    wait_status(skiff, "exited")
    assert str(tmp_path / "dir") in state(skiff)["Error"]
    assert not os.listdir(skiff.state / "containers")


def test_monitor_killed_means_no_restart(skiff):
    skiff.run("run", "-d", "--name", "box", "--restart", "always", "busybox", *FOREVER)
    os.kill(skiff.monitor_pid("box"), signal.SIGKILL)
    kill_init(skiff)
    wait_status(skiff, "dead")
    assert skiff.run("system", "start").stdout == "box\n"
    assert skiff.status("box") == "running"
    skiff.run("rm", "-f", "box")


def test_monitor_killed_while_it_waits(restarting):
    identity = restarting.full_id("box")
    text = (restarting.state / "containers" / identity / "state.json").read_text()
    os.kill(int(text.split('"monitor"')[1].split('"pid":')[1].split(",")[0]), signal.SIGKILL)
    wait_status(restarting, "exited")
    restarting.run("rm", "box")
    assert not restarting.leftovers()


# ---- restart of a container with --rm ----

@pytest.mark.parametrize("foreground", [True, False])
def test_restart_keeps_a_container_with_rm(skiff, foreground):
    command = ("sh", "-c", "echo up; touch /kept; exec sleep 1000")
    if foreground:
        client = skiff.popen("run", "--rm", "--name", "box", "busybox", *command)
        assert client.stdout.readline() == b"up\n"
    else:
        skiff.run("run", "-d", "--rm", "--name", "box", "busybox", *command)
    wait_until(lambda: skiff.run("logs", "box").stdout == "up\n")
    skiff.run("restart", "-t", "0", "box")
    if foreground:
        client.communicate(timeout=60)
        assert client.returncode == 137
    assert skiff.run("exec", "box", "ls", "/kept").stdout == "/kept\n"
    skiff.run("stop", "-t", "0", "box")
    wait_until(lambda: skiff.containers() == [], what="--rm was forgotten")
    assert not skiff.leftovers()


# ---- update ----

def test_update_of_a_running_container(skiff):
    skiff.start("--name", "box")
    assert skiff.run("update", "--restart", "on-failure:1", "box").stdout == "box\n"
    assert skiff.inspect("box")["HostConfig"]["RestartPolicy"] == {"Name": "on-failure",
                                                                   "MaximumRetryCount": 1}
    kill_init(skiff)
    wait_restart(skiff, 1)
    skiff.run("update", "--restart", "no", "box")
    kill_init(skiff)
    wait_status(skiff, "exited")
    assert count(skiff) == 1


def test_update_of_a_stopped_container(skiff):
    skiff.run("create", "--name", "box", "busybox", *FOREVER)
    skiff.run("update", "--restart", "always", "-m", "64m", "box")
    skiff.run("start", "box")
    kill_init(skiff)
    wait_restart(skiff, 1)
    assert skiff.inspect("box")["HostConfig"]["Memory"] == 64 << 20
    skiff.run("rm", "-f", "box")


def test_update_while_it_waits(restarting):
    """As docker: the restart that is under way still comes, and is the last."""
    restarting.run("update", "--restart", "no", "box")
    wait_status(restarting, "exited")


def test_update_refuses(skiff):
    skiff.start("--name", "box", "--rm")
    assert "AutoRemove is enabled" in skiff.fails("update", "--restart", "always", "box").stderr
    assert "unknown policy" in skiff.fails("update", "--restart", "x", "box").stderr


# ---- values ----

@pytest.mark.parametrize("value, words", [
    ("sometimes", "invalid restart policy: unknown policy 'sometimes'"),
    ("always:3", "maximum retry count can only be used with 'on-failure'"),
    ("on-failure:x", "maximum retry count must be an integer"),
    ("on-failure:-1", "maximum retry count cannot be negative"),
])
def test_bad_policy(skiff, value, words):
    done = skiff.run("run", "-d", "--restart", value, "busybox", check=False)
    assert done.code == 125
    assert words in done.stderr
    assert skiff.containers() == []


def test_conflict_with_rm(skiff):
    done = skiff.run("run", "--rm", "--restart", "always", "busybox", check=False)
    assert done.code == 125
    assert "conflicting options: cannot specify both --restart and --rm" in done.stderr
    assert skiff.run("run", "--rm", "--restart", "no", "busybox", "true").code == 0


# ---- boot ----

def power_off(skiff, names):
    """Everything is dead and /run is empty."""
    victims = []
    for name in names:
        if skiff.pid(name):
            victims += [skiff.monitor_pid(name), skiff.pid(name)]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(processes.is_alive(pid) for pid in victims))
    shutil.rmtree(skiff.state)
    for mount in cgroup_mounts():
        for path in glob.glob(f"{mount}/skiff-*"):
            if os.path.basename(path)[len("skiff-"):] in os.listdir(skiff.root / "containers"):
                os.rmdir(path)


def test_boot_brings_back_what_docker_would(skiff):
    """The table was made by asking docker 20.10 the same."""
    def run(name, policy):
        skiff.run("run", "-d", "--name", name, "--restart", policy, "busybox", *FOREVER)

    for policy in ("no", "always", "unless-stopped", "on-failure"):
        run(f"running-{policy}", policy)
        run(f"stopped-{policy}", policy)
        skiff.run("stop", "-t", "0", f"stopped-{policy}")
        skiff.run("create", "--name", f"created-{policy}", "--restart", policy, "busybox", *FOREVER)
    skiff.run("run", "--name", "succeeded", "--restart", "on-failure", "busybox", "true")
    wait_status(skiff, "exited", "succeeded")
    skiff.run("run", "-d", "--rm", "--name", "removed", "busybox", *FOREVER)
    names = skiff.run("ps", "--format", "{{.Names}}").stdout.split()
    power_off(skiff, names)

    started = skiff.run("system", "start").stdout.split()
    wanted = ["running-always", "running-unless-stopped", "running-on-failure", "stopped-always",
              "stopped-on-failure"]
    assert sorted(started) == sorted(wanted)
    assert sorted(skiff.run("ps", "--format", "{{.Names}}").stdout.split()) == sorted(wanted)
    assert "removed" not in skiff.run("ps", "-a", "--format", "{{.Names}}").stdout.split()
    assert skiff.run("system", "start").stdout == "", "twice does no harm"
    skiff.run("rm", "-f", *skiff.containers())


def test_shutdown_is_no_stop_by_hand(skiff):
    for name in ("one", "two"):
        skiff.run("run", "-d", "--name", name, "--restart", "unless-stopped", "busybox", *FOREVER)
    skiff.run("run", "-d", "--name", "other", "busybox", *FOREVER)
    assert sorted(skiff.run("system", "stop", "-t", "0").stdout.split()) == ["one", "other", "two"]
    assert skiff.run("ps", "-q").stdout == ""
    assert skiff.run("system", "start").stdout.split() == ["one", "two"]
    skiff.run("rm", "-f", "one", "two", "other")


def test_boot_reports_what_fails(skiff, tmp_path):
    (tmp_path / "dir").mkdir()
    skiff.run("run", "-d", "--name", "broken", "--restart", "always", "--mount",
              f"type=bind,source={tmp_path}/dir,target=/d", "busybox", *FOREVER)
    skiff.run("run", "-d", "--name", "whole", "--restart", "always", "busybox", *FOREVER)
    skiff.run("stop", "-t", "0", "broken", "whole")
    (tmp_path / "dir").rmdir()
    done = skiff.run("system", "start", check=False)
    assert done.code == 1
    assert done.stdout == "whole\n"
    assert done.stderr.startswith("broken: ") and str(tmp_path) in done.stderr
    skiff.run("rm", "-f", "broken", "whole")


def test_unit_names_what_is_installed(skiff):
    prefix = skiff.program.parent.parent
    text = (prefix / "lib/systemd/system/skiff.service").read_text()
    assert f"ExecStart={prefix}/bin/skiff system start\n" in text
    assert f"ExecStop={prefix}/bin/skiff system stop\n" in text
    subprocess.run([f"{prefix}/bin/skiff", "system", "start", "--help"], check=True,
                   stdout=subprocess.DEVNULL)
