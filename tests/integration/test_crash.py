# SPDX-License-Identifier: Apache-2.0
"""Issue point 6: any of our processes may be killed at any instant, and commands still tell the
truth and work."""

import fcntl
import glob
import os
import random
import re
import shutil
import signal
import subprocess
import threading

import pytest

from helpers import processes
from helpers.features import cgroup_mounts
from helpers.waiting import wait_until


# System call numbers, as /proc/PID/syscall has them.
RECEIVING_CALLS, FLOCK_CALL = {
    "x86_64": (("45", "47"), "73"),
    "aarch64": (("207", "212"), "32"),
}[os.uname().machine]


def kill(*pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    wait_until(lambda: not any(processes.is_alive(pid) for pid in pids), what=f"{pids} live on")


def is_listed_as_running(skiff, name):
    return name in skiff.run("ps", "--format", "{{.Names}}").stdout.split()


def start(skiff, *args, name="box"):
    """A running container: (pid of its first process, pid of its monitor)."""
    skiff.start("--name", name, *args)
    pid = skiff.pid(name)
    return pid, processes.parent(pid)


def assert_usable(skiff, name="box"):
    """The container that a crash left behind can be started, used, stopped and removed."""
    skiff.run("start", name)
    assert is_listed_as_running(skiff, name)
    assert skiff.run("exec", name, "echo", "alive").stdout == "alive\n"
    skiff.run("stop", "-t", "0", name)
    assert not is_listed_as_running(skiff, name)
    skiff.run("rm", name)
    assert skiff.containers() == []


# ---- the monitor ----

def test_monitor_killed_container_goes_on(skiff):
    pid, monitor = start(skiff)
    kill(monitor)

    assert processes.is_alive(pid)
    assert is_listed_as_running(skiff, "box"), "it runs, so ps must list it"
    assert "(monitor lost)" in skiff.run("ps").stdout
    assert skiff.inspect("box")["State"]["Running"] is True
    assert skiff.run("exec", "box", "echo", "in").stdout == "in\n"
    assert "sleep" in skiff.run("top", "box").stdout

    skiff.run("stop", "-t", "0", "box")
    assert not processes.is_alive(pid)
    assert not is_listed_as_running(skiff, "box")
    assert_usable(skiff)


@pytest.mark.parametrize("command", [["kill", "box"], ["rm", "-f", "box"]], ids=["kill", "rm"])
def test_monitor_killed_then(skiff, command):
    pid, monitor = start(skiff)
    kill(monitor)
    skiff.run(*command)
    wait_until(lambda: not processes.is_alive(pid), what="the container's process lives on")
    if command[0] == "rm":
        assert skiff.containers() == []


def test_monitor_killed_then_container_ends(skiff):
    pid, monitor = start(skiff)
    kill(monitor)
    kill(pid)
    assert not is_listed_as_running(skiff, "box")
    state = skiff.inspect("box")["State"]
    assert state["Running"] is False
    assert state["ExitCode"] != 0, "nobody knows how it ended; it must not look like success"
    assert_usable(skiff)


def test_monitor_killed_with_client_attached(skiff):
    client = skiff.popen("run", "--name", "box", "busybox", "sh", "-c", "echo up; exec sleep 1000")
    assert client.stdout.readline() == b"up\n"
    pid = skiff.pid("box")
    kill(processes.parent(pid))
    client.communicate(timeout=60)
    assert client.returncode == 125, "the exit code is lost, and the client says so"
    assert is_listed_as_running(skiff, "box")
    skiff.run("rm", "-f", "box")
    assert not processes.is_alive(pid)


def test_start_of_an_orphan_is_refused(skiff):
    """It runs already: a second copy on the same files would destroy them."""
    _, monitor = start(skiff)
    kill(monitor)
    before = skiff.pid("box")
    skiff.run("start", "box", check=False)
    assert skiff.pid("box") == before


def test_monitor_of_rm_container_killed(skiff):
    pid, monitor = start(skiff, "--rm")
    kill(monitor)
    kill(pid)
    skiff.run("prune", "-f")
    assert skiff.containers() == []
    assert not skiff.leftovers()


# ---- the client ----

@pytest.mark.parametrize("more", [[], ["-i"], ["--rm"]], ids=["plain", "stdin", "rm"])
def test_client_killed_container_goes_on(skiff, more):
    client = skiff.popen("run", "--name", "box", *more, "busybox", "sh", "-c",
                         "echo up; exec sleep 1000")
    assert client.stdout.readline() == b"up\n"
    pid = skiff.pid("box")
    client.kill()
    client.wait()
    assert processes.is_alive(pid)
    assert is_listed_as_running(skiff, "box")
    skiff.run("stop", "-t", "0", "box")
    if "--rm" in more:
        wait_until(lambda: skiff.containers() == [], what="--rm was forgotten with the client")
        assert not skiff.leftovers()
    else:
        assert_usable(skiff)


def test_terminal_client_killed(skiff):
    """The terminal is restored even then, and the shell inside lives on."""
    shell = skiff.spawn("run", "-it", "--name", "box", "busybox", "sh")
    shell.expect("# ")
    pid = skiff.pid("box")
    shell.kill(signal.SIGKILL)
    wait_until(lambda: not shell.isalive(), what="the client lives on")
    assert processes.is_alive(pid)
    assert is_listed_as_running(skiff, "box")
    again = skiff.spawn("attach", "box")
    again.sendline("echo still-$((40 + 2))")
    again.expect("still-42")
    skiff.run("rm", "-f", "box")


def test_exec_client_killed(skiff):
    start(skiff)
    client = skiff.popen("exec", "box", "sh", "-c", "echo up; exec sleep 500")
    assert client.stdout.readline() == b"up\n"
    client.kill()
    client.wait()
    assert is_listed_as_running(skiff, "box")
    skiff.run("stop", "-t", "0", "box")
    assert_usable(skiff)


def test_stop_client_killed(skiff):
    skiff.start("--name", "box", command=("sh", "-c", "trap '' TERM; sleep 1000 & wait; sleep 1000"))
    stop = skiff.popen("stop", "-t", "100", "box")
    wait_until(lambda: stop.poll() is None and processes.open_files(stop.pid), what="no stop")
    stop.kill()
    stop.wait()
    skiff.run("stop", "-t", "0", "box")
    assert_usable(skiff)


# ---- the container ----

def test_container_killed(skiff):
    pid, monitor = start(skiff)
    kill(pid)
    assert skiff.run("wait", "box").stdout == "137\n"
    wait_until(lambda: not processes.is_alive(monitor), what="the monitor lives on")
    assert skiff.inspect("box")["State"]["ExitCode"] == 137
    assert_usable(skiff)


# ---- all of them ----

def everything(skiff, name):
    pid = skiff.pid(name)
    return [processes.parent(pid), pid, *processes.children(pid)]


def test_all_killed_at_once(skiff):
    skiff.start("--name", "box", command=("sh", "-c", "sleep 1000 & sleep 1000 & wait"))
    kill(*everything(skiff, "box"))
    assert not is_listed_as_running(skiff, "box")
    assert "box" in skiff.run("ps", "-a", "--format", "{{.Names}}").stdout.split()
    assert skiff.inspect("box")["State"]["ExitCode"] != 0
    assert_usable(skiff)


def test_reboot(skiff):
    """Everything is dead and /run is empty; the database knows nothing of it."""
    skiff.start("--name", "box", "-v", "data:/data")
    skiff.run("exec", "box", "touch", "/data/kept", "/kept")
    skiff.run("run", "-d", "--rm", "--name", "gone", "busybox", "sleep", "1000")
    kill(*everything(skiff, "box"), *everything(skiff, "gone"))
    shutil.rmtree(skiff.state)
    for mount in cgroup_mounts():
        for path in glob.glob(f"{mount}/skiff-*"):
            if os.path.basename(path)[len("skiff-"):] in os.listdir(skiff.root / "containers"):
                os.rmdir(path)

    assert skiff.run("ps", "-q").stdout == ""
    assert "box" in skiff.run("ps", "-a", "--format", "{{.Names}}").stdout.split()
    skiff.run("start", "box")
    assert skiff.run("exec", "box", "ls", "/data/kept", "/kept").code == 0
    skiff.run("rm", "-f", "box")
    skiff.run("prune", "-f")
    assert skiff.containers() == []


def test_pid_given_to_another(skiff):
    """A process that has the recorded pid but another start time is not the container's."""
    skiff.start("--name", "box")
    state_file = skiff.state / "containers" / skiff.full_id("box") / "state.json"
    text = state_file.read_text()
    kill(*everything(skiff, "box"))
    pid = str(os.getpid())
    state_file.write_text(re.sub(r'("pid"\s*:\s*)\d+', rf"\g<1>{pid}", text))

    assert not is_listed_as_running(skiff, "box")
    skiff.run("stop", "-t", "0", "box", check=False)
    skiff.run("kill", "box", check=False)
    skiff.run("rm", "-f", "box")
    assert skiff.containers() == []  # and we are still alive to say so


# ---- at each stage ----

def kill_after(process, seconds):
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    return timer


@pytest.mark.parametrize("command", [
    ["run", "--rm", "busybox", "true"],
    ["run", "-d", "busybox", "sleep", "1000"],
    ["create", "busybox", "true"],
], ids=["run", "detached", "create"])
def test_client_killed_at_any_moment(skiff, command):
    """Twenty deaths spread over the life of the command; afterwards one prune sets it right."""
    chance = random.Random(7)
    for _ in range(20):
        client = skiff.popen(*command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        timer = kill_after(client, chance.uniform(0, 0.03))
        client.wait(timeout=60)
        timer.cancel()
        skiff.run("ps", "-a")
    for container in skiff.containers():
        removed = skiff.run("rm", "-f", container, check=False)
        assert removed.code == 0 or "No such container" in removed.stderr, removed
    skiff.run("prune", "-f")
    assert skiff.containers() == []
    wait_until(lambda: not skiff.leftovers(), what=lambda: f"left: {skiff.leftovers()}")
    assert skiff.run("run", "--rm", "busybox", "echo", "fine").stdout == "fine\n"


def waits_for_message(pid):
    """Whether it sleeps in a receiving system call: recvfrom(2) or recvmsg(2)."""
    return processes.read(pid, "syscall").split(" ")[0] in RECEIVING_CALLS


def waits_for_lock(pid):
    return processes.read(pid, "syscall").split(" ")[0] == FLOCK_CALL


def child_named(pid, name):
    found = [child for child in processes.children(pid)
             if processes.read(child, "comm").strip() == name]
    return found[0] if found else None


def test_starter_killed_before_its_monitor_has_read(skiff):
    """What was said to a monitor will be done, however late; nobody may take away its files."""
    skiff.run("create", "--name", "box", "busybox", "sleep", "1000")
    identity = skiff.full_id("box")
    directory = os.open(skiff.root / "containers" / identity, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    starter = skiff.popen("start", "box", stdin=subprocess.DEVNULL)
    monitor = wait_until(lambda: child_named(starter.pid, "skiff-monitor"), what="no monitor")
    os.kill(monitor, signal.SIGSTOP)
    os.close(directory)  # from here on the start goes as far as it comes without its monitor
    wait_until(lambda: (skiff.state / "containers" / identity).is_dir() and
               waits_for_message(starter.pid), what="nothing was said to the monitor")
    starter.kill()
    starter.communicate()

    remover = skiff.popen("rm", "-f", "box")
    wait_until(lambda: remover.poll() is not None or waits_for_lock(remover.pid),
               what="rm neither waits nor ends")
    assert remover.poll() is None, "files were removed that the monitor is about to use"
    os.kill(monitor, signal.SIGCONT)
    remover.communicate(timeout=60)
    assert remover.returncode == 0
    wait_until(lambda: not processes.is_alive(monitor), what="the container runs without a record")
    assert skiff.containers() == []
    assert not skiff.leftovers()


def test_load_killed_at_any_moment(empty_skiff, busybox):
    chance = random.Random(11)
    for _ in range(15):
        client = empty_skiff.popen("load", "-i", busybox, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        timer = kill_after(client, chance.uniform(0, 0.05))
        client.wait(timeout=60)
        timer.cancel()
        empty_skiff.run("images")
    empty_skiff.load(busybox)
    assert empty_skiff.run("run", "--rm", "busybox", "echo", "fine").stdout == "fine\n"
    empty_skiff.run("prune", "-f")
    wait_until(lambda: not empty_skiff.leftovers(), what=lambda: f"{empty_skiff.leftovers()}")


def test_remove_killed_at_any_moment(skiff):
    chance = random.Random(13)
    for number in range(12):
        skiff.start("--name", f"c{number}")
        client = skiff.popen("rm", "-f", f"c{number}", stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        timer = kill_after(client, chance.uniform(0, 0.02))
        client.wait(timeout=60)
        timer.cancel()
        skiff.run("ps", "-a")
    for container in skiff.containers():
        skiff.run("rm", "-f", container)
    skiff.run("prune", "-f")
    assert not skiff.leftovers()


# ---- prune ----

def test_prune_removes_what_a_crash_left(skiff):
    skiff.run("run", "--name", "stopped", "busybox", "true")
    skiff.start("--name", "running")
    junk = ["0" * 64, "f" * 64]
    for name in junk:
        (skiff.root / "containers" / name / "upper").mkdir(parents=True)
        (skiff.state / "containers" / name).mkdir(parents=True)
    (skiff.root / "staging").mkdir(exist_ok=True)
    (skiff.root / "staging" / "left-by-a-crash").mkdir()

    skiff.run("prune", "-f")
    names = skiff.run("ps", "-a", "--format", "{{.Names}}").stdout.split()
    assert names == ["running"]
    left = [path for path in skiff.leftovers() if skiff.full_id("running") not in path]
    assert not left
    assert is_listed_as_running(skiff, "running")
