# SPDX-License-Identifier: Apache-2.0
"""Writes container images as archives, from layers described in Python.

    image = Image("busybox:latest", config={"Cmd": ["sh"]})
    layer = image.layer()
    layer.directory("bin")
    layer.file("bin/busybox", open("/bin/busybox", "rb").read(), mode=0o755)
    layer.symlink("bin/sh", "busybox")
    image.write_docker_archive("busybox.tar")     # what `docker save` wrote before version 25
    image.write_oci_archive("busybox.oci.tar")    # an OCI image layout in a tar

Nothing is checked: the tests also describe images that no honest program would write.
"""

import gzip
import hashlib
import io
import json
import platform
import tarfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"


def native_architecture():
    return ARCHITECTURES.get(platform.machine(), platform.machine())


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def add_bytes(tar, name, data, mode=0o644, mtime=0):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mode = mode
    info.mtime = mtime
    tar.addfile(info, io.BytesIO(data))


class Layer:
    """One layer under construction; every method adds one tar entry."""

    def __init__(self, mtime=0, tar_format=tarfile.PAX_FORMAT):
        self.mtime = mtime
        self._buffer = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._buffer, mode="w", format=tar_format)
        self._bytes = None

    def add(self, name, kind, data=None, **fields):
        """Any entry; fields are those of tarfile.TarInfo."""
        info = tarfile.TarInfo(name)
        info.type = kind
        info.mtime = self.mtime
        for key, value in fields.items():
            setattr(info, key, value)
        if data is not None:
            info.size = len(data)
        self._tar.addfile(info, io.BytesIO(data) if data is not None else None)

    def directory(self, name, mode=0o755, **fields):
        self.add(name, tarfile.DIRTYPE, mode=mode, **fields)

    def file(self, name, data=b"", mode=0o644, **fields):
        if isinstance(data, str):
            data = data.encode()
        self.add(name, tarfile.REGTYPE, data=data, mode=mode, **fields)

    def symlink(self, name, target, **fields):
        self.add(name, tarfile.SYMTYPE, linkname=target, mode=0o777, **fields)

    def hardlink(self, name, target, **fields):
        self.add(name, tarfile.LNKTYPE, linkname=target, **fields)

    def fifo(self, name, mode=0o644, **fields):
        self.add(name, tarfile.FIFOTYPE, mode=mode, **fields)

    def device(self, name, kind, major, minor, mode=0o600, **fields):
        self.add(name, tarfile.CHRTYPE if kind == "c" else tarfile.BLKTYPE,
                 devmajor=major, devminor=minor, mode=mode, **fields)

    def whiteout(self, name):
        head, _, tail = name.rpartition("/")
        self.file(f"{head}/.wh.{tail}" if head else f".wh.{tail}")

    def opaque(self, directory):
        self.file(f"{directory}/.wh..wh..opq")

    def tar_bytes(self):
        if self._bytes is None:
            self._tar.close()
            self._bytes = self._buffer.getvalue()
        return self._bytes


class ReadyLayer:
    """The bytes of a tar."""

    def __init__(self, data):
        self._bytes = data

    def tar_bytes(self):
        return self._bytes


class Image:
    """Layers, bottom first, and a configuration (the inner object: Env, Cmd, User, …)."""

    def __init__(self, *names, config=None, architecture=None, created="1970-01-01T00:00:00Z"):
        self.names = list(names)
        self.config = dict(config or {})
        self.architecture = architecture or native_architecture()
        self.created = created
        self.layers = []

    def layer(self, **options):
        layer = Layer(**options)
        self.layers.append(layer)
        return layer

    def add_layer(self, tar_bytes):
        """A layer that exists already."""
        self.layers.append(ReadyLayer(tar_bytes))

    def config_bytes(self):
        return json.dumps({
            "architecture": self.architecture,
            "os": "linux",
            "created": self.created,
            "config": self.config,
            "rootfs": {
                "type": "layers",
                "diff_ids": ["sha256:" + sha256(one.tar_bytes()) for one in self.layers],
            },
            "history": [{"created": self.created, "created_by": "tools/docker_archive.py"}
                        for _ in self.layers],
        }, separators=(",", ":")).encode()

    @property
    def id(self):
        return "sha256:" + sha256(self.config_bytes())

    def write_docker_archive(self, path):
        config = self.config_bytes()
        config_name = sha256(config) + ".json"
        layer_names = []
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
            for index, layer in enumerate(self.layers):
                data = layer.tar_bytes()
                directory = sha256(f"{index} {sha256(data)}".encode())
                layer_names.append(f"{directory}/layer.tar")
                add_bytes(tar, f"{directory}/VERSION", b"1.0")
                add_bytes(tar, layer_names[-1], data)
            add_bytes(tar, config_name, config)
            add_bytes(tar, "manifest.json", json.dumps([{
                "Config": config_name,
                "RepoTags": self.names or None,
                "Layers": layer_names,
            }]).encode())
        return path

    def write_oci_archive(self, path, compress=True):
        blobs = {}

        def descriptor(media_type, data, **more):
            digest = sha256(data)
            blobs[digest] = data
            return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data),
                    **more}

        layers = []
        for layer in self.layers:
            data = layer.tar_bytes()
            if compress:
                data = gzip.compress(data, compresslevel=1, mtime=0)
            layers.append(descriptor(OCI_LAYER + ("+gzip" if compress else ""), data))
        manifest = descriptor(OCI_MANIFEST, json.dumps({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": descriptor(OCI_CONFIG, self.config_bytes()),
            "layers": layers,
        }).encode())
        index = {"schemaVersion": 2, "manifests": []}
        for name in self.names or [None]:
            entry = dict(manifest)
            if name:
                entry["annotations"] = {"org.opencontainers.image.ref.name": name}
            index["manifests"].append(entry)
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
            add_bytes(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
            add_bytes(tar, "index.json", json.dumps(index).encode())
            for digest, data in blobs.items():
                add_bytes(tar, f"blobs/sha256/{digest}", data)
        return path
