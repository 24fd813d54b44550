# SPDX-License-Identifier: Apache-2.0
"""Issue points 2 and 3: terminals. Real ones: pexpect is the terminal, or tmux is."""

import hashlib
import os
import re
import select
import shlex
import signal
import subprocess
import termios
import uuid

import pexpect
import pytest

from helpers.features import require_tool
from helpers import processes
from helpers.waiting import wait_until

PROMPT = "/ # "
DETACH = "\x10\x11"  # ctrl-p ctrl-q
SHELL = ["--name", "box", "busybox", "sh"]


def shell(skiff, *options, rows=24, columns=80):
    """`run -it busybox sh`, at its first prompt."""
    child = skiff.spawn("run", "-it", *options, *SHELL, rows=rows, columns=columns)
    child.expect_exact(PROMPT)
    return child


def command(child, line, output):
    """Types a line and expects output at the beginning of one; `output` is a regular expression."""
    child.sendline(line)
    child.expect("\r\n" + output + "\r\n")
    child.expect_exact(PROMPT)


def foreground(skiff, child, line):
    """Types a command that goes on, and waits until it runs: the shell's line editor takes keys as
    characters for a moment longer."""
    child.sendline(line)
    child.expect_exact(line + "\r\n")
    shell_pid = skiff.pid("box")
    wait_until(lambda: line in map(processes.command_line, processes.children(shell_pid)),
               what=lambda: list(map(processes.command_line, processes.children(shell_pid))))


def ends(child, code):
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == code, f"{child.exitstatus} {child.signalstatus}: {child.before!r}"


def mode(fd):
    return termios.tcgetattr(fd)


# ---- size and devices ----

@pytest.mark.core
def test_size_is_right_in_the_first_instruction(skiff):
    for _ in range(5):
        child = skiff.spawn("run", "-it", "--rm", "busybox", "stty", "size", rows=41, columns=133)
        child.expect(pexpect.EOF)
        assert child.before == "41 133\r\n"
        ends(child, 0)


def test_size_follows(skiff):
    child = skiff.spawn("run", "-it", "--rm", "busybox", "sh", "-c",
                        "trap 'echo now $(stty size)' WINCH; echo ready; "
                        "while :; do sleep 0.05; done", rows=30, columns=100)
    child.expect_exact("ready\r\n")
    for rows, columns in ((50, 120), (24, 80), (5, 9)):
        child.setwinsize(rows, columns)
        child.expect_exact(f"now {rows} {columns}\r\n")
    child.sendintr()
    ends(child, 130)


def test_devices(skiff):
    child = shell(skiff)
    command(child, "tty", "/dev/pts/0")
    command(child, "test -t 0 && test -t 1 && test -t 2 && echo all three", "all three")
    command(child, "echo to the console > /dev/console", "to the console")
    command(child, "echo to the tty > /dev/tty", "to the tty")
    command(child, "ls /dev/pts", "0 +ptmx")
    command(child, "ps -o pid,tty | grep '^ *1 '", " *1 136,0")
    child.sendline("exit")
    ends(child, 0)


def test_terminal_without_input(skiff):
    child = skiff.spawn("run", "-t", "--rm", "busybox", "sh", "-c", "tty; stty size; exit 2",
                        rows=33, columns=99)
    child.expect(pexpect.EOF)
    assert child.before.split() == ["/dev/pts/0", "33", "99"]
    ends(child, 2)


def test_terminal_into_a_pipe(skiff):
    done = skiff.run("run", "-t", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2")
    assert (done.stdout, done.stderr) == ("out\r\nerr\r\n", "")


def test_input_that_is_no_terminal(skiff):
    done = skiff.fails("run", "-it", "--rm", "busybox", "true", input="x")
    assert "the input device is not a TTY" in done.stderr
    assert skiff.containers() == []


def test_input_without_terminal_inside(skiff):
    """-i alone: our terminal stays as it is, lines arrive when they are complete."""
    child = skiff.spawn("run", "-i", "--rm", "busybox", "sh", "-c", "test -t 0 || echo no tty; cat")
    child.expect_exact("no tty\r\n")
    child.sendline("line")
    child.expect_exact("line\r\nline\r\n")  # our terminal's echo, and cat's
    child.sendeof()
    ends(child, 0)


# ---- what a shell needs ----

@pytest.mark.core
def test_interrupt(skiff):
    child = shell(skiff)
    foreground(skiff, child, "sleep 1000")
    child.sendintr()
    child.expect_exact("^C")
    child.expect_exact(PROMPT)
    command(child, "echo $?", "130")
    child.sendline("exit")
    ends(child, 0)


def test_job_control(skiff):
    child = shell(skiff)
    foreground(skiff, child, "sleep 1000")
    child.send("\x1a")
    child.expect_exact("Stopped")
    child.expect_exact(PROMPT)
    command(child, "jobs", r"\[1\]\+ +Stopped +sleep 1000")
    child.sendline("bg")
    child.expect_exact(PROMPT)
    command(child, "jobs", r"\[1\]\+ +Running +sleep 1000")
    child.sendline("fg")
    child.expect_exact("sleep 1000\r\n")
    child.sendintr()
    child.expect_exact(PROMPT)
    child.sendline("exit")
    child.expect(pexpect.EOF)
    assert "can't access tty" not in child.before


def test_end_of_file_and_quit(skiff):
    child = shell(skiff)
    foreground(skiff, child, "/bin/cat")
    child.sendeof()
    child.expect_exact(PROMPT)
    foreground(skiff, child, "sleep 1000")
    child.send("\x1c")
    child.expect_exact(PROMPT)
    child.sendeof()
    ends(child, 131)  # of the last command, as the shell does it


def test_every_byte_arrives(skiff):
    """The container's terminal in raw mode: all 256, but for the detach keys."""
    child = skiff.spawn("run", "-it", "--rm", "busybox", "sh", "-c",
                        "stty raw -echo; echo ready; head -c 255 | sha256sum")
    child.expect_exact("ready")
    everything = bytes(byte for byte in range(256) if byte != 0x11)
    os.write(child.child_fd, everything)
    child.expect_exact(hashlib.sha256(everything).hexdigest())
    child.expect(pexpect.EOF)


def test_paste(skiff):
    """More at once than the terminal inside takes."""
    child = skiff.spawn("run", "-it", "--rm", "busybox", "sh", "-c",
                        "stty -echo; echo ready; head -n 2000 | sha256sum")
    child.expect_exact("ready\r\n")
    text = "".join(f"line {i} of what is pasted\n" for i in range(2000))
    child.send(text)
    child.expect_exact(hashlib.sha256(text.encode()).hexdigest())
    child.expect(pexpect.EOF)


def test_much_output_through_a_terminal(skiff):
    child = skiff.spawn("run", "-it", "--rm", "busybox", "sh", "-c", "seq 1 100000; echo end")
    child.expect_exact("\r\nend\r\n", timeout=60)
    assert child.before.split("\r\n") == [str(i) for i in range(1, 100001)]
    ends(child, 0)


# ---- detach and attach ----

@pytest.mark.core
def test_detach_and_attach(skiff):
    child = shell(skiff)
    child.sendline("here=before")
    child.expect_exact(PROMPT)
    child.send(DETACH)
    ends(child, 0)
    assert skiff.status("box") == "running"

    again = skiff.spawn("attach", "box", rows=44, columns=111)
    again.expect_exact(PROMPT)  # it draws its prompt again
    command(again, "echo $here", "before")
    command(again, "stty size", "44 111")
    again.sendline("exit 6")
    ends(again, 6)


def test_detach_keys_that_were_not_meant(skiff):
    child = skiff.spawn("run", "-it", "--rm", "busybox", "sh", "-c",
                        "stty raw -echo; echo ready; head -c 6 | hexdump -C")
    child.expect_exact("ready")
    child.send("\x10a\x10\x10b\x10")
    child.send("\x10")  # the sixth is given away when it is clear that it was not meant
    child.expect_exact("10 61 10 10 62 10")


def test_other_detach_keys(skiff):
    child = shell(skiff, "--detach-keys", "ctrl-x,x")
    child.send("\x18x")
    ends(child, 0)
    again = skiff.spawn("attach", "--detach-keys", "a,b,c", "box")
    again.expect_exact(PROMPT)
    again.send("abc")
    ends(again, 0)
    assert skiff.status("box") == "running"


def test_bad_detach_keys(skiff):
    done = skiff.fails("run", "--detach-keys", "ctrl-1", "busybox", "true")
    assert "ctrl-1" in done.stderr
    assert skiff.containers() == []


def test_several_at_once(skiff):
    first = shell(skiff)
    second = skiff.spawn("attach", "box")
    second.expect_exact(PROMPT)
    first.sendline("echo from the first")
    second.expect_exact("\r\nfrom the first\r\n")
    second.sendline("echo from the second")
    first.expect_exact("\r\nfrom the second\r\n")
    second.send(DETACH)
    ends(second, 0)
    first.sendline("exit 8")
    ends(first, 8)


@pytest.mark.core
def test_detached_shell_lives(skiff):
    """Nobody is attached: no hang-up, no end of file."""
    skiff.run("run", "-d", "-it", *SHELL)
    for text in ("one", "two"):
        child = skiff.spawn("attach", "box")
        child.expect_exact(PROMPT)
        command(child, f"echo {text}", text)
        child.send(DETACH)
        ends(child, 0)
        assert skiff.status("box") == "running"
    skiff.run("stop", "-t", "0", "box")


def test_output_while_nobody_is_attached(skiff):
    """More than any buffer holds: the container is not held up."""
    skiff.run("run", "-d", "-it", "--name", "box", "busybox", "sh", "-c",
              "seq 1 50000; echo done; exec sleep 1000")
    wait_until(lambda: "done" in skiff.run("logs", "-n", "1", "box").stdout, what="it hangs")


# ---- our own terminal ----

class OwnTerminal:
    """A terminal that outlives the command in it: pexpect's ends with its process."""

    def __init__(self, skiff, *args):
        self.master, slave = os.openpty()
        termios.tcsetwinsize(slave, (24, 80))
        self.before = mode(self.master)
        self.process = skiff.popen(*args, stdin=slave, stdout=slave, stderr=slave,
                                   start_new_session=True)
        os.close(slave)
        self.text = b""

    def expect(self, text):
        def seen():
            if select.select([self.master], [], [], 0)[0]:
                self.text += os.read(self.master, 65536)
            return text in self.text
        wait_until(seen, what=lambda: f"no {text} in {self.text}")

    def is_raw(self):
        return not mode(self.master)[3] & termios.ICANON

    def is_restored(self):
        return mode(self.master) == self.before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV])
def test_terminal_is_restored_when_we_are_killed(skiff, number):
    terminal = OwnTerminal(skiff, "run", "-it", "--sig-proxy=false", *SHELL)
    terminal.expect(PROMPT.encode())
    assert terminal.is_raw()
    terminal.process.send_signal(number)
    assert terminal.process.wait(timeout=60) == -number
    wait_until(terminal.is_restored, what=lambda: f"{mode(terminal.master)} {terminal.before}")
    assert skiff.status("box") == "running"


def test_terminal_is_restored_after_every_other_end(skiff):
    terminal = OwnTerminal(skiff, "run", "-it", "--rm", *SHELL)
    terminal.expect(PROMPT.encode())
    os.write(terminal.master, b"exit 3\n")
    assert terminal.process.wait(timeout=60) == 3
    assert terminal.is_restored()

    terminal = OwnTerminal(skiff, "run", "-it", *SHELL)
    terminal.expect(PROMPT.encode())
    os.write(terminal.master, DETACH.encode())
    assert terminal.process.wait(timeout=60) == 0
    assert terminal.is_restored()

    terminal = OwnTerminal(skiff, "attach", "box")
    terminal.expect(PROMPT.encode())
    assert terminal.is_raw()
    os.kill(skiff.monitor_pid("box"), signal.SIGKILL)
    assert terminal.process.wait(timeout=60) != 0
    assert terminal.is_restored()
    skiff.run("rm", "-f", "box")


def test_watchdog_goes_with_us(skiff):
    terminal = OwnTerminal(skiff, "run", "-it", "--rm", *SHELL)
    terminal.expect(PROMPT.encode())
    watchdogs = [pid for pid in processes.children(terminal.process.pid)
                 if processes.read(pid, "comm") == "skiff-tty\n"]
    assert len(watchdogs) == 1
    os.write(terminal.master, b"exit\n")
    assert terminal.process.wait(timeout=60) == 0
    assert not processes.is_alive(watchdogs[0])


def test_terminal_that_goes_away(skiff):
    """The window is closed: we end, the container does not."""
    terminal = OwnTerminal(skiff, "run", "-it", *SHELL)
    terminal.expect(PROMPT.encode())
    os.close(terminal.master)
    assert terminal.process.wait(timeout=60) != 0
    assert skiff.status("box") == "running"


def test_stop_and_continue(skiff):
    """Stopped from outside, the terminal is the shell's; continued, it is the container's again."""
    terminal = OwnTerminal(skiff, "run", "-it", "--sig-proxy=false", *SHELL)
    terminal.expect(PROMPT.encode())
    terminal.process.send_signal(signal.SIGTSTP)
    terminal.process.send_signal(signal.SIGCONT)
    wait_until(terminal.is_raw, what="not raw again")
    os.write(terminal.master, b"echo still; exit 4\n")
    terminal.expect(b"\r\nstill\r\n")
    assert terminal.process.wait(timeout=60) == 4
    assert terminal.is_restored()


# ---- a real terminal, which answers questions and shows what it was sent ----

@pytest.fixture
def tmux(skiff):
    require_tool("tmux")
    socket = f"skiff-{uuid.uuid4().hex}"

    def run(*args):
        return subprocess.run(["tmux", "-f", "/dev/null", "-L", socket, *args], check=True,
                              stdout=subprocess.PIPE, env={**skiff.environment, "TERM": "xterm"},
                              timeout=60).stdout.decode()
    yield run
    subprocess.run(["tmux", "-L", socket, "kill-server"], check=False, stderr=subprocess.DEVNULL)


def screen(tmux):
    return tmux("capture-pane", "-p").rstrip("\n")


@pytest.mark.parametrize("command", [["sh"], ["sh", "-l"], ["sh", "-c", "exec sh"]],
                         ids=["sh", "login", "exec"])
def test_first_prompt_is_clean(skiff, tmux, command):
    words = shlex.join(skiff.command("run", "-it", "--rm", "busybox", *command))
    tmux("new-session", "-d", "-x", "90", "-y", "20", f"exec {words}")
    wait_until(lambda: screen(tmux).endswith("\n" + PROMPT.rstrip()),
               what=lambda: repr(screen(tmux)))
    greeting = "\n\nBusyBox v.*\nEnter 'help' for a list of built-in commands.\n\n"
    assert re.fullmatch(f"({greeting})*/ #", screen(tmux))
    tmux("send-keys", "stty size", "Enter")
    wait_until(lambda: screen(tmux).endswith("/ # stty size\n20 90\n/ #"),
               what=lambda: repr(screen(tmux)))
    tmux("resize-window", "-x", "70", "-y", "15")
    tmux("send-keys", "stty size", "Enter")
    wait_until(lambda: "15 70" in screen(tmux), what=lambda: repr(screen(tmux)))
    tmux("send-keys", "exit", "Enter")


def test_terminal_works_after_a_run(skiff, tmux):
    """In an ordinary shell: its prompt comes back, on a line of its own, with echo."""
    tmux("new-session", "-d", "-x", "90", "-y", "20", "env PS1='host> ' sh")
    words = shlex.join(skiff.command("run", "-it", "--rm", "busybox", "echo", "hello"))
    tmux("send-keys", f"clear; {words}", "Enter")
    wait_until(lambda: screen(tmux).splitlines()[-2:] == ["hello", "host>"],
               what=lambda: repr(screen(tmux)))
    tmux("send-keys", "echo typed", "Enter")
    wait_until(lambda: screen(tmux).splitlines()[-3:] == ["host> echo typed", "typed", "host>"],
               what=lambda: repr(screen(tmux)))
