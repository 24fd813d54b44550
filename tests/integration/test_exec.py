# SPDX-License-Identifier: Apache-2.0
"""Issue point 7: exec enters a container the way nsenter does."""

import os
import signal
import subprocess

import pexpect
import pytest

from helpers import processes
from helpers.waiting import wait_until

NAMESPACES = ("pid", "mnt", "ipc", "uts", "cgroup", "net")


@pytest.fixture
def running(skiff):
    skiff.start("--name", "box", "-e", "FROM_RUN=1", "-e", "BOTH=run", "-w", "/home", "-u", "operator")
    return skiff


@pytest.mark.core
def test_output_and_code(running):
    done = running.run("exec", "box", "sh", "-c", "echo out; echo err >&2; exit 7", check=False)
    assert (done.stdout, done.stderr, done.code) == ("out\n", "err\n", 7)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_killed_by_a_signal(running, number):
    done = running.run("exec", "box", "sh", "-c", f"kill -{int(number)} $$", check=False)
    assert done.code == 128 + number


def test_every_namespace(running):
    script = "".join(f"readlink /proc/self/ns/{kind};" for kind in NAMESPACES)
    own = running.run("exec", "box", "sh", "-c", script).stdout.split()
    pid = running.pid("box")
    assert own == [processes.namespace(pid, kind) for kind in NAMESPACES]


def test_same_root(running):
    running.run("exec", "-u", "root", "box", "touch", "/made-by-exec")
    assert running.run("exec", "box", "ls", "/made-by-exec").stdout == "/made-by-exec\n"


def test_same_cgroup(running):
    client = running.popen("exec", "-i", "box", "cat")
    pid = running.pid("box")
    wait_until(lambda: len(running.run("top", "box").stdout.splitlines()) == 3, what="no cat in top")
    inside = [one for one in processes.pids()
              if processes.read(one, "cgroup") == processes.read(pid, "cgroup") and one != pid]
    assert [processes.command_line(one) for one in inside] == ["cat"]
    client.communicate(b"", timeout=60)
    assert client.returncode == 0


def test_ps_inside_shows_the_container(running):
    listing = running.run("exec", "box", "ps", "-o", "pid,args").stdout
    assert "1 sleep 1000" in listing
    assert "ps -o pid,args" in listing
    assert len(listing.splitlines()) == 3


# ---- environment, user, directory ----

def test_environment(running):
    env = running.run("exec", "-e", "NEW=2", "-e", "BOTH=exec", "box", "env").stdout.splitlines()
    assert "FROM_RUN=1" in env and "NEW=2" in env and "BOTH=exec" in env
    assert "BOTH=run" not in env
    assert not [line for line in env if line.startswith("SKIFF")]


def test_environment_is_the_running_process_s(skiff):
    """Not the image's or the record's: what PID 1 was started with."""
    skiff.start("--name", "box", "-e", "PATH=/bin:/usr/bin:/from-run")
    assert "PATH=/bin:/usr/bin:/from-run\n" in skiff.run("exec", "box", "env").stdout


def test_environment_from_the_caller_and_a_file(running):
    file = running.directory / "env"
    file.write_text("# comment\nA=from file\nSKIFF_TEST_CANARY\n\nB=\n")
    env = running.run("exec", "--env-file", file, "-e", "HOME", "box", "env").stdout
    assert "A=from file\n" in env and "B=\n" in env
    assert "SKIFF_TEST_CANARY=must-not-be-seen-inside\n" in env
    assert f"HOME={running.environment['HOME']}\n" in env


@pytest.mark.parametrize("user, expected", [
    (None, "uid=37(operator) gid=37(operator) groups=37(operator),6(disk),29(audio),100(users)"),
    ("root", "uid=0(root) gid=0(root)"),
    ("0:0", "uid=0(root) gid=0(root)"),
    ("operator:www-data", "uid=37(operator) gid=33(www-data)"),
    ("1234", "uid=1234 gid=0(root)"),
    ("1234:5678", "uid=1234 gid=5678"),
])
def test_user(running, user, expected):
    args = [] if user is None else ["-u", user]
    found = running.run("exec", *args, "box", "id").stdout.strip()
    head, _, groups = expected.partition(" groups=")
    assert found.startswith(head), found
    if groups:
        assert set(found.partition(" groups=")[2].split(",")) == set(groups.split(","))


def test_home_follows_the_user(running):
    assert running.run("exec", "-u", "root", "box", "sh", "-c", "echo $HOME").stdout == "/root\n"


def test_unknown_user(running):
    done = running.fails("exec", "-u", "nobody-knows", "box", "id", code=126)
    assert "nobody-knows" in done.stderr


def test_directory(running):
    assert running.run("exec", "box", "pwd").stdout == "/home\n"
    assert running.run("exec", "-w", "/tmp", "box", "pwd").stdout == "/tmp\n"


def test_missing_directory(running):
    done = running.fails("exec", "-w", "/no/such/directory", "box", "pwd", code=127)
    assert "/no/such/directory" in done.stderr


# ---- privileges ----

def capabilities(skiff, *args):
    text = skiff.run("exec", *args, "box", "cat", "/proc/self/status").stdout
    return {line.split(":")[0]: int(line.split()[1], 16) for line in text.splitlines()
            if line.startswith("Cap")}


def test_capabilities_are_the_containers(skiff):
    skiff.start("--name", "box", "--cap-drop", "ALL", "--cap-add", "CHOWN")
    found = capabilities(skiff)
    assert (found["CapEff"], found["CapBnd"], found["CapInh"]) == (1, 1, 0)


def test_privileged(skiff):
    skiff.start("--name", "box", "--cap-drop", "ALL")
    everything = int(processes.status_field("self", "CapBnd"), 16)
    assert capabilities(skiff, "--privileged")["CapEff"] == everything
    assert capabilities(skiff)["CapEff"] == 0


# ---- streams ----

def test_stdin(running):
    assert running.run("exec", "-i", "box", "cat", input="through\n").stdout == "through\n"
    assert running.run("exec", "box", "cat", input="not forwarded\n").stdout == ""


def test_large_output_is_whole(running):
    size = 5_000_000
    done = running.run("exec", "box", "head", "-c", str(size), "/dev/zero", text=False)
    assert len(done.stdout) == size


def test_large_input_is_whole(running):
    data = os.urandom(3_000_000)
    done = running.run("exec", "-i", "box", "cat", input=data, text=False)
    assert done.stdout == data


def test_detached(running):
    done = running.run("exec", "-d", "-u", "root", "box", "sh", "-c", "sleep 0.2; echo x >/done")
    assert done.stdout == ""
    wait_until(lambda: running.run("exec", "box", "cat", "/done", check=False).stdout == "x\n",
               what="the detached command did not finish")


@pytest.mark.core
def test_terminal(running):
    child = running.spawn("exec", "-it", "box", "sh", rows=33, columns=101)
    child.sendline("stty size; tty; echo code-$?")
    child.expect("33 101")
    child.expect(r"/dev/pts/\d+")
    child.expect("code-0")
    child.sendline("exit 9")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 9


def test_terminal_of_its_own(skiff):
    """Job control needs a controlling terminal that no other process has."""
    skiff.start("--name", "box", "-it", command=("sh",))
    child = skiff.spawn("exec", "-it", "box", "sh")
    child.sendline("ps -o pid,tty,args | grep '[s]h$' | cut -c1-40; echo end-$((1 + 1))")
    child.expect("end-2")
    child.sendline("sleep 999")
    wait_until(lambda: "sleep 999" in skiff.run("top", "box").stdout, what="no sleep")
    child.sendintr()
    child.sendline("echo back-$((2 + 2))")
    child.expect("back-4")
    child.sendline("exit")
    child.expect(pexpect.EOF)


def test_resize(running):
    child = running.spawn("exec", "-it", "box", "sh", rows=20, columns=70)
    child.sendline("stty size")
    child.expect("20 70")
    child.setwinsize(41, 121)

    def follows():
        child.sendline("stty size")
        return child.expect(["41 121", "20 70"]) == 0
    wait_until(follows, what="the size did not follow")


# ---- refusals: docker's codes and a clear line ----

def test_missing_command(running):
    done = running.fails("exec", "box", "no-such-command", code=127)
    assert "no-such-command" in done.stderr and len(done.stderr.splitlines()) == 1


def test_not_executable(running):
    done = running.fails("exec", "box", "/etc/passwd", code=126)
    assert "/etc/passwd" in done.stderr and len(done.stderr.splitlines()) == 1


def test_directory_as_command(running):
    running.fails("exec", "box", "/etc", code=126)


def test_no_such_container(skiff):
    done = skiff.fails("exec", "missing", "ls", code=1)
    assert "No such container: missing" in done.stderr


def test_stopped_container(skiff):
    skiff.run("run", "--name", "box", "busybox", "true")
    done = skiff.fails("exec", "box", "ls", code=1)
    assert "is not running" in done.stderr


def test_no_command(running):
    running.fails("exec", "box")


# ---- other ways in ----

def test_as_child(running):
    """A child of the container's PID 1, with its exit code all the same."""
    found = running.run("exec", "--as-child", "box", "sh", "-c", "echo $PPID; exit 5", check=False)
    assert (found.stdout, found.code) == ("1\n", 5)
    assert running.run("exec", "box", "sh", "-c", "echo $PPID").stdout == "0\n"


def test_as_child_killed(running):
    assert running.run("exec", "--as-child", "box", "sh", "-c", "kill -9 $$", check=False).code == 137


def test_chroot_only(running):
    """The container's files with the host's processes, network and host name."""
    done = running.run("exec", "--enter=chroot", "box", "cat", "/etc/os-release")
    assert "BusyBox" in done.stdout
    outside = running.run("exec", "--enter=chroot", "box", "hostname").stdout.strip()
    assert outside == os.uname().nodename


def test_chroot_only_finds_the_container_by_pid(running):
    """It sees /proc of the container's pid namespace, and runs in the host's."""
    client = running.popen("exec", "--enter=chroot", "-i", "box", "cat")
    wait_until(lambda: [pid for pid in processes.children(client.pid)
                        if processes.command_line(pid) == "cat"] or client.poll() is not None,
               what="no cat")
    pids = [pid for pid in processes.children(client.pid)
            if processes.command_line(pid) == "cat"]
    assert pids, client.communicate()
    assert processes.namespace(pids[0], "pid") == processes.namespace("self", "pid")
    assert processes.namespace(pids[0], "net") == processes.namespace("self", "net")
    client.communicate(b"", timeout=60)


def test_many_at_once(running):
    clients = [running.popen("exec", "box", "echo", str(number), stdin=subprocess.DEVNULL)
               for number in range(12)]
    for number, client in enumerate(clients):
        out, err = client.communicate(timeout=120)
        assert (out, err, client.returncode) == (f"{number}\n".encode(), b"", 0)


def test_container_ends_meanwhile(running):
    client = running.popen("exec", "box", "sleep", "999")
    wait_until(lambda: "sleep 999" in running.run("top", "box").stdout, what="no sleep")
    running.run("stop", "-t", "0", "box")
    client.communicate(timeout=60)
    assert client.returncode == 137
