# SPDX-License-Identifier: Apache-2.0
"""Log drivers other than plain json-file: who gets what, and what `logs` makes of it."""

import json
import os
import re
import socket
import struct
import subprocess

import pytest

from helpers.waiting import wait_until

TALK = ("sh", "-c", "echo out; echo err >&2; printf 'no end'")


def talk(skiff, *options, command=TALK, name="box"):
    skiff.run("run", "--name", name, *options, "busybox", *command)


def unix_server(path, kind):
    server = socket.socket(socket.AF_UNIX, kind)
    server.bind(str(path))
    server.settimeout(60)
    return server


def messages(server, count):
    return [server.recv(65536) for _ in range(count)]


# ---- json-file: attributes ----

def test_labels_env_and_tag(skiff):
    talk(skiff, "-l", "team=a b", "-l", "other=x", "-l", "zone1=z", "-e", "WHO=me,you", "-e", "HID=1",
         "--log-opt", "labels=team,absent", "--log-opt", "labels-regex=^zone", "--log-opt", "env=WHO",
         "--log-opt", "tag={{.Name}}/{{.ID}}", command=("echo", "hello"))
    path = skiff.root / "containers" / skiff.full_id("box") / "json.log"
    record = json.loads(path.read_text())
    tag = f"box/{skiff.full_id('box')[:12]}"
    assert record["attrs"] == {"WHO": "me,you", "tag": tag, "team": "a b", "zone1": "z"}
    assert list(record) == ["log", "stream", "attrs", "time"]
    assert skiff.run("logs", "box").stdout == "hello\n"
    assert skiff.run("logs", "--details", "box").stdout == (
        f"WHO=me%2Cyou,tag={tag.replace('/', '%2F')},team=a+b,zone1=z hello\n")


def test_details_without_attributes(skiff):
    talk(skiff, command=("echo", "hello"))
    assert skiff.run("logs", "--details", "box").stdout == " hello\n"


# ---- local ----

def test_local(skiff):
    talk(skiff, "--log-driver", "local")
    done = skiff.run("logs", "box")
    assert (done.stdout, done.stderr) == ("out\nno end", "err\n")
    stamped = skiff.run("logs", "-t", "-n", "1", "box").stdout
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z no end", stamped)
    directory = skiff.root / "containers" / skiff.full_id("box")
    assert (directory / "local.log").exists() and not (directory / "json.log").exists()
    assert skiff.inspect("box")["LogPath"] == ""


def test_local_keeps_every_byte(skiff):
    skiff.run("run", "--name", "box", "--log-driver", "local", "busybox", "sh", "-c",
              r"printf '\000\377\nlong '; head -c 40000 /dev/zero | tr '\0' y; echo")
    done = skiff.run("logs", "box", text=False)
    assert done.stdout == b"\0\xff\nlong " + b"y" * 40000 + b"\n"


def test_local_rotates_and_compresses(skiff):
    talk(skiff, "--log-driver", "local", "--log-opt", "max-size=20k", "--log-opt", "max-file=4",
         command=("sh", "-c", "seq 1 3000; sleep 3"))
    directory = skiff.root / "containers" / skiff.full_id("box")
    assert {"local.log", "local.log.1.gz", "local.log.2.gz"} <= set(os.listdir(directory))
    lines = skiff.run("logs", "box").stdout.split()
    assert lines == [str(n) for n in range(3001 - len(lines), 3001)]
    assert skiff.run("logs", "-n", "1500", "box").stdout.split() == [
        str(n) for n in range(1501, 3001)]


def test_local_is_smaller_than_json(skiff):
    sizes = {}
    for driver, name in (("local", "local.log"), ("json-file", "json.log")):
        talk(skiff, "--log-driver", driver, command=("seq", "1", "1000"), name=driver)
        sizes[driver] = (skiff.root / "containers" / skiff.full_id(driver) / name).stat().st_size
    assert sizes["local"] * 2 < sizes["json-file"]


# ---- following over rotations ----

@pytest.mark.parametrize("driver", ["json-file", "local"])
@pytest.mark.parametrize("compress", ["true", "false"])
def test_follow_over_rotations_under_load(skiff, driver, compress):
    """Many lines have one time; no line may be lost or come twice as long as its file exists."""
    client = None
    skiff.run("run", "-d", "-i", "--name", "box", "--log-driver", driver, "--log-opt",
              "max-size=200k", "--log-opt", "max-file=1000", "--log-opt", f"compress={compress}",
              "busybox", "sh", "-c",
              "read go; for i in 1 2 3 4 5 6; do seq $((i*5000)) $((i*5000+4999)); "
              "sleep 0.3; done")
    client = skiff.popen("logs", "-f", "box", stdin=subprocess.DEVNULL)
    starter = skiff.popen("attach", "box")
    starter.communicate(b"go\n", timeout=60)
    out, _ = client.communicate(timeout=120)
    assert [int(line) for line in out.split()] == list(range(5000, 35000))
    assert skiff.run("logs", "box").stdout.encode() == out


# ---- syslog ----

FORMATS = {
    "": rb"<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d box\[\d+\]: (.*)\n",
    "rfc3164": rb"<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ box\[\d+\]: (.*)\n",
    "rfc5424": rb"<(\d+)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d) \S+ box \d+ box - (.*)\n",
    "rfc5424micro":
        rb"<(\d+)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|[+-]\d\d:\d\d) \S+ box \d+ box - (.*)\n",
}


@pytest.mark.parametrize("form", FORMATS)
def test_syslog_formats(skiff, tmp_path, form):
    server = unix_server(tmp_path / "log", socket.SOCK_DGRAM)
    talk(skiff, "--log-driver", "syslog", "--log-opt", f"syslog-address=unix://{tmp_path}/log",
         "--log-opt", f"syslog-format={form}", "--log-opt", "tag={{.Name}}", "--log-opt",
         "syslog-facility=local3")
    got = {re.fullmatch(FORMATS[form], message).groups() for message in messages(server, 3)}
    local3 = 19 * 8
    assert got == {(b"%d" % (local3 + 6), b"out"), (b"%d" % (local3 + 3), b"err"),
                   (b"%d" % (local3 + 6), b"no end")}
    assert "does not support reading" in skiff.fails("logs", "box").stderr


def test_syslog_stream(skiff, tmp_path):
    server = unix_server(tmp_path / "log", socket.SOCK_STREAM)
    server.listen()
    talk(skiff, "--log-driver", "syslog", "--log-opt", f"syslog-address=unix://{tmp_path}/log",
         command=("seq", "1", "100"))
    connection, _ = server.accept()
    data = b""
    while chunk := connection.recv(65536):
        data += chunk
    assert [line.split(b": ")[1] for line in data.splitlines()] == [b"%d" % n for n in range(1, 101)]


@pytest.mark.parametrize("scheme, kind", [("udp", socket.SOCK_DGRAM), ("tcp", socket.SOCK_STREAM)])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_syslog_network(skiff, scheme, kind, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family, kind)
    try:
        server.bind((address, 0))
    except OSError:
        pytest.skip(f"no {address} here")
    server.settimeout(60)
    port = server.getsockname()[1]
    host = f"[{address}]" if ":" in address else address
    if kind == socket.SOCK_STREAM:
        server.listen()
    talk(skiff, "--log-driver", "syslog", "--log-opt", f"syslog-address={scheme}://{host}:{port}",
         command=("echo", "over the net"))
    if kind == socket.SOCK_STREAM:
        server, _ = server.accept()
    assert server.recv(65536).endswith(b": over the net\n")


def test_syslog_comes_back(skiff, tmp_path):
    """The server is restarted: what was said meanwhile is lost, what comes later is not."""
    path = tmp_path / "log"
    server = unix_server(path, socket.SOCK_DGRAM)
    skiff.run("run", "-d", "--name", "box", "--log-driver", "syslog", "--log-opt",
              f"syslog-address=unix://{path}", "busybox", "sh", "-c",
              "while :; do echo tick; sleep 0.05; done")
    assert messages(server, 1)
    server.close()
    path.unlink()
    server = unix_server(path, socket.SOCK_DGRAM)
    assert b"tick" in messages(server, 1)[0]
    skiff.run("rm", "-f", "box")


def test_syslog_nobody_there(skiff, tmp_path):
    done = skiff.run("run", "--rm", "--log-driver", "syslog", "--log-opt",
                     f"syslog-address=unix://{tmp_path}/none", "busybox", check=False)
    assert done.code == 125
    assert "failed to initialize logging driver" in done.stderr


def test_non_blocking(skiff, tmp_path):
    """Nobody reads: the container goes on, and what did not fit is missing, the rest is in order."""
    server = unix_server(tmp_path / "log", socket.SOCK_STREAM)
    server.listen()
    skiff.run("run", "-d", "--name", "box", "--log-driver", "syslog", "--log-opt",
              f"syslog-address=unix://{tmp_path}/log", "--log-opt", "mode=non-blocking", "--log-opt",
              "max-buffer-size=64k", "busybox", "sh", "-c", "seq 1 200000; touch /done; sleep 1000")
    connection, _ = server.accept()
    wait_until(lambda: skiff.run("exec", "box", "ls", "/done", check=False).code == 0,
               what="the container waits for its log")
    connection.settimeout(1)
    data = b""
    try:
        while chunk := connection.recv(1 << 20):
            data += chunk
    except TimeoutError:
        pass
    numbers = [int(line.rsplit(b" ", 1)[1]) for line in data.splitlines()]
    assert numbers == sorted(numbers) and numbers[0] == 1
    assert 1000 < len(numbers) < 200000
    skiff.run("rm", "-f", "box")


# ---- journald ----

def journal_fields(message):
    fields = {}
    while message:
        key, _, rest = message.partition(b"\n")
        (size,) = struct.unpack("<Q", rest[:8])
        fields.setdefault(key.decode(), []).append(rest[8:8 + size])
        message = rest[8 + size + 1:]
    return fields


def test_journald(skiff, tmp_path):
    """A socket of our own where journald's would be, in a mount namespace of our own."""
    journal = tmp_path / "journal"
    journal.mkdir()
    server = unix_server(journal / "socket", socket.SOCK_DGRAM)
    command = skiff.command("run", "--name", "box", "-l", "my.team=a", "--log-driver", "journald",
                            "--log-opt", "labels=my.team", "--log-opt", "tag=T", "busybox", *TALK)
    subprocess.run(["unshare", "-m", "sh", "-c",
                    "mount -t tmpfs none /run && mkdir -p /run/systemd/journal && "
                    'mount --bind "$0" /run/systemd/journal && exec "$@"', journal, *command],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   stdin=subprocess.DEVNULL, env=skiff.environment)
    found = {}
    for message in messages(server, 3):
        fields = journal_fields(message)
        found[fields["MESSAGE"][0]] = fields
    identity = skiff.full_id("box").encode()
    assert set(found) == {b"out", b"err", b"no end"}
    out = found[b"out"]
    assert out["PRIORITY"] == [b"6"] and found[b"err"]["PRIORITY"] == [b"3"]
    assert out["CONTAINER_ID"] == [identity[:12]] and out["CONTAINER_ID_FULL"] == [identity]
    assert out["CONTAINER_NAME"] == [b"box"] and out["IMAGE_NAME"] == [b"busybox"]
    assert out["CONTAINER_TAG"] == out["SYSLOG_IDENTIFIER"] == [b"T"]
    assert out["MY_TEAM"] == [b"a"]
    assert "CONTAINER_PARTIAL_MESSAGE" not in out
    assert found[b"no end"]["CONTAINER_PARTIAL_MESSAGE"] == [b"true"]


# ---- several containers, values ----

def test_logs_of_several(skiff):
    for name in ("one", "two"):
        talk(skiff, command=("echo", f"from {name}"), name=name)
    assert sorted(skiff.run("logs", "one", "two").stdout.splitlines()) == ["from one", "from two"]
    assert sorted(skiff.run("logs", "--names", "one", "two").stdout.splitlines()) == [
        "one from one", "two from two"]
    done = skiff.run("logs", "one", "absent", check=False)
    assert (done.code, done.stdout) == (1, "from one\n")


@pytest.mark.parametrize("options, words", [
    (["--log-driver", "splunk"], "no log driver named 'splunk'"),
    (["--log-driver", "local", "--log-opt", "tag=x"], "unknown log opt 'tag' for local log driver"),
    (["--log-driver", "none", "--log-opt", "max-size=1k"], "unknown log opt"),
    (["--log-opt", "syslog-address=unix:///dev/log"], "for json-file log driver"),
    (["--log-opt", "mode=fast"], "invalid value for log opt 'mode'"),
    (["--log-opt", "max-buffer-size=1m"], "only supported with 'mode=non-blocking'"),
    (["--log-opt", "labels-regex=("], "invalid value for log opt 'labels-regex'"),
    (["--log-driver", "syslog", "--log-opt", "syslog-address=http://x"], "'syslog-address'"),
    (["--log-driver", "syslog", "--log-opt", "syslog-facility=loud"], "'syslog-facility'"),
    (["--log-driver", "syslog", "--log-opt", "syslog-format=x"], "'syslog-format'"),
])
def test_bad_options(skiff, options, words):
    done = skiff.run("run", "-d", *options, "busybox", check=False)
    assert done.code == 125
    assert words in done.stderr
    assert skiff.containers() == []
