# SPDX-License-Identifier: Apache-2.0
"""What skiff-unpack makes of ordinary layers is, file by file, what GNU tar and Go's tar make."""

import subprocess

import pytest

from helpers import file_tree
from helpers.features import require_tool

# Docker ignores the archive's entry for the root itself.
ROOT = ("/",)


def assert_same(probe, expected, unpack, ignored_fields=None):
    lines = file_tree.differences(file_tree.of_directory(probe, expected),
                                  file_tree.of_directory(probe, unpack.directory), ignored=ROOT,
                                  ignored_fields=ignored_fields)
    assert not lines, "\n".join(lines[:40])


def gnu_tar(*arguments):
    subprocess.run([require_tool("tar"), "--numeric-owner", *map(str, arguments)], check=True)


XATTRS = ["--xattrs", "--xattrs-include=*"]


@pytest.mark.parametrize("options", [
    ["--format=posix", *XATTRS],
    ["--format=posix", *XATTRS, "--sparse"],
    ["--format=posix", *XATTRS, "--sparse", "--sparse-version=0.1"],
    ["--format=posix", *XATTRS, "--sparse", "--sparse-version=0.0"],
    ["--format=posix", *XATTRS, "--hard-dereference"],
], ids=" ".join)
def test_the_menagerie(unpack, probe, zoo, options):
    """Against the directory itself: the archive says all there is to say."""
    archive = unpack.beside("layer.tar")
    gnu_tar("-C", zoo.rootfs, *options, "-cf", archive, ".")
    found = unpack.layer(str(archive))
    assert found["tarSize"] == archive.stat().st_size
    fields = ("links", "linked") if "--hard-dereference" in options else ()
    assert_same(probe, zoo.rootfs, unpack, {"*": fields})


@pytest.mark.parametrize("options", [["--format=gnu"], ["--format=gnu", "--sparse"],
                                     ["--format=oldgnu", "--sparse"]], ids=" ".join)
def test_formats_that_say_less(unpack, probe, zoo, options):
    """Against what GNU tar makes of the same archive: whole seconds, no attributes."""
    archive = unpack.beside("layer.tar")
    gnu_tar("-C", zoo.rootfs, *options, "-cf", archive, ".")
    reference = unpack.beside("reference")
    reference.mkdir()
    gnu_tar("-C", reference, "--same-owner", "-xpf", archive)
    unpack.layer(str(archive))
    assert_same(probe, reference, unpack)


@pytest.mark.parametrize("compressor", ["cat", "gzip -1", "zstd -q -1"])
def test_a_debian_root(unpack, probe, debian_root, compressor):
    command = compressor.split()
    packed = unpack.beside("packed")
    reference = unpack.beside("reference")
    require_tool(command[0])
    with open(debian_root, "rb") as plain, open(packed, "wb") as layer:
        subprocess.run(command, stdin=plain, stdout=layer, check=True)
    reference.mkdir()
    # mmdebstrap records ACLs as extended attributes; GNU tar restores them as such when told.
    gnu_tar("-C", reference, *XATTRS, "--same-owner", "-xpf", debian_root)
    unpack.layer(str(packed))
    assert_same(probe, reference, unpack)
