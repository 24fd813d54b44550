# SPDX-License-Identifier: Apache-2.0
"""What is run and what is loaded: a busybox image, a Debian root, their archives."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tools"))
import docker_archive  # noqa: E402

IMAGE = "localhost/bench:latest"
LARGE = "localhost/bench-large:latest"
DEBIAN_PACKAGES = "python3,git,vim,procps,iproute2,less,man-db"
COMPRESSORS = {"plain": None, "gzip": ["gzip", "-6"], "zstd": ["zstd", "-3", "-T1", "-q"]}


def tool(*command, **options):
    done = subprocess.run([str(one) for one in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode:
        raise OSError(f"{' '.join(map(str, command))}: "
                      f"{done.stdout.decode(errors='replace').strip()[-400:]}")
    return done.stdout.decode(errors="replace")


def make_busybox(directory):
    """The image that `make try` uses, as an archive; and its root filesystem, unpacked."""
    archive, root = directory / "busybox.tar", directory / "rootfs"
    tool(TREE / "tools/make-busybox-image", "--name", IMAGE, archive)
    root.mkdir()
    with tarfile.open(archive) as outer:
        manifest = json.load(outer.extractfile("manifest.json"))
        for layer in manifest[0]["Layers"]:
            with tarfile.open(fileobj=outer.extractfile(layer)) as inner:
                inner.extractall(root)
    # Mount points, which whoever runs a bundle or a bare directory has to have.
    for name in ("hosts", "hostname", "resolv.conf"):
        (root / "etc" / name).touch()
    return archive, root


def make_debian_tar(path):
    """About 300 MB. Without mmdebstrap or a mirror: the same amount of this machine's /usr."""
    if shutil.which("mmdebstrap"):
        try:
            tool("mmdebstrap", "--mode=root", "--variant=minbase", "--format=tar",
                 f"--include={DEBIAN_PACKAGES}", "bookworm", path)
            return "Debian 12 root by mmdebstrap"
        except OSError:
            pass
    with tarfile.open(path, "w") as tar:
        size = 0
        for directory, _, names in os.walk("/usr"):
            for name in sorted(names):
                file = os.path.join(directory, name)
                if os.path.islink(file) or not os.path.isfile(file):
                    continue
                tar.add(file)
                size += os.path.getsize(file)
                if size > 300e6:
                    return "300 MB of this machine's /usr"
    return "this machine's /usr"


def sha256_file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def make_files_tar(path, count, size, seed):
    """Files that shrink to about half, the same every time."""
    chance = random.Random(seed)
    with tarfile.open(path, "w") as tar:
        for number in range(count):
            length = chance.randint(size // 2, size * 3 // 2)
            data = b"".join(chance.randbytes(min(1 << 20, (length - at) // 2)).hex().encode()
                            for at in range(0, length - 1, 2 << 20))
            docker_archive.add_bytes(tar, f"data/{number % 50:02}/{number:05}", data)


def split_layer(directory, layer_tar, count):
    """The same files in `count` layers of about the same size, as a long Dockerfile leaves them.

    A hard link to a file of an earlier layer becomes a copy: layers cannot link to each other.
    """
    limit = os.path.getsize(layer_tar) / count
    paths, layer, names, used = [], None, set(), 0
    with tarfile.open(layer_tar) as source:
        for member in source:
            if layer is None or used > limit * len(paths):
                if layer:
                    layer.close()
                paths.append(directory / f"part-{len(paths):02}.tar")
                layer, names = tarfile.open(paths[-1], "w"), set()
            if member.islnk() and member.linkname not in names:
                data = source.extractfile(member)
                member.type = tarfile.REGTYPE
                member.size = source.getmember(member.linkname).size
            else:
                data = source.extractfile(member) if member.isreg() else None
            layer.addfile(member, data)
            names.add(member.name)
            used += member.size
    layer.close()
    return paths


def compress_layer(layer_tar, target, compression):
    command = COMPRESSORS[compression]
    if command is None:
        os.link(layer_tar, target)
        return
    with open(layer_tar, "rb") as source, open(target, "wb") as output:
        subprocess.run(command, stdin=source, stdout=output, check=True)


def make_archive(directory, label, layer_tars, compression):
    """A docker archive of these layers, plain or compressed; the layers are left beside it."""
    layers = []
    for number, layer_tar in enumerate(layer_tars):
        layers.append(directory / f"{label}-{compression}-{number}")
        compress_layer(layer_tar, layers[-1], compression)
    config = json.dumps({
        "architecture": docker_archive.native_architecture(), "os": "linux",
        "config": {"Cmd": ["/bin/sh"], "Labels": {"case": f"{label} {compression}"}},
        "rootfs": {"type": "layers",
                   "diff_ids": ["sha256:" + sha256_file(one) for one in layer_tars]},
    }).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    archive = directory / f"{label}-{compression}.tar"
    with tarfile.open(archive, "w") as tar:
        for number, layer in enumerate(layers):
            tar.add(layer, f"{number}/layer.tar")
        docker_archive.add_bytes(tar, name, config)
        docker_archive.add_bytes(tar, "manifest.json", json.dumps([
            {"Config": name, "RepoTags": [LARGE],
             "Layers": [f"{number}/layer.tar" for number in range(len(layers))]}]).encode())
    return archive, layers
