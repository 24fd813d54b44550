# SPDX-License-Identifier: Apache-2.0
"""A registry that misbehaves, connections that break, and a pull that is killed."""

import contextlib
import gzip
import json
import os
import re
import signal
import socket
import threading

import pytest

from helpers.registry import (BadRegistry, MemoryImage, TakingRegistry, answer, basic, cut, digest_of,
                              small_tar, zstd_frame)
from helpers.waiting import wait_until

FAST = {"SKIFF_REGISTRY_BACKOFF_MS": "1"}
BLOB = "/blobs/"


def tar_of(size, name="file"):
    return small_tar({name: os.urandom(size)})


@pytest.fixture
def image():
    return MemoryImage([tar_of(3 << 20)])


@pytest.fixture
def bad(make_server, image):
    return make_server(BadRegistry, image)


def is_layer(request, image):
    return image.manifest["layers"][0]["digest"] in request.path


def pull(skiff, bad, **options):
    return skiff.run("pull", f"{bad.host}/app:1", env=FAST, **options)


def pull_fails(skiff, bad, *args, **options):
    result = skiff.fails("pull", *args, f"{bad.host}/app:1", env=FAST, **options)
    assert len(result.stderr.strip().splitlines()) == 1, result
    assert skiff.leftovers() == []
    return result.stderr


def partial_files(skiff):
    directory = skiff.root / "oci/partial"
    return sorted(directory.iterdir()) if directory.exists() else []


# ---- breaking off ----

@pytest.mark.parametrize("after", [0, 1, 511, 512, 100_000, (3 << 20) + 100])
def test_a_layer_that_breaks_off_is_continued(empty_skiff, bad, image, after):
    broken = []

    def before(request):
        if is_layer(request, image) and not broken:
            broken.append(1)
            data = image.blobs[image.manifest["layers"][0]["digest"]]
            cut(request, data, after)
            return True
        return False

    bad.before = before
    pull(empty_skiff, bad)
    ranges = [headers.get("Range") for headers in bad.headers if "Range" in headers]
    assert ranges == ([f"bytes={after}-"] if after else [])
    empty_skiff.run("system", "fsck")


def test_a_registry_without_ranges(empty_skiff, bad, image):
    """It sends everything again: what is known is skipped."""
    broken = []

    def before(request):
        data = image.blobs[image.manifest["layers"][0]["digest"]]
        if not is_layer(request, image):
            return False
        if not broken:
            broken.append(1)
            cut(request, data, 70_000)
        else:
            answer(request, 200, data)
        return True

    bad.before = before
    pull(empty_skiff, bad)
    empty_skiff.run("system", "fsck")


def test_every_answer_breaks_off_once(empty_skiff, bad):
    seen = set()

    def before(request):
        if request.path in seen:
            return False
        seen.add(request.path)
        request.close_connection = True
        with contextlib.suppress(OSError):
            request.connection.shutdown(2)
        return True

    bad.before = before
    pull(empty_skiff, bad)


def test_it_gives_up(empty_skiff, bad, image):
    def before(request):
        if is_layer(request, image):
            cut(request, b"x" * 100, 0)
            return True
        return False

    bad.before = before
    pull_fails(empty_skiff, bad)
    assert bad.count(BLOB) < 20


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_trouble_passes(empty_skiff, bad, status):
    failures = {}

    def before(request):
        failures[request.path] = failures.get(request.path, 0) + 1
        if failures[request.path] <= 2:
            answer(request, status, b"{}", {"Retry-After": "0"})
            return True
        return False

    bad.before = before
    pull(empty_skiff, bad)


def test_a_long_retry_after_is_said_not_waited(empty_skiff, bad):
    def before(request):
        answer(request, 429, b"{}", {"Retry-After": "86400"})
        return True

    bad.before = before
    assert "86400 seconds" in pull_fails(empty_skiff, bad)


# ---- lies ----

def test_wrong_bytes(empty_skiff, bad, image):
    layer = image.manifest["layers"][0]["digest"]
    image.blobs[layer] = os.urandom(len(image.blobs[layer]))
    pull_fails(empty_skiff, bad)
    assert partial_files(empty_skiff) == []
    assert empty_skiff.run("images", "-q").stdout == ""


def test_right_format_wrong_digest(empty_skiff, bad, image):
    layer = image.manifest["layers"][0]["digest"]
    size = len(image.blobs[layer])
    image.blobs[layer] = tar_of(3 << 20, "evil")
    assert len(image.blobs[layer]) == size
    assert "digest" in pull_fails(empty_skiff, bad)
    assert partial_files(empty_skiff) == []


@pytest.mark.parametrize("difference", [-1, 1, 1 << 20])
def test_wrong_length(empty_skiff, bad, image, difference):
    layer = image.manifest["layers"][0]
    data = image.blobs[layer["digest"]]
    if difference < 0:
        image.blobs[layer["digest"]] = data[:difference]
    else:
        image.blobs[layer["digest"]] = data + b"x" * difference
    assert "bytes" in pull_fails(empty_skiff, bad)


def test_wrong_configuration(empty_skiff, bad, image):
    config = image.manifest["config"]["digest"]
    image.blobs[config] = image.blobs[config].replace(b"amd64", b"amd65")
    assert "hashes to" in pull_fails(empty_skiff, bad)


def test_pin_is_enforced(empty_skiff, bad):
    pin = digest_of(b"something else")
    result = empty_skiff.fails("pull", f"{bad.host}/app@{pin}", env=FAST)
    assert "was asked for" in result.stderr


def test_manifest_and_index_at_once(empty_skiff, bad, image):
    image.manifest["manifests"] = []
    assert "ambiguous" in pull_fails(empty_skiff, bad)


def test_media_type_and_content_disagree(empty_skiff, bad, image):
    def before(request):
        if "/manifests/" in request.path:
            answer(request, 200, image.manifest_bytes(), {
                "Content-Type": "application/vnd.oci.image.index.v1+json"})
            return True
        return False

    bad.before = before
    assert "disagree" in pull_fails(empty_skiff, bad)


def test_endless_manifest(empty_skiff, bad):
    def before(request):
        request.send_response(200)
        request.end_headers()
        request.close_connection = True
        with contextlib.suppress(OSError):
            while True:
                request.wfile.write(b" " * 65536)
        return True

    bad.before = before
    assert "more than" in pull_fails(empty_skiff, bad)


def test_huge_headers(empty_skiff, bad):
    def before(request):
        request.send_response(200)
        with contextlib.suppress(OSError):
            for number in range(4000):
                request.send_header(f"X-{number}", "y" * 1000)
            request.end_headers()
        return True

    bad.before = before
    assert "headers" in pull_fails(empty_skiff, bad)


def test_garbage_instead_of_http(empty_skiff, bad):
    def before(request):
        request.wfile.write(b"\x00\xff" * 1000)
        request.close_connection = True
        return True

    bad.before = before
    pull_fails(empty_skiff, bad)


def test_foreign_layers_only_when_asked(empty_skiff, bad, image):
    layer = image.manifest["layers"][0]
    layer["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    layer["urls"] = ["https://localhost:1/layer"]
    assert "--foreign-layers" in pull_fails(empty_skiff, bad)
    assert bad.count(BLOB) == 0


# ---- credentials ----

def test_a_redirect_gets_no_credentials(empty_skiff, make_server, image):
    elsewhere = make_server(BadRegistry, image)
    home = make_server(BadRegistry, image)

    def before(request):
        if request.headers.get("Authorization") != basic("me:secret"):
            answer(request, 401, b"{}", {"WWW-Authenticate": 'Basic realm="x"'})
            return True
        if BLOB in request.path:
            answer(request, 307, b"", {"Location": f"http://{elsewhere.host}{request.path}"})
            return True
        return False

    home.before = before
    empty_skiff.run("pull", "--creds", "me:secret", f"{home.host}/app:1", env=FAST)
    assert elsewhere.count(BLOB) >= 2
    assert all("Authorization" not in headers for headers in elsewhere.headers)


def test_a_password_goes_to_no_foreign_realm(empty_skiff, bad, make_server, image):
    """127.0.0.2 is another host than localhost, and nobody has said that it may see the password."""
    thief = make_server(BadRegistry, image)
    realm = f"http://127.0.0.1:{thief.http.port}/token"

    def before(request):
        answer(request, 401, b"{}", {
            "WWW-Authenticate": f'Bearer realm="{realm}",service="x",scope="repository:app:pull"'})
        return True

    bad.before = before
    message = pull_fails(empty_skiff, bad, "--creds", "me:secret")
    assert "not its own" in message
    assert thief.seen == []
    empty_skiff.fails("pull", "--creds", "me:secret", f"{bad.host}/app:1",
                      env={**FAST, "SKIFF_AUTH_REALMS": "127.0.0.1"})
    assert thief.headers[0]["Authorization"] == basic("me:secret")


def test_a_loop_of_401_ends(empty_skiff, bad):
    def before(request):
        if "/token" in request.path:
            answer(request, 200, b'{"token": "worthless"}')
        else:
            answer(request, 401, b"{}", {
                "WWW-Authenticate": f'Bearer realm="http://{bad.host}/token",service="x"'})
        return True

    bad.before = before
    pull_fails(empty_skiff, bad)
    assert len(bad.seen) < 10


def test_a_loop_of_redirects_ends(empty_skiff, bad):
    def before(request):
        answer(request, 302, b"", {"Location": request.path})
        return True

    bad.before = before
    assert "redirect" in pull_fails(empty_skiff, bad)
    assert len(bad.seen) < 10


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://localhost/", "//", "\t"])
def test_redirects_to_what_is_no_registry(empty_skiff, bad, location):
    def before(request):
        answer(request, 302, b"", {"Location": location})
        return True

    bad.before = before
    pull_fails(empty_skiff, bad)


@pytest.mark.parametrize("token", ["{}", '{"token": 5}', '{"token": "a\\r\\nX-Evil: 1"}', "[", "{" * 100])
def test_bad_tokens(empty_skiff, bad, token):
    def before(request):
        if "/token" in request.path:
            answer(request, 200, token.encode())
        else:
            answer(request, 401, b"{}", {
                "WWW-Authenticate": f'Bearer realm="http://{bad.host}/token"'})
        return True

    bad.before = before
    pull_fails(empty_skiff, bad)
    assert all("X-Evil" not in headers for headers in bad.headers)


# ---- two at once, and death ----

class Gate:
    """Holds the layer back after its first bytes until the test opens it."""

    def __init__(self, bad, image, first):
        self.open = threading.Event()
        self.reached = threading.Event()
        self.image, self.first = image, first
        bad.before = self

    def __call__(self, request):
        if not is_layer(request, self.image) or self.open.is_set():
            return False
        data = self.image.blobs[self.image.manifest["layers"][0]["digest"]]
        request.send_response(200)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        with contextlib.suppress(OSError):
            request.wfile.write(data[:self.first])
            request.wfile.flush()
            self.reached.set()
            self.open.wait(60)
            request.wfile.write(data[self.first:])
        return True


def test_the_same_layer_is_fetched_once(empty_skiff, bad, image):
    gate = Gate(bad, image, 1 << 20)
    one = empty_skiff.popen("pull", f"{bad.host}/app:1", env=FAST)
    assert gate.reached.wait(60)
    two = empty_skiff.popen("pull", f"{bad.host}/app:2", env=FAST)
    line = two.stdout.readline()
    while b"Waiting" not in line:
        assert line, two.stderr.read()
        line = two.stdout.readline()
    gate.open.set()
    for process in (one, two):
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, (out, err)
    assert bad.count(image.manifest["layers"][0]["digest"]) == 1
    assert len(empty_skiff.run("images", "-q").stdout.split()) == 2
    empty_skiff.run("system", "fsck")


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGKILL])
def test_what_has_come_is_kept(empty_skiff, bad, image, sig):
    """A pull that is ended goes on where it was, with a range."""
    gate = Gate(bad, image, 1 << 20)
    process = empty_skiff.popen("pull", f"{bad.host}/app:1", env=FAST)
    assert gate.reached.wait(60)
    wait_until(lambda: any(file.stat().st_size == 1 << 20 for file in partial_files(empty_skiff)))
    process.send_signal(sig)
    process.communicate(timeout=60)
    assert process.returncode != 0
    gate.open.set()
    if sig == signal.SIGINT:  # else there is something to sweep
        empty_skiff.run("system", "fsck")
    pull(empty_skiff, bad)
    assert f"bytes={1 << 20}-" in [headers.get("Range") for headers in bad.headers]
    assert partial_files(empty_skiff) == []
    empty_skiff.run("system", "fsck")


def test_complete_layers_are_kept(empty_skiff, make_server):
    image = MemoryImage([tar_of(1 << 20, "first"), tar_of(1 << 20, "second")])
    bad = make_server(BadRegistry, image)
    second = image.manifest["layers"][1]["digest"]
    refuse = [True]

    def before(request):
        if second in request.path and refuse:
            wait_until(lambda: any(True for _ in layers(empty_skiff)), deadline=60)
            answer(request, 403, b"{}")
            return True
        return False

    bad.before = before
    empty_skiff.fails("pull", f"{bad.host}/app:1", env=FAST)
    assert len(list(layers(empty_skiff))) == 1
    empty_skiff.run("system", "fsck")
    refuse.clear()
    pull(empty_skiff, bad)
    assert bad.count(image.manifest["layers"][0]["digest"]) == 1
    empty_skiff.run("system", "fsck")


def layers(skiff):
    directory = skiff.root / "layers"
    return directory.iterdir() if directory.exists() else []


def test_a_spoiled_beginning_is_fetched_anew(empty_skiff, bad, image):
    """What is on the disk from an earlier try is not believed."""
    digest = image.manifest["layers"][0]["digest"]
    empty_skiff.run("images")
    directory = empty_skiff.root / "oci/partial"
    directory.mkdir(mode=0o700)
    (directory / digest.split(":")[1]).write_bytes(os.urandom(200_000))
    pull(empty_skiff, bad)
    empty_skiff.run("system", "fsck")


@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="it keeps what was freed")
@pytest.mark.parametrize("form", ["plain", "gzip", "zstd"])
def test_memory_stays_small(empty_skiff, make_server, form):
    """128 MB in one file, and 10,000 small ones: all of our processes together."""
    tar = small_tar({"big": b"\0" * (128 << 20),
                     **{f"small-{number}": os.urandom(16) for number in range(10_000)}})
    image = MemoryImage([tar])
    data = tar
    if form != "plain":
        data = gzip.compress(tar, 1) if form == "gzip" else zstd_frame(tar)
        image.replace_layer(0, data, f"+{form}")
    bad = make_server(BadRegistry, image)
    gate = Gate(bad, image, len(data) - 1000)
    process = empty_skiff.popen("pull", f"{bad.host}/app:1", env=FAST)
    assert gate.reached.wait(120)
    wait_until(lambda: list(empty_skiff.root.glob("staging/*/0/diff/small-9000")),
               what="the layer is unpacked")
    peaks = dict(memory_peak(pid) for pid in [process.pid, *children(process.pid)])
    gate.open.set()
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert {"skiff-registry", "skiff-unpack"} <= set(peaks)
    assert sum(peaks.values()) < 64 << 10, peaks


def memory_peak(pid):
    """(name, kB)"""
    status = open(f"/proc/{pid}/status").read()
    return (re.search(r"Name:\s+(.*)", status).group(1),
            int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)))


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(text) for text in file.read().split()]


# ---- uploads ----

def test_an_upload_that_breaks_off_is_continued(empty_skiff, make_server, tmp_path):
    from docker_archive import Image
    image = Image("big:1", config={"Cmd": ["x"]})
    image.layer().file("random", os.urandom(3 << 20))
    image.write_docker_archive(tmp_path / "big.tar")
    empty_skiff.load(tmp_path / "big.tar")
    bad = make_server(TakingRegistry)
    broken = []

    def break_off(request):
        if request.command != "PATCH" or broken:
            return False
        broken.append(request.headers["Content-Range"])
        bad.take(request, 1 << 20)
        request.close_connection = True
        request.connection.shutdown(socket.SHUT_RDWR)
        return True

    bad.before = break_off
    empty_skiff.run("push", "big:1", f"{bad.host}/big:1", env=FAST)
    assert broken[0].startswith("0-")
    bad.assert_whole("big", "1")
    ranges = [headers["Content-Range"] for headers in bad.headers if "Content-Range" in headers]
    assert len(ranges) == 2 and not ranges[1].startswith("0-")
