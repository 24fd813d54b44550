# SPDX-License-Identifier: Apache-2.0
"""The distribution protocol, line by line, where test_registry.py and test_registry_bad.py leave off."""

import json
import os
import re
import threading
import time

import pytest

from docker_archive import Image
from helpers.docker_registry import MANIFEST, DockerRegistry, digest_of, openssl
from helpers.home import Home
from helpers.registry import BadRegistry, MemoryImage, answer, small_tar


@pytest.fixture
def home(tmp_path, make_skiff):
    return Home(tmp_path / "home", make_skiff())


def big_image(tmp_path, size):
    image = Image("big:1", config={"Cmd": ["x"]})
    image.layer().file("random", os.urandom(size))
    image.write_docker_archive(tmp_path / "big.tar")
    return tmp_path / "big.tar"


# ---- HTTP/2 ----

def test_http2_over_tls(skiff, make_registry):
    """docker-registry offers it by ALPN, and its log says what was spoken."""
    registry = make_registry(tls=True)
    name = f"{registry.host}/app:1"
    skiff.run("push", "busybox", name)
    skiff.run("rmi", "-f", "busybox", name)
    skiff.run("pull", name)
    # "/v2/" alone is what asked whether it is up.
    spoken = [re.search(r'"(\w+) (/v2/\S+) (HTTP/\S+)"', line) for line in registry.requests()]
    versions = {found.group(3) for found in spoken if found}
    assert versions == {"HTTP/2.0"}
    assert {"PUT", "GET", "HEAD"} <= {found.group(1) for found in spoken if found}
    skiff.run("system", "fsck")


# ---- certificates ----

def name_certificate(registry, names):
    """The test's authority signs another certificate for the same key; the registry shows that."""
    directory = registry.directory
    (directory / "names").write_text(f"subjectAltName={names}\n")
    openssl("x509", "-req", "-in", directory / "server.csr", "-CA", directory / "ca.crt", "-CAkey",
            directory / "ca.key", "-CAcreateserial", "-days", "2", "-extfile",
            directory / "names", "-out", directory / "server.crt")
    registry.process.kill()
    registry.process.wait()
    registry.start()


@pytest.fixture
def tls(home, tmp_path):
    with DockerRegistry(tmp_path / "registry", tls=True) as registry:
        home.certificates(registry)
        registry.put_image("app", "1")
        yield registry


def test_a_certificate_for_another_name_is_refused(home, tls):
    home.skiff.run("pull", f"{tls.name}/app:1")
    home.skiff.run("rmi", f"{tls.name}/app:1")
    name_certificate(tls, "IP:127.0.0.1,DNS:somebody.else")
    refused = home.skiff.fails("pull", f"{tls.name}/app:1", code=1)
    assert "certificate" in refused.stderr or "subject" in refused.stderr
    refused = home.skiff.fails("push", "-q", f"{tls.name}/app:1", code=1)
    assert home.skiff.run("images", "-q").stdout == ""
    # Where docker does not check, we do not either.
    home.skiff.run("pull", f"{tls.domain}/app:1")


def test_another_authority_is_refused(home, tls, tmp_path):
    with DockerRegistry(tmp_path / "other", tls=True) as other:
        home.write(f".config/containers/certs.d/{tls.name}/ca.crt", other.ca.read_text())
        refused = home.skiff.fails("pull", f"{tls.name}/app:1", code=1)
    assert "certificate" in refused.stderr


# ---- trying again ----

def test_retry_after_is_waited_for(empty_skiff, make_server):
    """Not less than the registry says, though our own back-off is a millisecond."""
    image = MemoryImage([small_tar({"file": b"x"})])
    layer = f"/blobs/{image.manifest['layers'][0]['digest']}"
    bad = make_server(BadRegistry, image)
    times = []

    def before(request):
        if layer not in request.path:
            return False
        times.append(time.monotonic())
        if len(times) > 1:
            return False
        answer(request, 429, b"{}", {"Retry-After": "1"})
        return True

    bad.before = before
    empty_skiff.run("pull", f"{bad.host}/app:1", env={"SKIFF_REGISTRY_BACKOFF_MS": "1"})
    assert len(times) == 2 and times[1] - times[0] >= 1


# ---- copies inside one registry ----

def test_copy_mounts_and_downloads_nothing(home, make_registry):
    registry = make_registry()
    home.skiff.run("load", "-i", big_image(home.path, 2 << 20))
    home.skiff.run("push", "big:1", f"{registry.host}/one:1")
    before = registry.count(r"GET /v2/one/blobs/")
    done = home.skiff.run("copy", f"docker://{registry.host}/one:1",
                          f"docker://{registry.host}/two:1")
    assert done.stderr.count("Already there") == 2
    assert registry.count(r"GET /v2/one/blobs/") == before
    assert registry.count(r"POST /v2/two/blobs/uploads/\?mount=sha256") == 2
    assert registry.count(r"PATCH /v2/two/") == registry.count(r"PUT /v2/two/blobs") == 0
    home.skiff.run("copy", f"docker://{registry.host}/two:1", f"docker://{registry.host}/two:2")
    assert registry.count(r"POST /v2/two/blobs/uploads/\?mount=sha256") == 2


# ---- referrers ----

class ReferrersRegistry(BadRegistry):
    """One that has the call for referrers (distribution specification 1.1)."""

    def __init__(self, image, listed):
        super().__init__(image)
        self.listed = listed  # {digest: an index}

    def serve(self, request):
        found = re.search(r"/referrers/(sha256:[0-9a-f]{64})", request.path)
        if found:
            index = self.listed.get(found.group(1), {
                "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                "manifests": []})
            answer(request, 200, json.dumps(index).encode(), {"Content-Type": index["mediaType"]})
        else:
            super().serve(request)


def test_referrers_by_the_call(home, make_server, tmp_path):
    image = MemoryImage([small_tar({"file": b"x"})])
    subject = image.manifest_bytes()
    note = json.dumps({
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "text/x-note",
        "subject": {"mediaType": MANIFEST, "digest": digest_of(subject), "size": len(subject)},
        "config": image._add(b"{}", "application/vnd.oci.empty.v1+json"),
        "layers": [image._add(b"a note", "text/plain")]}).encode()
    image.documents = {digest_of(note): note}
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
             "manifests": [{"mediaType": MANIFEST, "digest": digest_of(note), "size": len(note)}]}
    source = make_server(ReferrersRegistry, image, {digest_of(subject): index})
    home.skiff.run("copy", "--all", f"docker://{source.host}/app:1", f"oci:{tmp_path}/layout:1")
    assert source.count("GET /v2/app/referrers/") >= 1
    blobs = {path.name for path in (tmp_path / "layout/blobs/sha256").iterdir()}
    assert digest_of(note).removeprefix("sha256:") in blobs
    assert digest_of(b"a note").removeprefix("sha256:") in blobs


# ---- progress of uploads ----

class SlowUploads(BadRegistry):
    """Has nothing, and reads what is sent only after the test has seen that it is on its way."""

    def __init__(self):
        super().__init__(MemoryImage([]))
        self.seen_by_test = threading.Event()

    def serve(self, request):
        length = int(request.headers.get("Content-Length") or 0)
        if request.command == "HEAD":
            answer(request, 404)
        elif request.command == "POST":
            answer(request, 202, b"", {"Location": f"{request.path}x"})
        elif request.command == "PATCH":
            request.rfile.read(length // 2)
            self.seen_by_test.wait(60)
            request.rfile.read(length - length // 2)
            answer(request, 202, b"", {"Location": request.path,
                                       "Range": f"0-{length - 1}"})
        elif request.command == "PUT":
            request.rfile.read(length)
            answer(request, 201)
        else:
            answer(request, 200, b"{}")


@pytest.mark.parametrize("command", ["push", "copy"])
def test_a_bar_while_uploading(empty_skiff, make_server, tmp_path, command):
    server = make_server(SlowUploads)
    empty_skiff.load(big_image(tmp_path, 24 << 20))
    target = f"{server.host}/app:1" if command == "push" else f"docker://{server.host}/app:1"
    child = empty_skiff.spawn(command, "big:1", target, columns=100)
    child.expect(r"(Pushing|Uploading) \[=*> +\]  [\d.]+[kM]B/2[\d.]+MB")
    server.seen_by_test.set()
    child.expect("Pushed" if command == "push" else "Copied")
    child.expect("sha256:" if command == "push" else r"sha256:[0-9a-f]{64}")
    child.expect(r"\n")
    child.wait()
    assert child.exitstatus == 0


def test_no_bar_elsewhere(empty_skiff, registry, tmp_path):
    empty_skiff.load(big_image(tmp_path, 2 << 20))
    out = empty_skiff.run("push", "big:1", f"{registry.host}/app:1").stdout
    assert "\x1b" not in out and "\r" not in out and out.count("Pushed") == 2
    quiet = empty_skiff.run("push", "-q", "big:1", f"{registry.host}/app:2")
    assert quiet.stdout == f"{registry.host}/app:2\n" and quiet.stderr == ""
