# SPDX-License-Identifier: Apache-2.0
"""`logs`: what a container has written, in docker's json-file format, while it is written."""

import datetime
import json
import os
import re
import signal
import subprocess

import pytest

from helpers.waiting import wait_until

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")


def finished(skiff, *command, options=(), name="box"):
    """A container that has run this to its end."""
    skiff.run("run", "--name", name, *options, "busybox", *command, check=False)


def numbers(first, last):
    return "".join(f"{i}\n" for i in range(first, last + 1))


def log_file(skiff, name, suffix=""):
    return skiff.root / "containers" / skiff.full_id(name) / f"json.log{suffix}"


@pytest.mark.core
def test_streams_are_separate(skiff):
    finished(skiff, "sh", "-c", "echo out; echo err >&2; printf rest")
    done = skiff.run("logs", "box")
    assert (done.stdout, done.stderr) == ("out\nrest", "err\n")


def test_nothing_written(skiff):
    finished(skiff, "true")
    assert skiff.run("logs", "box").stdout == ""
    skiff.run("create", "--name", "never", "busybox", "true")
    assert skiff.run("logs", "-f", "never").stdout == ""


def test_no_such_container(skiff):
    assert "No such container: nobody" in skiff.fails("logs", "nobody", code=1).stderr


def test_format_of_the_file(skiff):
    finished(skiff, "printf", r'a\tb\n"<&>"\\\033[m\xff\xc3\xa4\n')
    lines = log_file(skiff, "box").read_text().splitlines()
    assert lines[0].startswith(r'{"log":"a\u0009b\n","stream":"stdout","time":"20')
    assert lines[1].startswith(r'{"log":"\"\u003c\u0026\u003e\"\\\u001b[m\ufffdä\n","stream"')
    for line in lines:
        assert list(json.loads(line)) == ["log", "stream", "time"]


def test_long_lines_are_whole(skiff):
    finished(skiff, "sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; echo; echo next")
    assert skiff.run("logs", "box").stdout == "x" * 100000 + "\nnext\n"
    assert len(log_file(skiff, "box").read_text().splitlines()) == 8


@pytest.mark.parametrize("count", [0, 1, 7, 5000, 6000])
def test_tail(skiff, count):
    finished(skiff, "seq", "1", "5000")
    expected = numbers(max(1, 5001 - count), 5000)
    assert skiff.run("logs", "-n", count, "box").stdout == expected
    assert skiff.run("logs", "--tail", count, "box").stdout == expected
    assert skiff.run("logs", "--tail", "all", "box").stdout == numbers(1, 5000)


def test_timestamps(skiff):
    before = datetime.datetime.now(datetime.timezone.utc)
    finished(skiff, "sh", "-c", "echo one; echo two >&2")
    done = skiff.run("logs", "-t", "box")
    for text in (done.stdout, done.stderr):
        assert TIME.match(text)
    stamp = datetime.datetime.fromisoformat(done.stdout[:26] + "+00:00")
    assert before <= stamp <= datetime.datetime.now(datetime.timezone.utc)


def test_since_and_until(skiff):
    finished(skiff, "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.3; done")
    stamps = [line.split()[0] for line in skiff.run("logs", "-t", "box").stdout.splitlines()]
    assert skiff.run("logs", "--since", stamps[1], "box").stdout == "2\n3\n"
    assert skiff.run("logs", "--until", stamps[1], "box").stdout == "1\n2\n"
    assert skiff.run("logs", "--since", stamps[1], "--until", stamps[1], "box").stdout == "2\n"
    assert skiff.run("logs", "--since", "1h", "box").stdout == "1\n2\n3\n"
    assert skiff.run("logs", "--until", "1h", "box").stdout == ""


# ---- follow ----

@pytest.mark.core
def test_follow(skiff):
    skiff.run("run", "-d", "-i", "--name", "box", "busybox", "sh", "-c",
              "echo one; echo two; while read x; do echo $x; done; exit 4")
    skiff.wait_for_output("box", "two")
    client = skiff.popen("logs", "-f", "-n", "1", "box", stdin=subprocess.DEVNULL)
    assert client.stdout.readline() == b"two\n"
    writer = skiff.popen("attach", "box", stdout=subprocess.DEVNULL)
    for text in (b"three\n", b"four\n"):
        writer.stdin.write(text)
        writer.stdin.flush()
        assert client.stdout.readline() == text
    skiff.run("stop", "-t", "0", "box")
    assert client.communicate(timeout=60)[0] == b""
    assert client.returncode == 0


def test_follow_sees_everything_to_the_end(skiff):
    for _ in range(5):
        skiff.run("run", "-d", "--name", "box", "busybox", "seq", "1", "30000")
        assert skiff.run("logs", "-f", "box").stdout == numbers(1, 30000)
        wait_until(lambda: skiff.status("box") == "exited", what="it does not end")
        skiff.run("rm", "box")


def test_follow_ends_when_the_monitor_is_killed(skiff):
    skiff.run("run", "-d", "--name", "box", "busybox", "sh", "-c", "echo ready; sleep 1000")
    client = skiff.popen("logs", "-f", "box", stdin=subprocess.DEVNULL)
    assert client.stdout.readline() == b"ready\n"
    os.kill(skiff.monitor_pid("box"), signal.SIGKILL)
    assert client.communicate(timeout=60)[0] == b""


def test_follow_until(skiff):
    skiff.run("run", "-d", "--name", "box", "busybox", "sh", "-c",
              "while :; do echo x; sleep 0.1; done")
    until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1))
    done = skiff.run("logs", "-f", "--until", until.isoformat(), "box")
    assert set(done.stdout.split()) == {"x"}


# ---- rotation ----

def rotated(skiff, *options):
    finished(skiff, "seq", "1", "20000", options=["--log-opt", "max-size=100k", *options])


def test_rotation(skiff):
    rotated(skiff, "--log-opt", "max-file=4")
    for suffix in ("", ".1", ".2", ".3"):
        assert 0 < log_file(skiff, "box", suffix).stat().st_size <= 100 * 1024
    assert not log_file(skiff, "box", ".4").exists()
    lines = skiff.run("logs", "box").stdout.split()
    assert lines == [str(i) for i in range(int(lines[0]), 20001)]
    assert len(lines) > 3000
    assert skiff.run("logs", "-n", "2500", "box").stdout == numbers(17501, 20000)


def test_compression_of_rotated_files(skiff):
    """Rotated files are compressed when the container has been calm for a second."""
    skiff.run("run", "-d", "-i", "--name", "box", "--log-opt", "max-size=100k", "--log-opt",
              "max-file=4", "--log-opt", "compress=true", "busybox", "sh", "-c",
              "seq 1 5000; read x; seq 5001 6000")
    wait_until(lambda: log_file(skiff, "box", ".1.gz").exists()
               and not log_file(skiff, "box", ".1").exists(), what="json.log.1.gz is not made")
    lines = skiff.run("logs", "box").stdout.split()
    assert lines == [str(i) for i in range(int(lines[0]), 5001)]
    assert skiff.run("logs", "-n", "2000", "box").stdout == numbers(3001, 5000)
    client = skiff.popen("attach", "box")
    client.communicate(b"go\n", timeout=60)
    assert skiff.run("logs", "-n", "3000", "box").stdout == numbers(3001, 6000)


def test_follow_through_rotations(skiff):
    """Slow enough for the reader, so it must not miss or repeat a line."""
    skiff.run("run", "-d", "--name", "box", "--log-opt", "max-size=4k", "--log-opt", "max-file=50",
              "busybox", "sh", "-c",
              "i=0; while [ $i -lt 1500 ]; do i=$((i+1)); echo $i; done")
    assert skiff.run("logs", "-f", "box").stdout == numbers(1, 1500)


def test_no_log_driver(skiff):
    finished(skiff, "echo", "x", options=["--log-driver", "none"])
    done = skiff.run("logs", "box", check=False)
    assert done.code == 1
    assert "logging driver does not support reading" in done.stderr


def test_log_goes_on_after_a_restart(skiff):
    skiff.run("create", "--name", "box", "busybox", "echo", "run")
    for _ in range(3):
        skiff.run("start", "-a", "box")
        wait_until(lambda: skiff.status("box") == "exited", what="it does not end")
    assert skiff.run("logs", "box").stdout == "run\n" * 3
