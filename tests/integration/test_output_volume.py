# SPDX-License-Identifier: Apache-2.0
"""Much output through `run` and `logs`: whole, in order, both streams, with a slow reader too. 100 MB in a
check, 1 GB in the long lane. tests/helpers/flood.c writes it and knows what each line must be."""

import subprocess
import threading

import pytest

from helpers import processes
from helpers.effort import effort
from helpers.waiting import wait_until

MEGABYTES = effort(50, 500)  # in each of two streams
KEEP = ("--log-opt", f"max-size={4 * MEGABYTES}m")
LINE = 100


class Checked(threading.Thread):
    """Reads one stream to its end and compares it with what flood writes, a million bytes at a time."""

    def __init__(self, file, number, megabytes, piece=1 << 16):
        super().__init__()
        self.file = file
        self.number = number
        self.piece = piece
        self.lines = megabytes * 1_000_000 // LINE
        self.said = None
        self.start()

    def expected(self, first, count):
        made = []
        for line in range(first, first + count):
            head = f"{self.number} {line} "
            made.append(head + chr(97 + line % 26) * (LINE - 1 - len(head)) + "\n")
        return "".join(made).encode()

    def run(self):
        line, rest = 0, b""
        while data := self.file.read(self.piece):
            rest += data
            whole = len(rest) // LINE
            if rest[:whole * LINE] != self.expected(line, whole):
                self.said = f"stream {self.number} is wrong after line {line}"
                break
            line, rest = line + whole, rest[whole * LINE:]
        else:
            if line != self.lines or rest:
                self.said = f"stream {self.number} has {line} of {self.lines} lines, and {rest!r}"
        while self.said and self.file.read(1 << 20):
            pass  # so that the writer ends and the test says what was wrong

    def assert_whole(self):
        self.join()
        assert self.said is None, self.said


def both(process, megabytes, **options):
    return [Checked(process.stdout, 1, megabytes, **options),
            Checked(process.stderr, 2, megabytes, **options)]


def assert_whole(process, readers):
    for reader in readers:
        reader.assert_whole()
    assert process.wait(timeout=60) == 0


@pytest.fixture
def flood(helper_directory):
    return ("-v", f"{helper_directory}/flood:/flood:ro")


def test_run_and_logs(skiff, flood):
    process = skiff.popen("run", "--name", "box", *KEEP, *flood, "busybox", "/flood",
                          str(MEGABYTES), stdin=subprocess.DEVNULL)
    assert_whole(process, both(process, MEGABYTES))
    process = skiff.popen("logs", "box", stdin=subprocess.DEVNULL)
    assert_whole(process, both(process, MEGABYTES))


def test_logs_while_it_is_written(skiff, flood):
    skiff.start("--name", "box", *KEEP, *flood, command=("/flood", str(MEGABYTES // 2)))
    process = skiff.popen("logs", "-f", "box", stdin=subprocess.DEVNULL)
    assert_whole(process, both(process, MEGABYTES // 2))


def is_writing(pid):
    """Whether it sleeps in write(2), whose reader is behind."""
    return processes.read(pid, "syscall").split(" ")[0] in ("1", "64")


@pytest.mark.parametrize("command", ["run", "exec"])
def test_slow_reader(skiff, flood, command):
    """First nobody reads until the writer is held up; then in pieces that hold nearly nothing."""
    megabytes = effort(2, 50)
    if command == "run":
        process = skiff.popen("run", "--name", "box", *flood, "busybox", "/flood", str(megabytes),
                              stdin=subprocess.DEVNULL)
        wait_until(lambda: skiff.containers() and skiff.status("box") == "running")
        writer = skiff.pid("box")
    else:
        skiff.start("--name", "box", *flood)
        process = skiff.popen("exec", "box", "/flood", str(megabytes), stdin=subprocess.DEVNULL)
        writer = wait_until(lambda: next((pid for pid in processes.pids() if
                                          processes.command_line(pid) == f"/flood {megabytes}"),
                                         None), what="no writer")
    wait_until(lambda: is_writing(writer), what="the writer is not held up")
    assert_whole(process, both(process, megabytes, piece=700))


@pytest.mark.parametrize("stream", [1, 2])
def test_one_stream_alone(skiff, flood, stream):
    process = skiff.popen("run", "--rm", *flood, "busybox", "/flood", "20", str(stream),
                          stdin=subprocess.DEVNULL)
    readers = both(process, 20)
    readers[stream - 1].assert_whole()
    readers[2 - stream].join()
    assert process.wait(timeout=60) == 0
