# SPDX-License-Identifier: Apache-2.0
"""Debian's docker-registry on loopback: plain or TLS, open, with passwords or with tokens.

    with DockerRegistry(directory, tls=True, users={"alice": "secret"}) as registry:
        registry.domain     "127.0.0.1:5001"
        registry.host       "localhost:5001"
        registry.name       "registry.localhost:5001"
        registry.ca         the authority that signed its certificate
        registry.put_image("team/app", "1", …)
"""

import base64
import gzip
import hashlib
import io
import json
import re
import socket
import ssl
import subprocess
import tarfile
import urllib.error
import urllib.request

from helpers.features import require_tool
from helpers.waiting import wait_until

CONFIG = """version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {storage}}}
  delete: {{enabled: true}}
http:
  addr: {address}
  secret: x
{tls}{auth}"""

TLS = """  tls: {{certificate: {directory}/server.crt, key: {directory}/server.key}}
"""

AUTH = """auth:
  htpasswd: {{realm: test, path: {directory}/htpasswd}}
"""

TOKEN = """auth:
  token: {{realm: {server.url}, service: test, issuer: test, rootcertbundle: {server.certificate}}}
"""

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY_CONFIG = "application/vnd.oci.empty.v1+json"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def openssl(*args, **options):
    return subprocess.run([require_tool("openssl"), *map(str, args)], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options).stdout


def make_certificates(directory):
    """ca.crt, and server.crt with server.key for 127.0.0.1, localhost and registry.localhost."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", directory / "ca.key", "-out", directory / "ca.crt", "-days", "2",
            "-subj", "/CN=test authority")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", directory / "server.key", "-out", directory / "server.csr",
            "-subj", "/CN=localhost")
    (directory / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:registry.localhost\n")
    openssl("x509", "-req", "-in", directory / "server.csr", "-CA", directory / "ca.crt",
            "-CAkey", directory / "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", directory / "names", "-out", directory / "server.crt")


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class DockerRegistry:
    """`users` is {name: password}; `token_server` a TokenServer of helpers.registry."""

    def __init__(self, directory, tls=False, users=None, token_server=None):
        self.program = require_tool("docker-registry")
        self.directory = directory
        self.users = users or {}
        self.token_server = token_server
        self.tls = tls
        self.process = None
        self.port = None

    @property
    def domain(self):
        return f"127.0.0.1:{self.port}"

    @property
    def host(self):
        return f"localhost:{self.port}"

    @property
    def name(self):
        """A name that nobody takes for loopback, though curl finds it there: no plain HTTP."""
        return f"registry.localhost:{self.port}"

    @property
    def ca(self):
        return self.directory / "ca.crt"

    def __enter__(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.tls:
            make_certificates(self.directory)
        lines = [subprocess.run([require_tool("htpasswd"), "-Bbn", "-C", "4", user, password],
                                check=True, stdout=subprocess.PIPE).stdout.strip()
                 for user, password in self.users.items()]
        (self.directory / "htpasswd").write_bytes(b"\n".join(lines) + b"\n")
        self.start()
        return self

    def start(self):
        self.port = self.port or free_port()
        (self.directory / "config.yml").write_text(CONFIG.format(
            storage=self.directory / "storage", address=self.domain,
            tls=TLS.format(directory=self.directory) if self.tls else "",
            auth=self._authentication()))
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", self.directory / "config.yml"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env={"OTEL_TRACES_EXPORTER": "none", "PATH": "/bin"})
        try:
            wait_until(self._answers, what="docker-registry answers")
        except BaseException:
            self.close()
            raise

    def _authentication(self):
        if self.token_server:
            return TOKEN.format(server=self.token_server)
        return AUTH.format(directory=self.directory) if self.users else ""

    def _answers(self):
        assert self.process.poll() is None, (self.directory / "log").read_text()
        try:
            self.request("GET", "/v2/")
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.process.kill()
        self.process.wait()

    def requests(self):
        """Lines of its log: "GET /v2/…" and what was answered."""
        return (self.directory / "log").read_text(errors="replace").splitlines()

    def count(self, pattern):
        return sum(1 for line in self.requests() if re.search(pattern, line))

    # ---- as a client of its own ----

    def request(self, method, path, data=None, headers=None):
        """The response; raises urllib.error.HTTPError for 4xx and 5xx."""
        scheme = "https" if self.tls else "http"
        url = path if "://" in path else f"{scheme}://{self.domain}{path}"
        request = urllib.request.Request(url, data=data, headers=headers or {}, method=method)
        for user, password in list(self.users.items())[:1]:
            pair = base64.b64encode(f"{user}:{password}".encode()).decode()
            request.add_header("Authorization", f"Basic {pair}")
        context = ssl.create_default_context(cafile=str(self.ca)) if self.tls else None
        return urllib.request.urlopen(request, context=context, timeout=60)

    def put_blob(self, repository, data):
        digest = digest_of(data)
        location = self.request("POST", f"/v2/{repository}/blobs/uploads/", b"").headers["Location"]
        join = "&" if "?" in location else "?"
        self.request("PUT", f"{location}{join}digest={digest}", data,
                     {"Content-Type": "application/octet-stream"})
        return digest

    def put_manifest(self, repository, reference, manifest, media_type=MANIFEST):
        data = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        self.request("PUT", f"/v2/{repository}/manifests/{reference}", data,
                     {"Content-Type": media_type})
        return digest_of(data)

    def manifest(self, repository, reference):
        """(bytes, media type)"""
        response = self.request("GET", f"/v2/{repository}/manifests/{reference}", headers={
            "Accept": ", ".join([MANIFEST, INDEX,
                                 "application/vnd.docker.distribution.manifest.v2+json",
                                 "application/vnd.docker.distribution.manifest.list.v2+json"])})
        return response.read(), response.headers["Content-Type"]

    def blob(self, repository, digest):
        return self.request("GET", f"/v2/{repository}/blobs/{digest}").read()

    def put_image(self, repository, tag, files=None, architecture="amd64", **config):
        """A small image of one layer; the digest of its manifest."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for name, content in (files or {"hello": "hello"}).items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content.encode()))
        layer = gzip.compress(out.getvalue(), mtime=0)
        document = json.dumps({
            "architecture": architecture, "os": "linux", "config": config,
            "rootfs": {"type": "layers", "diff_ids": [digest_of(out.getvalue())]}}).encode()
        manifest = {
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
                       "digest": self.put_blob(repository, document), "size": len(document)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                        "digest": self.put_blob(repository, layer), "size": len(layer)}]}
        return self.put_manifest(repository, tag, manifest)

    def put_index(self, repository, tag, digests):
        """{architecture: digest of a manifest}"""
        entries = [{"mediaType": MANIFEST, "digest": digest,
                    "size": len(self.manifest(repository, digest)[0]),
                    "platform": {"os": "linux", "architecture": architecture}}
                   for architecture, digest in digests.items()]
        return self.put_manifest(repository, tag, {
            "schemaVersion": 2, "mediaType": INDEX, "manifests": entries}, INDEX)
