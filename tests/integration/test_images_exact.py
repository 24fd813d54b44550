# SPDX-License-Identifier: Apache-2.0
"""Issue point 11: what a container sees is what the image says, file by file.

Type, mode, owner, time, extended attributes, hard links, devices and content are compared with the
directory that the image was made from, for images written by other people's programs; and with what
`docker export` gives for the same image.
"""

import subprocess

import pytest

from docker_archive import Image
from helpers import file_tree, foreign
from helpers.images import made_once

# Made by every engine when a container starts, so no part of the image.
MADE_AT_START = {"/.dockerenv", "/dev", "/proc", "/sys", "/probe", "/etc/hosts", "/etc/hostname",
                 "/etc/resolv.conf", "/etc/mtab"}
# Making the above changes the time of the directories they are in.
CHANGED_AT_START = {"/": ("mtime",), "/etc": ("mtime",)}


def tree_in_container(skiff, probe, image):
    done = skiff.run("run", "--rm", "-v", f"{probe}:/probe:ro", image, "/probe", "tree", "/")
    return file_tree.parse(done.stdout)


def assert_same(expected, found, ignored_fields=None):
    made = {path for path in {*expected, *found}
            if path in MADE_AT_START or path.startswith(("/dev/", "/proc/", "/sys/"))}
    lines = file_tree.differences(expected, found, made,
                                  {**CHANGED_AT_START, **(ignored_fields or {})})
    assert not lines, f"{len(lines)} differences:\n" + "\n".join(lines[:60])


@pytest.fixture
def foreign_image(session_directory, zoo):
    """Name of a maker -> what it wrote, made once per session."""
    def get(name):
        maker, _ = foreign.MAKERS[name]

        def make(work):
            work.mkdir()
            maker(work, zoo.tar, zoo.rootfs, work / "image")
        return made_once(session_directory / "images" / f"zoo-{name}", make) / "image"
    return get


@pytest.mark.parametrize("name", foreign.MAKERS)
def test_image_of_another_program(empty_skiff, probe, zoo, foreign_image, name):
    empty_skiff.load(foreign_image(name))
    image = empty_skiff.run("images", "-q").stdout.split()[0]

    has_second_layer = foreign.MAKERS[name][1]
    expected = file_tree.of_directory(probe, zoo.changed if has_second_layer else zoo.rootfs)
    found = tree_in_container(empty_skiff, probe, image)
    if not name.startswith(("podman", "docker")):  # the others write whole seconds
        expected = file_tree.with_whole_seconds(expected)
    assert_same(expected, found)


def test_equals_docker_export(empty_skiff, probe, foreign_image, tmp_path):
    archive = foreign_image("docker-save")
    exported = tmp_path / "exported"
    exported.mkdir()
    subprocess.run(["tar", "-C", str(exported), "--numeric-owner", "--xattrs",
                    "--xattrs-include=*", "-xpf", f"{archive}.export"], check=True)

    empty_skiff.load(archive)
    found = tree_in_container(empty_skiff, probe, "example.org/zoo:two")
    reference = file_tree.of_directory(probe, exported)

    # docker export writes whole seconds and leaves out user.* attributes; the test above compares
    # both with the original.
    assert_same(file_tree.with_whole_seconds(reference), file_tree.with_whole_seconds(found),
                {"/zoo/labelled": ("details",)})


@pytest.mark.slow
def test_debian_root(empty_skiff, probe, debian_root, session_directory):
    def extract(path):
        path.mkdir()
        subprocess.run(["tar", "-C", str(path), "--numeric-owner", "--xattrs",
                        "--xattrs-include=*", "-xpf", str(debian_root)], check=True)

    def archive(path):
        image = Image("debian:bookworm", config={"Cmd": ["bash"]})
        image.add_layer(debian_root.read_bytes())
        image.write_docker_archive(path)

    reference = made_once(session_directory / "images" / "debian-reference", extract)
    empty_skiff.load(made_once(session_directory / "images" / "debian.tar", archive))
    found = tree_in_container(empty_skiff, probe, "debian:bookworm")
    assert len(found) > 5000
    assert_same(file_tree.of_directory(probe, reference), found)


def test_layer_order_and_whiteouts(empty_skiff, probe, tmp_path):
    """Three layers by hand: deleted and made again, hidden as a whole, type changed twice."""
    image = Image("layers:test", config={"Cmd": ["/probe"]})
    one = image.layer(mtime=1000)
    for name in ("etc", "dev", "proc", "sys", "a", "b", "c"):
        one.directory(name)
    one.file("a/again", "first")
    one.file("a/gone", "first")
    one.file("b/hidden", "first")
    one.directory("b/hidden-directory")
    one.file("c/kind", "a file")
    two = image.layer(mtime=2000)
    two.whiteout("a/again")
    two.whiteout("a/gone")
    two.directory("b")
    two.opaque("b")
    two.file("b/new", "second")
    two.whiteout("c/kind")
    two.directory("c/kind")
    two.file("c/kind/inside", "second")
    three = image.layer(mtime=3000)
    three.file("a/again", "third")
    three.whiteout("c/kind")
    three.symlink("c/kind", "../a/again")

    empty_skiff.load(image.write_docker_archive(tmp_path / "layers.tar"))
    found = tree_in_container(empty_skiff, probe, "layers:test")
    names = {path for path in found if path.startswith(("/a", "/b", "/c"))}
    assert names == {"/a", "/a/again", "/b", "/b/new", "/c", "/c/kind"}
    assert found["/c/kind"].details == ("target=../a/again",)
    assert found["/a/again"].mtime == "3000.000000000"
    assert found["/b"].mtime == "2000.000000000"
    assert "size=5" in found["/a/again"].details
