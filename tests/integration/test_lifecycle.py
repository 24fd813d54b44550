# SPDX-License-Identifier: Apache-2.0
"""Issue points 1, 5 and 6: create, start, stop, kill, pause, wait, rename, rm, prune, and all of
them at once."""

import os
import re
import signal
import subprocess
import time

import pytest

from helpers import processes
from helpers.custom_image import CustomImage
from helpers.features import cgroup_v2_mount, has_controller, require
from helpers.waiting import wait_until

# Ends with 40 + the number of the signal it got.
TRAPS = "; ".join(f"trap 'exit {40 + number}' {number}" for number in (1, 2, 3, 10, 15))
LISTENS = ("sh", "-c", f"{TRAPS}; echo ready; while :; do sleep 0.05; done")

CAN_FREEZE = cgroup_v2_mount() or has_controller("freezer")


def listening(skiff, *args, image="busybox"):
    container = skiff.start(*args, image=image, command=LISTENS)
    skiff.wait_for_output(container, "ready")
    return container


def all_at_once(skiff, count, *args):
    """Starts the command `count` times; their exit codes and standard errors."""
    running = [skiff.popen(*args, stdin=subprocess.DEVNULL) for _ in range(count)]
    ended = [(process.communicate(timeout=60)[1].decode(), process.returncode)
             for process in running]
    return [code for _, code in ended], [text for text, _ in ended]


# ---- create and start ----

@pytest.mark.core
def test_id_and_generated_name(skiff):
    container = skiff.run("create", "busybox").stdout.strip()
    assert re.fullmatch("[0-9a-f]{64}", container)
    facts = skiff.inspect(container)
    assert re.fullmatch("/[a-z]+_[a-z]+[0-9]*", facts["Name"])
    assert facts["State"]["Status"] == "created"
    assert facts["Config"]["Hostname"] == container[:12]


def test_created_container_runs_as_it_was_created(skiff):
    skiff.run("create", "--name", "box", "-e", "A=1", "busybox", "sh", "-c", "echo $A; exit 4")
    assert skiff.run("start", "-a", "box", check=False).code == 4
    assert skiff.run("logs", "box").stdout == "1\n"
    assert skiff.run("start", "-a", "box", check=False).stdout == "1\n"


def test_what_was_written_stays_until_rm(skiff):
    skiff.run("run", "--name", "box", "busybox", "sh", "-c", "echo x >> /file; wc -l < /file")
    assert skiff.run("start", "-a", "box").stdout == "2\n"


def test_start_needs_no_image(skiff):
    skiff.run("create", "--name", "box", "busybox", "echo", "still here")
    skiff.run("rmi", "-f", "busybox")
    assert skiff.run("start", "-a", "box").stdout == "still here\n"


@pytest.mark.parametrize("command, code", [("no-such-program", 127), ("/etc/passwd", 126),
                                           ("/etc", 126)])
def test_start_that_failed_is_remembered(skiff, command, code):
    result = skiff.fails("run", "--name", "box", "busybox", command, code=code)
    assert command in result.stderr
    state = skiff.inspect("box")["State"]
    assert state["Status"] == "created" and state["ExitCode"] == code
    assert command in state["Error"]
    assert state["StartedAt"] == state["FinishedAt"] == "0001-01-01T00:00:00Z"


def test_second_start_does_not_start_again(skiff):
    skiff.start("--name", "box")
    pid = skiff.pid("box")
    codes, _ = all_at_once(skiff, 4, "start", "box")
    assert codes == [0] * 4 and skiff.pid("box") == pid


def test_many_starts_of_one_container_make_one_process(skiff):
    skiff.run("create", "--name", "box", "busybox", "sleep", "1000")
    codes, errors = all_at_once(skiff, 6, "start", "box")
    assert codes == [0] * 6, errors
    assert skiff.status("box") == "running"


def test_same_name_at_once_is_given_once(skiff):
    codes, errors = all_at_once(skiff, 6, "create", "--name", "box", "busybox")
    assert sorted(codes) == [0] + [1] * 5 or sorted(codes) == [0] + [125] * 5
    assert sum("already in use by container" in text for text in errors) == 5
    assert len(skiff.containers()) == 1
    assert len(os.listdir(skiff.root / "containers")) == 1


@pytest.mark.parametrize("name", ["a", "-x", ".x", "a b", "a/b", "x\ny", "ü1", "x" * 300])
def test_names_that_are_refused(skiff, name):
    skiff.fails("create", f"--name={name}", "busybox")
    assert skiff.containers() == []


def test_prefix_of_an_id_must_be_unique(skiff):
    made = [skiff.run("create", "busybox").stdout.strip() for _ in range(17)]
    first = [container[0] for container in made]
    digit = next(digit for digit in first if first.count(digit) > 1)
    result = skiff.fails("inspect", digit, code=1)
    for container in made:
        assert (container[:12] in result.stderr) == (container[0] == digit)
    assert skiff.full_id(made[0][:20]) == made[0]


# ---- stop and kill ----

@pytest.mark.core
def test_stop_sends_the_signal_and_returns_when_it_is_gone(skiff):
    listening(skiff, "--name", "box")
    pid, monitor = skiff.pid("box"), skiff.monitor_pid("box")
    assert skiff.run("stop", "box").stdout == "box\n"
    assert not processes.is_alive(pid)
    # It has let go of the container and is on its last lines.
    wait_until(lambda: not processes.is_alive(monitor), what="the monitor lives on")
    state = skiff.inspect("box")["State"]
    assert state["Status"] == "exited" and state["ExitCode"] == 55 and state["Pid"] == 0


@pytest.mark.parametrize("options, signal_number", [
    (("--stop-signal", "SIGHUP"), 1), (("--stop-signal", "2"), 2), (("--stop-signal", "usr1"), 10)])
def test_stop_signal_of_the_container(skiff, options, signal_number):
    listening(skiff, "--name", "box", *options)
    skiff.run("stop", "box")
    assert skiff.inspect("box")["State"]["ExitCode"] == 40 + signal_number


def test_stop_signal_of_the_image_and_of_the_command_line(skiff):
    image = CustomImage({"StopSignal": "SIGQUIT", "Cmd": list(LISTENS)}).load(skiff)
    listening(skiff, "--name", "box", image=image)
    skiff.run("stop", "box")
    assert skiff.inspect("box")["State"]["ExitCode"] == 43
    skiff.run("start", "box")
    wait_until(lambda: skiff.run("logs", "box").stdout.count("ready") == 2)
    skiff.run("stop", "-s", "HUP", "box")
    assert skiff.inspect("box")["State"]["ExitCode"] == 41


def test_stop_kills_after_its_time(skiff):
    # PID 1 without a handler ignores the signal.
    skiff.start("--name", "box", "--stop-timeout", "1000")
    begin = time.monotonic()
    skiff.run("stop", "-t", "1", "box")
    assert time.monotonic() - begin > 0.9
    assert skiff.inspect("box")["State"]["ExitCode"] == 137


def test_stop_timeout_of_the_container(skiff):
    skiff.start("--name", "box", "--stop-timeout", "0")

    def stops_sooner_than_by_default():
        begin = time.monotonic()
        skiff.run("stop", "box")
        took = time.monotonic() - begin
        skiff.run("start", "box")
        return took < 9

    # Ten seconds is the default; a loaded machine may need as long for nothing at all, once.
    assert any(stops_sooner_than_by_default() for _ in range(4))


def test_stop_of_what_does_not_run_is_success(skiff):
    skiff.run("create", "--name", "box", "busybox")
    assert skiff.run("stop", "box").stdout == "box\n"
    skiff.run("start", "box")
    skiff.run("wait", "box")
    assert skiff.run("stop", "box").stdout == "box\n"


def test_several_stops_at_once(skiff):
    skiff.start("--name", "box")
    codes, errors = all_at_once(skiff, 4, "stop", "-t", "1", "box")
    assert codes == [0] * 4, errors
    assert skiff.status("box") == "exited"


def test_stop_and_rm_at_once(skiff):
    skiff.start("--name", "box")
    stopping = skiff.popen("stop", "-t", "60", "box")
    wait_until(lambda: processes.command_line(stopping.pid))
    skiff.run("rm", "-f", "box")
    assert stopping.wait(timeout=60) == 0
    assert skiff.containers() == []


@pytest.mark.parametrize("name, number", [("HUP", 1), ("SIGINT", 2), ("sigquit", 3), ("10", 10)])
def test_kill_sends_any_signal(skiff, name, number):
    listening(skiff, "--name", "box")
    assert skiff.run("kill", "-s", name, "box").stdout == "box\n"
    assert skiff.run("wait", "box").stdout == f"{40 + number}\n"


def test_kill_returns_when_it_is_dead(skiff):
    skiff.start("--name", "box")
    pid = skiff.pid("box")
    skiff.run("kill", "box")
    assert not processes.is_alive(pid)
    assert skiff.inspect("box")["State"]["ExitCode"] == 137


@pytest.mark.parametrize("name", ["NOSUCH", "0", "65", "-9", ""])
def test_kill_refuses_what_is_no_signal(skiff, name):
    skiff.start("--name", "box")
    if name:
        assert "invalid signal" in skiff.fails("kill", f"--signal={name}", "box", code=1).stderr
    assert skiff.status("box") == "running"


def test_kill_of_what_does_not_run(skiff):
    container = skiff.run("create", "--name", "box", "busybox").stdout.strip()
    result = skiff.fails("kill", "box", code=1)
    assert f"container {container} is not running" in result.stderr


def test_restart_makes_a_new_process(skiff):
    listening(skiff, "--name", "box")
    pid = skiff.pid("box")
    assert skiff.run("restart", "box").stdout == "box\n"
    assert skiff.pid("box") not in (0, pid) and not processes.is_alive(pid)
    skiff.run("stop", "-t", "0", "box")
    skiff.run("restart", "box")
    assert skiff.status("box") == "running"


# ---- pause ----

def cpu_ticks(pid):
    return processes.read(pid, "stat").rsplit(")", 1)[-1].split()[11:13]


def test_pause_freezes(skiff):
    require(CAN_FREEZE, "a freezer")
    skiff.start("--name", "box", command=("sh", "-c", "while :; do :; done"))
    assert skiff.run("pause", "box").stdout == "box\n"
    state = skiff.inspect("box")["State"]
    assert state["Status"] == "paused" and state["Paused"] and state["Running"]
    before = cpu_ticks(state["Pid"])
    for _ in range(5):  # time for it to use some
        assert "(Paused)" in skiff.run("ps").stdout
    assert cpu_ticks(state["Pid"]) == before
    assert "already paused" in skiff.fails("pause", "box", code=1).stderr
    assert "is paused" in skiff.fails("exec", "box", "true").stderr
    assert "paused" in skiff.fails("rm", "box", code=1).stderr
    skiff.run("unpause", "box")
    assert "is not paused" in skiff.fails("unpause", "box", code=1).stderr
    assert skiff.status("box") == "running"


@pytest.mark.parametrize("command, code", [
    (("stop", "-t", "5"), 55), (("kill",), 137), (("rm", "-f"), None), (("kill", "-s", "TERM"), 55)])
def test_paused_container_can_be_ended(skiff, command, code):
    require(CAN_FREEZE, "a freezer")
    container = listening(skiff, "--name", "box")
    skiff.run("pause", "box")
    skiff.run(*command, "box")
    if code is None:
        assert skiff.containers() == []
        return
    skiff.run("wait", container)
    assert skiff.inspect("box")["State"]["ExitCode"] == code
    assert skiff.status("box") == "exited"


def test_pause_of_what_does_not_run(skiff):
    skiff.run("create", "--name", "box", "busybox")
    assert "is not running" in skiff.fails("pause", "box", code=1).stderr


# ---- wait, rename ----

def test_wait_gives_the_code_before_and_after_the_end(skiff):
    skiff.start("--name", "box", command=("sh", "-c", "sleep 0.3; exit 9"))
    assert skiff.run("wait", "box").stdout == "9\n"
    skiff.run("run", "--name", "later", "busybox", "sh", "-c", "exit 11", check=False)
    assert skiff.run("wait", "later").stdout == "11\n"


def test_wait_for_one_that_is_removed_at_its_end(skiff):
    skiff.start("--rm", "--name", "box", command=LISTENS)
    waiting = skiff.popen("wait", "box")
    wait_until(lambda: processes.read(waiting.pid, "wchan"))
    skiff.wait_for_output("box", "ready")
    skiff.run("kill", "-s", "INT", "box")
    assert waiting.communicate(timeout=60)[0] == b"42\n"
    wait_until(lambda: skiff.containers() == [])


def test_rename(skiff):
    skiff.start("--name", "box")
    skiff.run("create", "--name", "other", "busybox")
    container = skiff.full_id("box")
    assert "already in use" in skiff.fails("rename", "box", "other", code=1).stderr
    assert "same name" in skiff.fails("rename", "box", "box", code=1).stderr
    assert "Invalid container name" in skiff.fails("rename", "box", "no/good", code=1).stderr
    skiff.run("rename", "box", "/new")
    assert skiff.full_id("new") == container
    assert "No such container: box" in skiff.fails("stop", "box", code=1).stderr


# ---- rm and prune ----

def test_rm_refuses_a_running_container(skiff):
    skiff.start("--name", "box")
    result = skiff.fails("rm", "box", code=1)
    assert 'cannot remove container "/box": container is running' in result.stderr
    assert skiff.status("box") == "running"


def test_rm_force_at_once(skiff):
    skiff.start("--name", "box")
    codes, errors = all_at_once(skiff, 4, "rm", "-f", "box")
    assert codes == [0] * 4 or all("No such container" in text for text in errors if text)
    assert skiff.containers() == [] and skiff.leftovers() == []


def test_rm_while_it_starts(skiff):
    for attempt in range(8):
        skiff.run("create", "--name", f"box{attempt}", "busybox", "sleep", "1000")
        starting = skiff.popen("start", f"box{attempt}")
        skiff.run("rm", "-f", f"box{attempt}")
        starting.wait(timeout=60)
        skiff.run("rm", "-f", f"box{attempt}", check=False)
    assert skiff.containers() == [] and skiff.leftovers() == []


def volumes(skiff):
    return sorted(os.listdir(skiff.root / "volumes"))


def test_anonymous_volumes(skiff):
    image = CustomImage({"Volumes": {"/from-image": {}}}).load(skiff)
    arguments = ("-v", "/anonymous", "-v", "named:/named")
    skiff.run("run", "--name", "kept", *arguments, image, "true")
    assert len(volumes(skiff)) == 3
    skiff.run("rm", "kept")
    assert len(volumes(skiff)) == 3  # as docker: without -v they stay
    skiff.run("run", "--name", "removed", *arguments, image, "true")
    assert len(volumes(skiff)) == 5
    skiff.run("rm", "-v", "removed")
    assert len(volumes(skiff)) == 3
    skiff.run("run", "--rm", *arguments, image, "true")
    assert len(volumes(skiff)) == 3 and "named" in volumes(skiff)


def test_failed_create_leaves_no_volume(skiff):
    skiff.run("create", "--name", "box", "busybox")
    skiff.fails("create", "--name", "box", "-v", "/anonymous", "busybox")
    assert volumes(skiff) == []


def test_prune_takes_what_is_stopped_and_nothing_else(skiff):
    skiff.start("--name", "running")
    skiff.run("create", "--name", "created", "busybox")
    skiff.run("run", "--name", "exited", "busybox", "true")
    stopped = {skiff.full_id("created"), skiff.full_id("exited")}
    result = skiff.run("prune", "-f").stdout
    assert stopped == set(re.findall("[0-9a-f]{64}", result))
    assert skiff.containers() == [skiff.full_id("running")]


def test_dead_containers_cgroup_goes_with_it(skiff):
    """The monitor and PID 1 die at once, so nobody removed the cgroup: rm does."""
    container = skiff.start("--name", "box")
    pid, monitor = skiff.pid("box"), skiff.monitor_pid("box")
    os.kill(monitor, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not processes.is_alive(pid))
    assert skiff.status("box") == "dead"
    skiff.run("rm", "box")
    for base, directories, _ in os.walk("/sys/fs/cgroup"):
        assert f"skiff-{container}" not in directories, base


# ---- bad values: one line, docker's code, nothing left ----

@pytest.mark.parametrize("options, words", [
    (("-u", "4294967296"), "uids and gids must be in range"),
    (("-u", "-1"), "uids and gids must be in range"),
    (("-u", "a:b:c"), "invalid user"),
    (("-w", "relative"), "needs to be an absolute path"),
    (("-h", "bad name"), "invalid hostname format"),
    (("-h", "x" * 65), "invalid hostname format"),
    (("-m", "1k"), "Minimum memory limit allowed is 6MB"),
    (("-m", "10m", "--memory-swap", "9m"), "larger than memory limit"),
    (("--cpus", "0.001"), "range of CPUs"),
    (("--pids-limit", "-2"), "--pids-limit"),
    (("--cap-add", "NOPE"), "unknown capability"),
    (("--security-opt", "magic"), "invalid --security-opt"),
    (("--security-opt", "apparmor=mine"), "AppArmor is not supported"),
    (("--device", "nope"), "invalid device specification"),
    (("--device", "/dev/no-such"), "/dev/no-such"),
    (("--ulimit", "x=1"), "invalid ulimit type"),
    (("--ulimit", "nofile=2:1"), "less than or equal to hard limit"),
    (("--sysctl", "kernel.panic=1"), "is not allowed"),
    (("--sysctl", "net..x=1"), "is not allowed"),
    (("--add-host", "x"), "bad format for add-host"),
    (("--network", "mine"), "network mine not found"),
    (("--network", "none", "--network", "host"), "conflicting options"),
    (("-p", "99999"), "invalid containerPort: 99999"),
    (("-p", "80:80/icmp"), "invalid proto: icmp"),
    (("-p", "1.2.3:80:80"), "invalid IP address: 1.2.3"),
    (("-p", "80-82:90-95"), "invalid ranges specified"),
    (("--expose", "80:80"), "--expose"),
    (("--network", "container:nobody"), "No such container"),
    (("--stop-signal", "NOPE"), "invalid signal"),
    (("--log-driver", "splunk"), "no log driver named 'splunk'"),
    (("--log-opt", "colour=x"), "unknown log opt 'colour'"),
    (("-v", "a:b:c:d"), "invalid volume specification"),
    (("-v", "/x:/"), "destination can't be '/'"),
    (("-v", "/tmp:/a", "-v", "/tmp:/a"), "Duplicate mount point"),
    (("--mount", "type=bind,src=/no/such,dst=/x"), "bind source path does not exist"),
    (("--tmpfs", "/x:bogus"), "invalid tmpfs option"),
    (("--entrypoint", ""), "no command specified"),
])
def test_bad_options(skiff, options, words):
    command = () if options[0] == "--entrypoint" else ("true",)
    result = skiff.fails("run", "--rm", *options, "busybox", *command, code=125)
    assert words in result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert skiff.containers() == [] and skiff.leftovers() == [] and volumes(skiff) == []


def test_argument_that_is_no_utf8(skiff):
    result = skiff.fails("run", "--rm", "busybox", b"echo\xff".decode(errors="surrogateescape"),
                         code=125)
    assert "UTF-8" in result.stderr


@pytest.mark.parametrize("config, words", [
    ({"User": "4294967296"}, "range"), ({"User": "-1"}, "range"), ({"User": "0x0"}, None),
    ({"WorkingDir": "relative"}, "absolute path"), ({"WorkingDir": "/a\nb"}, "working directory"),
    ({"StopSignal": "NOPE"}, "invalid signal"), ({"Volumes": {"/": {}}}, "volume"),
])
def test_absurd_image_configuration(skiff, config, words):
    image = CustomImage(config).load(skiff)
    result = skiff.run("run", "--rm", image, "true", check=False)
    assert result.code != 0 and result.stderr.count("\n") == 1, result
    assert words is None or words in result.stderr, result
    assert skiff.containers() == [] and skiff.leftovers() == []


# ---- naming containers without their names ----

def names_of(skiff, *options):
    return sorted(skiff.run("ps", "--format", "{{.Names}}", *options).stdout.split())


def test_all_of_a_kind(skiff):
    for name in ("one", "two"):
        skiff.start("--name", name, "--stop-timeout", "0")
    skiff.run("create", "--name", "made", "busybox", "sleep", "1000")
    assert sorted(skiff.run("pause", "--all").stdout.split()) == ["one", "two"]
    assert sorted(skiff.run("unpause", "-a").stdout.split()) == ["one", "two"]
    assert sorted(skiff.run("stop", "--all").stdout.split()) == ["one", "two"]
    assert names_of(skiff) == []
    assert sorted(skiff.run("start", "--all").stdout.split()) == ["made", "one", "two"]
    assert sorted(skiff.run("kill", "-a").stdout.split()) == ["made", "one", "two"]
    assert sorted(skiff.run("rm", "--all").stdout.split()) == ["made", "one", "two"]
    assert skiff.containers() == []
    assert skiff.run("stop", "--all").stdout == ""


def test_by_filter_and_latest(skiff):
    for name in ("web-1", "web-2", "db"):
        skiff.start("--name", name, "-l", f"kind={name[:2]}", "--stop-timeout", "0")
    assert sorted(skiff.run("stop", "-f", "label=kind=we").stdout.split()) == ["web-1", "web-2"]
    assert names_of(skiff) == ["db"]
    assert skiff.run("restart", "-t", "0", "--latest").stdout == "db\n"
    assert sorted(skiff.run("rm", "--filter", "name=web").stdout.split()) == ["web-1", "web-2"]
    assert skiff.run("rm", "-f", "--latest").stdout == "db\n"


def test_letters_of_selection(skiff):
    for name in ("one", "two"):
        skiff.run("create", "--name", name, "busybox", "true")
    assert skiff.run("start", "-l").stdout == "two\n"
    assert skiff.run("start", "-f", "name=one").stdout == "one\n"
    skiff.run("wait", "one", "two")
    assert skiff.run("rm", "-l").stdout == "two\n"
    assert skiff.run("rm", "-a").stdout == "one\n"


def test_selection_refuses(skiff):
    assert "requires at least 1 argument" in skiff.fails("stop").stderr
    assert "cannot be used together" in skiff.fails("stop", "--all", "box").stderr
    assert skiff.fails("rm", "--filter", "nonsense=1").stderr


# ---- wait --condition ----

def test_wait_conditions_that_are_true(skiff):
    skiff.run("create", "--name", "box", "busybox", "sleep", "1000")
    assert skiff.run("wait", "--condition", "created", "box").stdout == "0\n"
    skiff.run("start", "box")
    assert skiff.run("wait", "--condition", "running", "box").stdout == "0\n"
    skiff.run("pause", "box")
    assert skiff.run("wait", "--condition", "healthy", "--condition", "paused", "box").code == 0
    skiff.run("kill", "box")
    for condition in ("exited", "stopped", "not-running"):
        assert skiff.run("wait", "--condition", condition, "box").stdout == "137\n"


@pytest.mark.parametrize("condition, before, act, code", [
    ("running", [], ["start", "box"], "0"),
    ("paused", [["start", "box"]], ["pause", "box"], "0"),
    ("exited", [["start", "box"]], ["kill", "box"], "137"),
    ("next-exit", [["start", "box"]], ["kill", "box"], "137"),
    ("removed", [["start", "box"]], ["rm", "-f", "box"], "137"),
    ("removed", [], ["rm", "box"], "0"),
    ("healthy", [["start", "box"]], ["exec", "box", "touch", "/ok"], "0"),
])
def test_wait_conditions_that_come(skiff, condition, before, act, code):
    skiff.run("create", "--name", "box", "--health-cmd", "test -e /ok", "--health-interval", "50ms",
              "busybox", "sleep", "1000")
    for command in before:
        skiff.run(*command)
    waiter = skiff.popen("wait", "--condition", condition, "box")
    wait_until(lambda: processes.open_files(waiter.pid) and
               processes.read(waiter.pid, "syscall").split(" ")[0] in ("7", "271", "73"),
               what="it does not wait")  # poll(2), ppoll(2)
    assert waiter.poll() is None
    skiff.run(*act)
    out, _ = waiter.communicate(timeout=60)
    assert (waiter.returncode, out) == (0, f"{code}\n".encode())


def test_wait_next_exit_of_a_stopped_container(skiff):
    """The end that has been does not count."""
    skiff.run("run", "--name", "box", "busybox", "sh", "-c", "exit 3", check=False)
    waiter = skiff.popen("wait", "--condition", "next-exit", "box")
    wait_until(lambda: processes.read(waiter.pid, "syscall").split(" ")[0] in ("7", "271", "73"),
               what="it does not wait")
    skiff.run("start", "box")
    assert waiter.communicate(timeout=60)[0] == b"3\n"


def test_wait_refuses(skiff):
    done = skiff.run("wait", "--condition", "happy", "box", check=False)
    assert done.code != 0 and 'invalid condition: "happy"' in done.stderr
    assert skiff.run("wait", "--ignore", "absent").stdout == "-1\n"
