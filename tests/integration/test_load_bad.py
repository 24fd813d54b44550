# SPDX-License-Identifier: Apache-2.0
"""load, given what is no image: one clear line, docker's exit code, nothing left behind.

What is wrong inside a layer is in test_unpack.py.
"""

import gzip
import hashlib
import io
import json
import os
import random
import tarfile

import pytest

from docker_archive import Image
from helpers.images import tool

LOAD_FAILED = 1
RUN_FAILED = 125


def assert_store_is_empty(skiff):
    assert skiff.run("images", "-q").stdout == ""
    for directory in ("staging", "layers", "oci/blobs/sha256"):
        assert os.listdir(skiff.root / directory) == []


def assert_refuses(skiff, path, *words):
    result = skiff.fails("load", "-i", path, code=LOAD_FAILED)
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result
    for word in words:
        assert word in lines[0], result
    assert_store_is_empty(skiff)


def small_image(**options):
    image = Image("a:1", **options)
    image.layer().file("file", random.Random(1).randbytes(30000))
    image.layer().file("second", random.Random(2).randbytes(30000))
    return image


def read_archive(path):
    """Names and contents of a tar, in order."""
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def write_archive(path, files):
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture
def docker_files(tmp_path):
    return read_archive(small_image().write_docker_archive(tmp_path / "docker.tar"))


@pytest.fixture
def oci_files(tmp_path):
    return read_archive(small_image().write_oci_archive(tmp_path / "oci.tar"))


# ---- no archive ----

NO_ARCHIVES = {
    "nothing": b"",
    "text": b"this is not a tar archive\n" * 100,
    "one byte": b"x",
    "random": random.Random(3).randbytes(100000),
    "zeros": bytes(100000),
    "gzip of text": gzip.compress(b"hello" * 1000),
    "gzip of nothing": gzip.compress(b""),
    "half a gzip": gzip.compress(random.Random(4).randbytes(100000))[:5000],
    "zstd magic": b"\x28\xb5\x2f\xfd" + bytes(100),
    "xz magic": b"\xfd7zXZ\x00" + bytes(100),
    "bzip2 magic": b"BZh9" + bytes(100),
}


@pytest.mark.parametrize("name", NO_ARCHIVES)
def test_no_archive(empty_skiff, tmp_path, name):
    path = tmp_path / "file"
    path.write_bytes(NO_ARCHIVES[name])
    assert_refuses(empty_skiff, path)
    result = empty_skiff.fails("load", input=NO_ARCHIVES[name], code=LOAD_FAILED)
    assert len(result.stderr.splitlines()) == 1, result
    assert_store_is_empty(empty_skiff)


def test_no_file(empty_skiff, tmp_path):
    result = empty_skiff.fails("load", "-i", tmp_path / "nothing", code=LOAD_FAILED)
    assert result.stderr.count("\n") == 1
    assert "No such file or directory" in result.stderr


def test_empty_directory(empty_skiff, tmp_path):
    assert_refuses(empty_skiff, tmp_path, "no image")


def test_tar_without_an_image(empty_skiff, tmp_path):
    path = write_archive(tmp_path / "x.tar", {"etc/passwd": b"root"})
    assert_refuses(empty_skiff, path, "manifest.json", "index.json")


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["docker", "oci"])
def test_cut_at_every_4_kib(empty_skiff, tmp_path, layout):
    image = small_image()
    whole = tmp_path / "whole.tar"
    if layout == "docker":
        image.write_docker_archive(whole)
    else:
        image.write_oci_archive(whole)
    data = whole.read_bytes()
    cut = tmp_path / "cut.tar"
    for length in range(0, len(data) - 10240, 4096):
        cut.write_bytes(data[:length])
        result = empty_skiff.fails("load", "-i", cut, code=LOAD_FAILED)
        assert len(result.stderr.splitlines()) == 1, (length, result)
    assert_store_is_empty(empty_skiff)


# ---- docker archives ----

def with_manifest(files, **changes):
    entry = json.loads(files["manifest.json"])[0]
    entry.update(changes)
    return {**files, "manifest.json": json.dumps([entry]).encode()}


BAD_NAMES = ["missing", "/etc/passwd", "../../../../../../etc/passwd", "a/../../b", "", ".", "..",
             "a//b", "x" * 65536]


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: name[:20] or "empty")
def test_manifest_names_no_file(empty_skiff, tmp_path, docker_files, name):
    for changes in ({"Config": name}, {"Layers": [name, name]}):
        path = write_archive(tmp_path / "x.tar", with_manifest(docker_files, **changes))
        assert_refuses(empty_skiff, path)
        with tarfile.open(path) as tar:
            tar.extractall(tmp_path / "unpacked")
        assert_refuses(empty_skiff, tmp_path / "unpacked")


BAD_DOCUMENTS = {
    "no JSON": b"{",
    "a number": b"1",
    "not UTF-8": b'[{"Config": "\xff", "Layers": []}]',
    "too deep": b"[" * 100000 + b"]" * 100000,
    "too long": b"[" + b" " * (9 << 20) + b"]",
    "a key twice": b'[{"Config": "a", "Config": "b", "Layers": []}]',
    "empty list": b"[]",
    "list of numbers": b"[1, 2]",
}


@pytest.mark.parametrize("name", BAD_DOCUMENTS)
def test_bad_documents(empty_skiff, tmp_path, docker_files, oci_files, name):
    files = {**docker_files, "manifest.json": BAD_DOCUMENTS[name]}
    assert_refuses(empty_skiff, write_archive(tmp_path / "x.tar", files))
    files = {**oci_files, "index.json": BAD_DOCUMENTS[name]}
    assert_refuses(empty_skiff, write_archive(tmp_path / "y.tar", files))


@pytest.mark.parametrize("name", ["no JSON", "not UTF-8", "too deep", "too long"])
def test_bad_configuration(empty_skiff, tmp_path, docker_files, name):
    files = with_manifest({**docker_files, "c.json": BAD_DOCUMENTS[name]}, Config="c.json")
    assert_refuses(empty_skiff, write_archive(tmp_path / "x.tar", files))


@pytest.mark.parametrize("names", [["UPPER:1"], ["a b"], ["a:b:c"], [7], "a:1", ["x" * 300]],
                         ids=str)
def test_bad_image_names(empty_skiff, tmp_path, docker_files, names):
    path = write_archive(tmp_path / "x.tar", with_manifest(docker_files, RepoTags=names))
    assert_refuses(empty_skiff, path)


def test_configuration_does_not_match_its_digest(empty_skiff, tmp_path, docker_files):
    name = json.loads(docker_files["manifest.json"])[0]["Config"]
    docker_files[name] = docker_files[name].replace(b"docker_archive", b"docker-archive")
    assert_refuses(empty_skiff, write_archive(tmp_path / "x.tar", docker_files), "digest")


def test_layer_does_not_match_its_diff_id(empty_skiff, tmp_path, docker_files):
    first, second = json.loads(docker_files["manifest.json"])[0]["Layers"]
    docker_files[first], docker_files[second] = docker_files[second], docker_files[first]
    assert_refuses(empty_skiff, write_archive(tmp_path / "x.tar", docker_files), "layer")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_wrong_number_of_layers(empty_skiff, tmp_path, docker_files, count):
    layers = (2 * json.loads(docker_files["manifest.json"])[0]["Layers"])[:count]
    path = write_archive(tmp_path / "x.tar", with_manifest(docker_files, Layers=layers))
    assert_refuses(empty_skiff, path, "2 layers", f"manifest {count}")


@pytest.mark.parametrize("write", ["write_docker_archive", "write_oci_archive"])
def test_another_architecture(empty_skiff, tmp_path, write):
    image = small_image(architecture="s390x")
    path = getattr(image, write)(tmp_path / "x.tar")
    refused = empty_skiff.fails("load", "--platform", "linux/arm64", "-i", path, code=1)
    assert "linux/s390x" in refused.stderr and "linux/arm64" in refused.stderr
    assert empty_skiff.run("images", "-q").stdout == ""
    # It may be for another machine; but it does not run on this one by mistake.
    empty_skiff.run("load", "-i", path)
    result = empty_skiff.fails("run", "--rm", f"{'oci' if 'oci' in write else 'docker'}-archive:"
                               f"{path}", code=RUN_FAILED)
    assert "is for linux/s390x, this machine is linux/" in result.stderr


# ---- OCI layouts ----

def oci_document(files, path):
    """The document that index.json leads to: "manifest" or "config"."""
    index = json.loads(files["index.json"])
    manifest_name = "blobs/sha256/" + index["manifests"][0]["digest"].split(":")[1]
    manifest = json.loads(files[manifest_name])
    if path == "manifest":
        return index, manifest_name, manifest
    return index, "blobs/sha256/" + manifest["config"]["digest"].split(":")[1], manifest


def with_new_manifest(files, change):
    """Changes the manifest and everything that depends on it."""
    index, name, manifest = oci_document(files, "manifest")
    change(manifest)
    data = json.dumps(manifest).encode()
    digest = hashlib.sha256(data).hexdigest()
    index["manifests"][0].update(digest=f"sha256:{digest}", size=len(data))
    files = {key: value for key, value in files.items() if key != name}
    return {**files, f"blobs/sha256/{digest}": data, "index.json": json.dumps(index).encode()}


def layer_change(**fields):
    return lambda manifest: manifest["layers"][0].update(fields)


OTHER = "sha256:" + "1" * 64
MANIFEST_CHANGES = {
    "no such blob": layer_change(digest=OTHER),
    "size too small": layer_change(size=10),
    "size too large": layer_change(size=1 << 30),
    "size negative": layer_change(size=-1),
    "size huge": layer_change(size=(1 << 63) - 1),
    "size beyond 64 bits": layer_change(size=1 << 70),
    "size a fraction": layer_change(size=1.5),
    "size a text": layer_change(size="10"),
    "digest of another kind": layer_change(digest="md5:" + "1" * 32),
    "digest that is a path": layer_change(digest="sha256:../../../../etc/passwd"),
    "no configuration": lambda manifest: manifest.pop("config"),
    "no layers": lambda manifest: manifest.pop("layers"),
    "also an index": lambda manifest: manifest.update(manifests=[]),
    "says it is an index": lambda manifest: manifest.update(
        mediaType="application/vnd.oci.image.index.v1+json"),
    "says it is docker's": lambda manifest: manifest.update(
        mediaType="application/vnd.docker.distribution.manifest.v2+json"),
    "another schema": lambda manifest: manifest.update(schemaVersion=1),
    "no image": lambda manifest: manifest["config"].update(
        mediaType="application/vnd.cncf.helm.config.v1+json"),
    "a layer twice": lambda manifest: manifest["layers"].append(manifest["layers"][0]),
    "a thousand layers": lambda manifest: manifest.update(layers=1000 * manifest["layers"]),
}


@pytest.mark.parametrize("name", MANIFEST_CHANGES)
def test_bad_manifest(empty_skiff, tmp_path, oci_files, name):
    files = with_new_manifest(oci_files, MANIFEST_CHANGES[name])
    assert_refuses(empty_skiff, write_archive(tmp_path / "x.tar", files))


def test_blob_with_other_content(empty_skiff, tmp_path, oci_files):
    """Of the same size, so only the digest tells."""
    for name in [name for name in oci_files if name.startswith("blobs/")]:
        data = bytearray(oci_files[name])
        data[len(data) // 2] ^= 1
        path = write_archive(tmp_path / "x.tar", {**oci_files, name: bytes(data)})
        assert_refuses(empty_skiff, path)


def test_blob_missing_or_cut(empty_skiff, tmp_path, oci_files):
    for name in [name for name in oci_files if name.startswith("blobs/")]:
        without = {key: value for key, value in oci_files.items() if key != name}
        assert_refuses(empty_skiff, write_archive(tmp_path / "x.tar", without))
        cut = {**oci_files, name: oci_files[name][:-1]}
        assert_refuses(empty_skiff, write_archive(tmp_path / "y.tar", cut))


def test_layer_that_grows_without_end(empty_skiff, tmp_path):
    """Some 3 GB of zeros in 3 MB: refused at the bound, not written to the end."""
    info = tarfile.TarInfo("zeros")
    info.size = 3 << 30
    megabyte = gzip.compress(bytes(1 << 20))  # a gzip file may have many members
    data = gzip.compress(info.tobuf()) + (3 << 10) * megabyte + gzip.compress(bytes(10240))
    files = read_archive(small_image().write_docker_archive(tmp_path / "docker.tar"))
    first = json.loads(files["manifest.json"])[0]["Layers"][0]
    files[first] = data
    assert_refuses(empty_skiff, write_archive(tmp_path / "x.tar", files), "layer 1 of 2",
                   "unpacks to more than")


# ---- stores that cannot take it ----

def in_private_mounts(skiff, commands):
    """Runs shell commands where mounts are seen by nobody else; $SKIFF is the program."""
    program = " ".join(skiff.command())
    return tool("unshare", "--mount", "--propagation", "private", "sh", "-c",
                f"SKIFF='{program}'\n{commands}", env=skiff.environment)


def test_full_disk(empty_skiff, tmp_path):
    image = Image("a:1")
    image.layer().file("file", random.Random(1).randbytes(4 << 20))
    image.write_docker_archive(tmp_path / "x.tar")
    out = in_private_mounts(empty_skiff, f"""
        mkdir -m 0700 {empty_skiff.root}
        mount -t tmpfs -o size=3m,mode=700 none {empty_skiff.root} || exit 1
        $SKIFF load -i {tmp_path}/x.tar && exit 1
        $SKIFF load < {tmp_path}/x.tar && exit 1
        find {empty_skiff.root}/staging {empty_skiff.root}/layers {empty_skiff.root}/oci -type f
        $SKIFF images -q
    """)
    lines = out.splitlines()
    assert len(lines) == 2, out
    assert all("No space left on device" in line for line in lines), out


@pytest.mark.parametrize("made", [False, True], ids=["not there", "there"])
def test_read_only_store(empty_skiff, busybox, made):
    if made:
        empty_skiff.run("images")
    out = in_private_mounts(empty_skiff, f"""
        mkdir -p -m 0700 {empty_skiff.root}
        mount --bind {empty_skiff.root} {empty_skiff.root}
        mount -o remount,ro,bind {empty_skiff.root} || exit 1
        $SKIFF load -i {busybox} && exit 1
        exit 0
    """)
    assert len(out.splitlines()) == 1, out
    assert "Read-only file system" in out
