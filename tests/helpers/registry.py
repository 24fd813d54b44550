# SPDX-License-Identifier: Apache-2.0
"""Registries for tests: docker-registry by fixtures, and some in memory that misbehave on purpose.

TokenServer    gives out what docker-registry's token authentication wants, and remembers who asked
BadRegistry    serves images from memory; a test says how it goes wrong
TakingRegistry takes pushed images into memory, and goes wrong in the same way
"""

import base64
import contextlib
import http.server
import io
import itertools
import json
import re
import socket
import ssl
import subprocess
import tarfile
import threading
import time
import urllib.parse
from pathlib import Path

import pytest

from helpers.docker_registry import DockerRegistry, digest_of
from helpers.features import require_tool
from helpers.images import tool

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"


def make_authority(directory, name="localhost"):
    """A certificate for `name` and 127.0.0.1 that is its own authority; (certificate, key)."""
    certificate, key = directory / "domain.crt", directory / "domain.key"
    tool("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1",
         "-keyout", key, "-out", certificate)
    return certificate, key


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # connections that break are the point


class HttpThread:
    """A server on a thread; `handler(request)` is called with the BaseHTTPRequestHandler."""

    def __init__(self, handler, certificate=None, key=None):
        outer = handler

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                outer(self)

            do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        self.server = Server(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def answer(request, status, body=b"", headers=None):
    request.send_response(status)
    for name, value in (headers or {}).items():
        request.send_header(name, value)
    if "Content-Length" not in (headers or {}):
        request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body)


class TokenServer:
    """Tokens as docker-registry wants them (JWT, RS256), for user:password or for anybody."""

    def __init__(self, directory, password=None):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True)
        self.certificate, self.key = make_authority(self.directory, "token")
        self.password = password
        self.seen = []  # (path with query, Authorization)
        self.http = HttpThread(self._handle)
        self.url = f"http://localhost:{self.http.port}/token"

    def close(self):
        self.http.close()

    def _handle(self, request):
        authorization = request.headers.get("Authorization")
        self.seen.append((request.path, authorization))
        if self.password and authorization != basic(self.password):
            answer(request, 401, b"{}")
            return
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query)
        answer(request, 200, json.dumps({"token": self._token(query.get("scope", []))}).encode())

    def _token(self, scopes):
        access = []
        for scope in scopes:
            kind, rest = scope.split(":", 1)
            name, actions = rest.rsplit(":", 1)
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        now = int(time.time())
        header = {"typ": "JWT", "alg": "RS256", "x5c": [self._certificate_text()]}
        claims = {"iss": "test", "sub": "", "aud": "test", "exp": now + 300, "nbf": now - 10,
                  "iat": now, "jti": str(now), "access": access}
        signed = b".".join(url64(json.dumps(part).encode()) for part in (header, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(self.key)],
                                   input=signed, stdout=subprocess.PIPE, check=True).stdout
        return (signed + b"." + url64(signature)).decode()

    def _certificate_text(self):
        return "".join(line for line in self.certificate.read_text().splitlines()
                       if not line.startswith("-----"))


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def basic(password):
    return "Basic " + base64.b64encode(password.encode()).decode()


class MemoryImage:
    """An OCI image in memory: blobs by digest, and its manifest."""

    def __init__(self, layers, config=None):
        """`layers` are tars (bytes), taken as they are."""
        self.blobs = {}
        document = {"architecture": "amd64", "os": "linux", "config": config or {},
                    "rootfs": {"type": "layers",
                               "diff_ids": [digest_of(layer) for layer in layers]}}
        self.manifest = {
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": self._add(json.dumps(document).encode(), OCI_CONFIG),
            "layers": [self._add(layer, OCI_LAYER) for layer in layers],
        }

    def _add(self, data, media_type):
        self.blobs[digest_of(data)] = data
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

    def replace_layer(self, index, data, suffix):
        """The same layer in another form, as the manifest names it: "+gzip"."""
        self.manifest["layers"][index] = self._add(data, OCI_LAYER + suffix)

    def manifest_bytes(self):
        return json.dumps(self.manifest).encode()


class BadRegistry:
    """Serves `image` as any name and tag. A test replaces steps of it:

    before(request) -> True when it has answered itself
    """

    def __init__(self, image, **tls):
        self.image = image
        self.before = None
        self.seen = []  # "GET /v2/…"
        self.headers = []  # those of each request
        self.http = HttpThread(self._handle, **tls)
        self.host = f"localhost:{self.http.port}"

    def close(self):
        self.http.close()

    def count(self, pattern):
        return sum(1 for line in self.seen if re.search(pattern, line))

    def _handle(self, request):
        self.seen.append(f"{request.command} {request.path}")
        self.headers.append(dict(request.headers))
        if self.before and self.before(request):
            return
        self.serve(request)

    def serve(self, request):
        path = urllib.parse.urlsplit(request.path).path
        manifest = self.image.manifest_bytes()
        if re.search(r"/manifests/", path):
            reference = path.rsplit("/", 1)[1]
            extra = getattr(self.image, "documents", {})
            body = extra.get(reference, manifest)
            kind = json.loads(body).get("mediaType", OCI_MANIFEST)
            answer(request, 200, body, {"Content-Type": kind})
        elif re.search(r"/blobs/", path):
            self.serve_blob(request, self.image.blobs.get(path.rsplit("/", 1)[1]))
        else:
            answer(request, 200, b"{}")

    def serve_blob(self, request, data):
        if data is None:
            answer(request, 404, b'{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}')
            return
        start = re.match(r"bytes=(\d+)-$", request.headers.get("Range", ""))
        if start:
            begin = int(start.group(1))
            answer(request, 206, data[begin:], {
                "Content-Range": f"bytes {begin}-{len(data) - 1}/{len(data)}"})
        else:
            answer(request, 200, data)


class TakingRegistry(BadRegistry):
    """Takes what is pushed: `blobs` by digest, `manifests` by (repository, reference)."""

    def __init__(self, **tls):
        super().__init__(None, **tls)
        self.blobs, self.uploads, self.manifests = {}, {}, {}
        self.numbers = itertools.count()

    def take(self, request, limit=None):
        """Some more of an upload; its name."""
        upload = urllib.parse.urlsplit(request.path).path.rsplit("/", 1)[1]
        length = int(request.headers.get("Content-Length") or 0)
        self.uploads[upload] += request.rfile.read(length if limit is None else limit)
        return upload

    def serve(self, request):
        path = urllib.parse.urlsplit(request.path).path
        repository, what, reference = re.match(
            r"/v2/(?:(.+)/(manifests|blobs/uploads|blobs)/(.*))?$", path).groups()
        if what == "manifests" and request.command == "PUT":
            text = request.rfile.read(int(request.headers["Content-Length"]))
            self.manifests[repository, reference] = text
            answer(request, 201, b"", {"Docker-Content-Digest": digest_of(text)})
        elif what == "blobs/uploads":
            self._serve_upload(request, repository, reference)
        elif what == "blobs":
            self.serve_blob(request, self.blobs.get(reference))
        else:
            answer(request, 200 if what is None else 404, b"{}")

    def _serve_upload(self, request, repository, upload):
        if request.command == "POST":
            upload = f"u{next(self.numbers)}"
            self.uploads[upload] = b""
        elif request.command in ("PATCH", "PUT"):
            self.take(request)
        where = {"Location": f"/v2/{repository}/blobs/uploads/{upload}"}
        if request.command == "PUT":
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query)
            data = self.uploads.pop(upload)
            assert query["digest"] == [digest_of(data)]
            self.blobs[digest_of(data)] = data
            answer(request, 201, b"")
        else:
            if self.uploads[upload]:
                where["Range"] = f"0-{len(self.uploads[upload]) - 1}"
            answer(request, 204 if request.command == "GET" else 202, b"", where)

    def assert_whole(self, repository, tag):
        """The manifest is there, and all that it names."""
        manifest = json.loads(self.manifests[repository, tag])
        for item in [manifest["config"], *manifest["layers"]]:
            assert len(self.blobs[item["digest"]]) == item["size"]


def cut(request, data, after, total=None):
    """Announces `total` bytes, sends `after`, and breaks the connection."""
    request.send_response(200)
    request.send_header("Content-Length", str(total if total is not None else len(data)))
    request.end_headers()
    request.wfile.write(data[:after])
    request.wfile.flush()
    request.close_connection = True
    with contextlib.suppress(OSError):
        request.connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def make_registry(tmp_path):
    """A function that starts a docker-registry; all are ended with the test."""
    made = []

    def make(**options):
        registry = DockerRegistry(tmp_path / f"registry-{len(made)}", **options)
        made.append(registry.__enter__())
        return registry

    yield make
    for registry in made:
        registry.close()


@pytest.fixture
def registry(make_registry):
    """docker-registry, plain HTTP on loopback."""
    return make_registry()


@pytest.fixture
def make_server():
    """make_server(Class, ...) makes something with close(), which is called at the end."""
    with contextlib.ExitStack() as stack:
        def make(kind, *args, **options):
            made = kind(*args, **options)
            stack.callback(made.close)
            return made
        yield make


def small_tar(files):
    """A tar of {name: bytes}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zstd_frame(data):
    return subprocess.run([require_tool("zstd"), "-c"], input=data, check=True,
                          stdout=subprocess.PIPE).stdout
