# SPDX-License-Identifier: Apache-2.0
"""Real disks: one that is full, one that is read-only, a clock that goes backwards; and layers that
are zstd:chunked or eStargz, which are plain layers to us."""

import gzip
import io
import json
import os
import subprocess
import tarfile

import pytest

from docker_archive import Image, OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, add_bytes, sha256
from helpers.registry import zstd_frame


def big_image(name, megabytes):
    image = Image(name, config={"Cmd": ["/file"]})
    image.layer().file("file", os.urandom(megabytes << 20))
    return image


def small_image(name):
    image = Image(name, config={"Cmd": ["/file"]})
    image.layer().file("file", name)
    return image


def in_small_store(skiff, script, megabytes=24):
    """Runs a shell script, with `skiff` in it, whose store is a small disk that nobody else sees."""
    skiff.root.mkdir(exist_ok=True)
    command = " ".join(skiff.command())
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-euc",
         f"mount -t tmpfs -o size={megabytes}m,mode=700 tmpfs {skiff.root}\n"
         f"skiff() {{ {command} \"$@\"; }}\n" + script],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=skiff.environment, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_full_disk(empty_skiff, tmp_path):
    """Nothing is left of what did not fit, what was there stays, and what fits still comes in."""
    big = big_image("big:1", 20).write_docker_archive(tmp_path / "big.tar")
    small = small_image("small:1").write_docker_archive(tmp_path / "small.tar")
    other = small_image("other:1").write_docker_archive(tmp_path / "other.tar")
    out = in_small_store(empty_skiff, f"""
        skiff load -q -i {small}
        before=$(df --output=used {empty_skiff.root} | tail -n1)
        if skiff load -i {big}; then echo loaded; exit 1; fi
        if skiff load <{big}; then echo loaded; exit 1; fi
        if cat {big} | skiff load; then echo loaded; exit 1; fi
        if skiff import {big} flat:1 2>&1; then echo imported; exit 1; fi
        after=$(df --output=used {empty_skiff.root} | tail -n1)
        test $((after - before)) -lt 300
        skiff system fsck
        skiff load -q -i {other}
        skiff images --format '{{{{.Repository}}}}'
    """)
    assert out.count("No space left on device") == 4, out
    assert ": clean\n" in out
    assert out.endswith("other\nsmall\n") or out.endswith("small\nother\n"), out


def test_full_disk_can_be_emptied(empty_skiff, tmp_path):
    """Removing is what people do then: it must not need room that is not there."""
    small = small_image("small:1").write_docker_archive(tmp_path / "small.tar")
    out = in_small_store(empty_skiff, f"""
        skiff load -q -i {small}
        dd if=/dev/zero of={empty_skiff.root}/volumes/fill bs=64k 2>/dev/null || true
        skiff images -q
        rm {empty_skiff.root}/volumes/fill
        skiff rmi small:1
        skiff system fsck
    """)
    assert ": clean\n" in out


def test_read_only_store(empty_skiff, tmp_path):
    """Looking works; changing says what is wrong, in one line."""
    small = small_image("small:1").write_docker_archive(tmp_path / "small.tar")
    out = in_small_store(empty_skiff, f"""
        skiff load -q -i {small}
        mount -o remount,ro {empty_skiff.root}
        for command in "load -i {small}" "rmi small:1" "tag small:1 other:1" "import {small} x:1" \\
                "image prune -af"; do
            if skiff $command 2>{tmp_path}/err; then echo "$command worked"; exit 1; fi
            test "$(wc -l <{tmp_path}/err)" = 1 || {{ cat {tmp_path}/err; exit 1; }}
            grep -q "Read-only file system" {tmp_path}/err || {{ cat {tmp_path}/err; exit 1; }}
        done
        mount -o remount,rw {empty_skiff.root}
        skiff system fsck
        skiff run --rm small:1 || test $? = 126
    """)
    assert ": clean\n" in out


def test_clock_going_backwards(empty_skiff, tmp_path):
    """What was made tomorrow is loaded, listed, checked, pruned and removed today."""
    future = Image("future:1", config={"Cmd": ["/file"]}, created="2099-01-01T00:00:00Z")
    future.layer(mtime=4_100_000_000).file("file", "future")
    empty_skiff.load(future.write_docker_archive(tmp_path / "future.tar"))
    for path in [empty_skiff.root, *empty_skiff.root.rglob("*")]:
        if "diff" not in path.parts:
            os.utime(path, (4_100_000_000, 4_100_000_000), follow_symlinks=False)
    (empty_skiff.root / "staging/left").mkdir()
    os.utime(empty_skiff.root / "staging/left", (4_100_000_000, 4_100_000_000))
    assert "Less than a second ago" in empty_skiff.run("images").stdout
    empty_skiff.run("prune", "-f")
    assert empty_skiff.run("system", "fsck").stdout.endswith("clean\n")
    empty_skiff.run("image", "prune", "-af", "--filter", "until=1h")
    assert empty_skiff.run("images", "-q").stdout, "it was not made before an hour ago"
    empty_skiff.run("image", "prune", "-af")
    assert os.listdir(empty_skiff.root / "layers") == []


# ---- layers that others read piece by piece ----

def skippable(data):
    return b"\x50\x2a\x4d\x18" + len(data).to_bytes(4, "little") + data


def zstd_chunked(tar):
    """Frames that can be read alone, and behind them a table of contents in skippable ones."""
    frames = b"".join(zstd_frame(tar[at:at + 1024]) for at in range(0, len(tar), 1024))
    return frames + skippable(zstd_frame(b'{"version":1,"entries":[]}')) + skippable(b"\0" * 64)


def estargz(tar):
    """Members of gzip that can be read alone, the last an empty one with where the table is."""
    members = b"".join(gzip.compress(tar[at:at + 1024], mtime=0) for at in range(0, len(tar), 1024))
    return members + gzip.compress(b"", mtime=0)


@pytest.mark.parametrize("kind,encode,suffix", [("zstd:chunked", zstd_chunked, "+zstd"),
                                                ("eStargz", estargz, "+gzip")])
def test_chunked_layers(empty_skiff, tmp_path, kind, encode, suffix):
    image = Image("chunked:1", config={"Cmd": ["/file"]})
    image.layer().file("file", os.urandom(5000))
    tar = image.layers[0].tar_bytes()
    layer, config = encode(tar), image.config_bytes()
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": "sha256:" + sha256(config),
                   "size": len(config)},
        "layers": [{"mediaType": OCI_LAYER + suffix, "digest": "sha256:" + sha256(layer),
                    "size": len(layer), "annotations": {
                        "io.github.containers.zstd-chunked.manifest-position": "1:2:3:1",
                        "containerd.io/snapshot/stargz/toc.digest": "sha256:" + "0" * 64}}],
    }).encode()
    index = json.dumps({"schemaVersion": 2, "manifests": [
        {"mediaType": OCI_MANIFEST, "digest": "sha256:" + sha256(manifest), "size": len(manifest),
         "annotations": {"org.opencontainers.image.ref.name": "chunked:1"}}]}).encode()
    archive = tmp_path / "chunked.tar"
    with tarfile.open(archive, "w") as out:
        add_bytes(out, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        add_bytes(out, "index.json", index)
        for blob in (layer, config, manifest):
            add_bytes(out, f"blobs/sha256/{sha256(blob)}", blob)
    empty_skiff.load(archive)
    diff = next((empty_skiff.root / "layers").glob("*/diff/file"))
    assert tar[512:5512] == diff.read_bytes()
    assert empty_skiff.run("system", "fsck").stdout.endswith("clean\n")
    saved = empty_skiff.run("save", "chunked:1", text=False).stdout
    with tarfile.open(fileobj=io.BytesIO(saved)) as out:
        assert out.extractfile(f"blobs/sha256/{sha256(layer)}").read() == layer
