# SPDX-License-Identifier: Apache-2.0
"""import: a tarball becomes an image."""

import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
import tarfile

import pytest

from docker_archive import Layer, sha256
from helpers.features import require_tool

COMPRESS = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: subprocess.run([require_tool("zstd"), "-c"], input=data, check=True,
                                        stdout=subprocess.PIPE).stdout,
}


def root_filesystem():
    layer = Layer()
    layer.directory("bin")
    with open("/bin/busybox", "rb") as program:
        layer.file("bin/busybox", program.read(), mode=0o755)
    layer.hardlink("bin/sh", "bin/busybox", mode=0o755)
    layer.hardlink("bin/cat", "bin/busybox", mode=0o755)
    layer.file("note", "imported\n")
    return layer.tar_bytes()


def config_of(skiff, image):
    identity = skiff.inspect(image)["Id"]
    return json.loads((skiff.root / "oci/blobs/sha256" / identity.removeprefix("sha256:"))
                      .read_text())


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("way", ["file", "pipe"])
def test_import(empty_skiff, tmp_path, compression, way):
    plain = root_filesystem()
    data = COMPRESS[compression](plain)
    if way == "file":
        (tmp_path / "root.tar").write_bytes(data)
        out = empty_skiff.run("import", tmp_path / "root.tar", "flat:1").stdout
    else:
        out = empty_skiff.run("import", "-", "flat:1", input=data).stdout
    image = empty_skiff.inspect("flat:1")
    assert out == image["Id"] + "\n"
    assert image["RootFS"]["Layers"] == ["sha256:" + sha256(plain)]
    assert (empty_skiff.root / "oci/blobs/sha256" / sha256(data)).read_bytes() == data
    assert empty_skiff.run("run", "--rm", "flat:1", "cat", "/note").stdout == "imported\n"
    assert empty_skiff.run("system", "fsck").stdout.endswith("clean\n")
    assert os.listdir(empty_skiff.root / "staging") == []


def test_configuration(empty_skiff):
    empty_skiff.run("import", "-c", 'CMD ["cat", "/note"]', "--change", "ENV A=b", "-m", "why",
                    "--platform", "linux/arm64", "-", "flat:1", input=root_filesystem())
    config = config_of(empty_skiff, "flat:1")
    assert config["config"] == {"Cmd": ["cat", "/note"], "Env": ["A=b"]}
    assert (config["os"], config["architecture"]) == ("linux", "arm64")
    assert config["comment"] == "why"
    step, = config["history"]
    assert step == {"created": config["created"], "comment": "why"}
    assert "why" in empty_skiff.run("history", "flat:1").stdout


def test_default_message_and_command(empty_skiff):
    empty_skiff.run("import", "-c", 'CMD ["cat", "/note"]', "-", "flat", input=root_filesystem())
    assert config_of(empty_skiff, "flat:latest")["comment"] == "Imported from -"
    assert empty_skiff.run("run", "--rm", "flat").stdout == "imported\n"


def test_without_a_name(empty_skiff):
    identity = empty_skiff.run("import", "-", input=root_filesystem()).stdout.strip()
    assert empty_skiff.inspect(identity)["RepoTags"] == []


def test_takes_the_name_from_another(empty_skiff):
    first = empty_skiff.run("import", "-m", "1", "-", "a:1", input=root_filesystem()).stdout.strip()
    second = empty_skiff.run("import", "-m", "2", "-", "a:1", input=root_filesystem()).stdout.strip()
    assert first != second
    assert empty_skiff.inspect("a:1")["Id"] == second
    assert empty_skiff.inspect(first)["RepoTags"] == []


def test_export_then_import(skiff):
    skiff.run("run", "--name", "box", "busybox", "sh", "-c", "echo mine >/mine")
    tar = skiff.run("export", "box", text=False).stdout
    skiff.run("import", "-", "flat:1", input=tar)
    assert skiff.run("run", "--rm", "flat:1", "/bin/cat", "/mine").stdout == "mine\n"


@pytest.mark.parametrize("arguments,message", [
    (["-c", "FROM x", "-", "a"], "FROM is not a valid change command"),
    (["-c", "EXPOSE x", "-", "a"], "no such port"),
    (["-", "UPPER"], "invalid reference format"),
    (["-", "a@sha256:" + "0" * 64], "cannot import digest reference"),
    (["https://example.org/root.tar"], "only files and '-' can be imported"),
    (["/nowhere.tar"], "No such file or directory"),
    (["/etc"], "is a directory"),
    (["--platform", "a/b/c/d", "-"], "platform"),
])
def test_refused(empty_skiff, arguments, message):
    result = empty_skiff.fails("import", *arguments, input=root_filesystem())
    assert message in result.stderr and result.stderr.count("\n") == 1
    assert empty_skiff.run("images", "-q").stdout == ""
    empty_skiff.run("image", "prune", "-f")
    assert empty_skiff.run("system", "fsck").stdout.endswith("clean\n")


@pytest.mark.parametrize("data", [b"no archive", root_filesystem()[:5000], b"\x1f\x8b broken"])
def test_bad_archives(empty_skiff, data):
    result = empty_skiff.fails("import", "-", "bad:1", input=data, code=1)
    assert result.stderr.count("\n") == 1
    for name in ("staging", "layers", "oci/blobs/sha256"):
        assert os.listdir(empty_skiff.root / name) == []


def test_hostile_names(empty_skiff, canary):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo("../../escaped")
        info.size = 0
        tar.addfile(info)
    assert "leads out" in empty_skiff.fails("import", "-", input=buffer.getvalue()).stderr
    canary.assert_untouched()
