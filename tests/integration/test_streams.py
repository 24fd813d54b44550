# SPDX-License-Identifier: Apache-2.0
"""Standard streams, exit codes and signals of `run`, `attach`, `start -a`, without a terminal."""

import hashlib
import os
import select
import signal
import subprocess
import threading

import pytest

from helpers import processes
from helpers.waiting import wait_until

MEGABYTE = 1 << 20
TRAP = "trap 'echo got {0}; exit 9' {0}; echo ready; while :; do sleep 0.05; done"


def status_is(skiff, name, status):
    wait_until(lambda: skiff.status(name) == status, what=lambda: f"{name}: {skiff.status(name)}")


def read_line(process):
    return process.stdout.readline().decode()


# ---- output ----

@pytest.mark.core
def test_streams_are_separate(skiff):
    done = skiff.run("run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7",
                     check=False)
    assert (done.stdout, done.stderr, done.code) == ("out\n", "err\n", 7)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_exit_code_of_a_signal(skiff, number):
    # PID 1 of a pid namespace ignores what it does not handle, so a child gets it.
    done = skiff.run("run", "--rm", "--init", "busybox", "sh", "-c", f"kill -{int(number)} $$",
                     check=False)
    assert done.code == 128 + number


def test_last_bytes_are_never_lost(skiff):
    """A burst right before the end, larger than a pipe, again and again."""
    for _ in range(25):
        done = skiff.run("run", "--rm", "busybox", "sh", "-c", "seq 1 20000; printf end", text=False)
        assert len(done.stdout) == 108894 + 3
        assert done.stdout.endswith(b"\n20000\nend")


def test_output_of_a_background_process_before_the_end(skiff):
    done = skiff.run("run", "--rm", "busybox", "sh", "-c", "(sleep 0.2; echo late) & wait; echo end")
    assert done.stdout == "late\nend\n"


def test_background_process_does_not_hold_the_end(skiff):
    done = skiff.run("run", "--rm", "busybox", "sh", "-c", "sleep 1000 & echo end")
    assert done.stdout == "end\n"


def drain(stream, digest):
    total = 0
    while True:
        chunk = stream.read(MEGABYTE)
        if not chunk:
            return total
        digest.update(chunk)
        total += len(chunk)


@pytest.mark.parametrize("options,megabytes", [(["--log-driver", "none"], 1024), ([], 100)],
                         ids=["1-GiB", "100-MiB-logged"])
def test_much_output_arrives_whole(skiff, tmp_path, options, megabytes):
    text = b"".join(b"%063d\n" % number for number in range(MEGABYTE // 64))
    file = tmp_path / "megabyte"
    file.write_bytes(text)
    expected = hashlib.sha256()
    for _ in range(megabytes):
        expected.update(text)

    client = skiff.popen("run", "--rm", *options, "-v", f"{file}:/m:ro", "busybox", "cat",
                         *["/m"] * megabytes, stdin=subprocess.DEVNULL)
    digest = hashlib.sha256()
    assert drain(client.stdout, digest) == megabytes * MEGABYTE
    assert digest.hexdigest() == expected.hexdigest()
    assert client.wait(timeout=60) == 0


def test_reader_that_waits_makes_the_container_wait(skiff):
    """Back-pressure: nobody between the container and the reader buffers without limit."""
    client = skiff.popen("run", "--name", "box", "--log-driver", "none", "busybox", "sh", "-c",
                         "echo begin; exec yes", stdin=subprocess.DEVNULL)
    assert client.stdout.readline() == b"begin\n"
    writer = skiff.pid("box")

    def written():
        """What the container has written, in all."""
        return int(next(line.split()[1] for line in processes.read(writer, "io").splitlines()
                        if line.startswith("wchar:")))

    amounts = []

    def is_still():
        amounts.append(written())
        return len(amounts) > 20 and amounts[-1] == amounts[-20]
    wait_until(is_still, what="the container still writes")
    assert amounts[-1] < 4 * MEGABYTE
    skiff.run("kill", "box")
    client.communicate(timeout=60)
    assert client.returncode == 137


def test_reader_that_is_late(skiff):
    """`run … | less`: read long after the container has ended, and whole."""
    client = skiff.popen("run", "--name", "box", "busybox", "seq", "1", "150000",
                         stdin=subprocess.DEVNULL)
    # Of the 939 kB, what is left fits into our pipe and the client's socket, however it was cut.
    assert client.stdout.read(800000)
    wait_until(lambda: skiff.status("box") == "exited", what="it does not end")
    rest = client.stdout.read()
    assert rest.endswith(b"\n149999\n150000\n")
    assert 800000 + len(rest) == 938895
    assert client.wait(timeout=60) == 0


def test_output_that_nobody_reads_any_more(skiff):
    """`run IMAGE yes | head -1`: the command ends; the container goes on, as docker's does."""
    client = skiff.popen("run", "--name", "box", "busybox", "yes", stdin=subprocess.DEVNULL)
    assert client.stdout.readline() == b"y\n"
    client.stdout.close()
    assert client.wait(timeout=60) != 0
    client.stdout = None
    assert skiff.status("box") == "running"
    skiff.run("rm", "-f", "box")


# ---- input ----

@pytest.mark.core
def test_input_arrives_whole(skiff):
    data = os.urandom(5 * MEGABYTE)
    done = skiff.run("run", "--rm", "-i", "busybox", "sha256sum", input=data, text=False)
    assert done.stdout.split()[0].decode() == hashlib.sha256(data).hexdigest()


def test_input_and_output_at_once(skiff):
    data = os.urandom(3 * MEGABYTE)
    done = skiff.run("run", "--rm", "-i", "--log-driver", "none", "busybox", "cat", input=data,
                     text=False)
    assert done.stdout == data


def test_input_from_a_file(skiff, tmp_path):
    file = tmp_path / "input"
    file.write_text("from a file\n")
    with open(file, "rb") as stdin:
        assert skiff.run("run", "--rm", "-i", "busybox", "cat", stdin=stdin).stdout == "from a file\n"


def test_without_i_there_is_nothing_to_read(skiff):
    done = skiff.run("run", "--rm", "busybox", "sh", "-c", "cat; echo end", input="not for you")
    assert done.stdout == "end\n"


def test_container_that_closes_its_input(skiff):
    done = skiff.run("run", "--rm", "-i", "busybox", "sh", "-c",
                     "exec <&-; sleep 0.3; echo end", input=b"x" * MEGABYTE)
    assert done.stdout == "end\n"


def test_detached_without_i_reads_end_of_file(skiff):
    skiff.run("run", "-d", "--name", "box", "busybox", "sh", "-c", "cat; echo end")
    status_is(skiff, "box", "exited")
    assert skiff.run("logs", "box").stdout == "end\n"


def test_detached_with_i_keeps_its_input(skiff):
    """docker: the input of `run -d -i` stays open when an attached client's ends."""
    skiff.run("run", "-d", "-i", "--name", "box", "busybox", "cat")
    for text in ("one\n", "two\n"):
        client = skiff.popen("attach", "box", stderr=subprocess.DEVNULL)
        client.stdin.write(text.encode())
        client.stdin.close()
        assert read_line(client) == text
        client.kill()
        client.wait()
        client.stdin = None
    assert skiff.status("box") == "running"


def test_start_attached_with_input(skiff):
    skiff.run("create", "-i", "--name", "box", "busybox", "sh", "-c", "cat; exit 3")
    done = skiff.run("start", "-a", "-i", "box", input="hello\n", check=False)
    assert (done.stdout, done.code) == ("hello\n", 3)
    assert skiff.run("start", "-a", "-i", "box", input="again\n", check=False).stdout == "again\n"
    assert skiff.run("logs", "box").stdout == "hello\nagain\n"


# ---- several at once ----

def test_several_attached(skiff):
    skiff.run("run", "-d", "-i", "--name", "box", "busybox", "cat")
    clients = [skiff.popen("attach", "box") for _ in range(4)]
    monitor = skiff.monitor_pid("box")
    # Each has connected when the monitor has a descriptor more for it.
    sockets = lambda: [name for name in processes.open_files(monitor).values() if "socket:" in name]
    wait_until(lambda: len(sockets()) >= 5, what=lambda: f"sockets: {sockets()}")
    clients[2].stdin.write(b"to all\n")
    clients[2].stdin.flush()
    assert [read_line(client) for client in clients] == ["to all\n"] * 4
    skiff.run("kill", "box")
    assert [client.wait(timeout=60) for client in clients] == [137] * 4


def test_attached_get_the_exit_code(skiff):
    skiff.run("run", "-d", "-i", "--name", "box", "busybox", "sh", "-c", "read x; exit 5")
    client = skiff.popen("attach", "box")
    client.stdin.write(b"go\n")
    client.stdin.close()
    assert client.wait(timeout=60) == 5
    client.stdin = None


# ---- signals ----

@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH", "CONT",
                                  "TSTP", "ALRM"])
def test_signals_are_passed_on(skiff, name):
    client = skiff.popen("run", "--rm", "busybox", "sh", "-c", TRAP.format(name),
                         stdin=subprocess.DEVNULL)
    assert read_line(client) == "ready\n"
    client.send_signal(getattr(signal, f"SIG{name}"))
    assert client.communicate(timeout=60)[0] == f"got {name}\n".encode()
    assert client.returncode == 9


def test_signal_reaches_one_who_does_not_read(skiff):
    """Its input is full to the brim, and the signal does not queue up behind it."""
    client = skiff.popen("run", "--rm", "-i", "busybox", "sh", "-c", TRAP.format("TERM"))
    writer = threading.Thread(target=feed, args=(client, b"x" * (4 * MEGABYTE)), daemon=True)
    assert read_line(client) == "ready\n"
    writer.start()
    wait_until(lambda: is_full(client.stdin), what="the input is not full")
    client.send_signal(signal.SIGTERM)
    assert read_line(client) == "got TERM\n"
    assert client.wait(timeout=60) == 9
    writer.join(timeout=60)
    client.stdin = None


def feed(process, data):
    try:
        process.stdin.write(data)
    except BrokenPipeError:
        pass


def is_full(stream):
    return not select.select([], [stream], [], 0)[1]


def test_no_signals_with_sig_proxy_off(skiff):
    client = skiff.popen("run", "--name", "box", "--sig-proxy=false", "busybox", "sh", "-c",
                         TRAP.format("TERM"), stdin=subprocess.DEVNULL)
    assert read_line(client) == "ready\n"
    client.send_signal(signal.SIGTERM)
    assert client.wait(timeout=60) == -signal.SIGTERM
    assert skiff.status("box") == "running"
    skiff.run("rm", "-f", "box")


@pytest.mark.core
def test_killed_client_leaves_a_container_that_removes_itself(skiff):
    client = skiff.popen("run", "--rm", "--name", "box", "-i", "busybox", "sh", "-c",
                         "echo ready; cat; sleep 0.2; echo end")
    assert read_line(client) == "ready\n"
    client.kill()
    client.wait()
    # Its input ended with the client that had launched it; so it ends, and --rm holds.
    wait_until(lambda: skiff.containers() == [], what=lambda: skiff.run("ps", "-a").stdout)
    wait_until(lambda: skiff.leftovers() == [], what=skiff.leftovers)


def test_detached_rm_removes_itself(skiff):
    skiff.run("run", "-d", "--rm", "-v", "/data", "busybox", "true")
    wait_until(lambda: skiff.containers() == [], what=lambda: skiff.run("ps", "-a").stdout)
    wait_until(lambda: skiff.leftovers() == [], what=skiff.leftovers)
    volumes = skiff.root / "volumes"
    wait_until(lambda: not volumes.exists() or os.listdir(volumes) == [],
               what="the anonymous volume is still there")


def test_monitor_killed_while_attached(skiff):
    client = skiff.popen("run", "--name", "box", "busybox", "sh", "-c", "echo ready; sleep 1000",
                         stdin=subprocess.DEVNULL)
    assert read_line(client) == "ready\n"
    os.kill(skiff.monitor_pid("box"), signal.SIGKILL)
    _, errors = client.communicate(timeout=60)
    assert client.returncode == 125
    assert b"monitor ended unexpectedly" in errors
    skiff.run("rm", "-f", "box")
