# SPDX-License-Identifier: Apache-2.0
"""`export`: the root filesystem as a tar archive, running or not."""

import io
import os
import subprocess
import tarfile

import docker_archive
import pytest

from helpers import file_tree


def members(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: member for member in archive.getmembers()}


def export(skiff, selector):
    return skiff.run("export", selector, text=False).stdout


SCRIPT = """
echo changed > /etc/group; rm /etc/passwd; mkdir -p /new/deep; ln -s /etc/group /new/link
ln /etc/group /new/hard; mkfifo /new/fifo; chmod 4711 /new/deep; touch -d @1234567890 /new/deep
mknod /new/node c 1 3; : > "/new/a name  with spaces"
"""


@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
def test_the_archive_is_what_the_container_sees(skiff, running):
    """Volumes and mounts are left out, whether it runs or not."""
    skiff.start("--name", "one", "-v", "/data", "--tmpfs", "/scratch",
                command=("sh", "-c", SCRIPT + "echo secret > /data/volume; echo > /scratch/x;"
                         "echo ready; exec sleep 1000"))
    skiff.wait_for_output("one", "ready")
    if not running:
        skiff.run("kill", "one")
        skiff.run("wait", "one")
    found = members(export(skiff, "one"))

    assert found["etc/group"].isreg() and found["etc/group"].size == len("changed\n")
    assert "etc/passwd" not in found
    assert found["new/link"].linkname == "/etc/group"
    assert found["new/hard"].islnk() and found["new/hard"].linkname == "etc/group"
    assert found["new/fifo"].isfifo()
    assert (found["new/node"].devmajor, found["new/node"].devminor) == (1, 3)
    assert found["new/deep"].mode & 0o7777 == 0o4711
    assert found["new/deep"].mtime == 1234567890
    assert "new/a name  with spaces" in found
    assert found["data"].isdir() and found["scratch"].isdir()
    for name in found:
        assert not name.startswith(("data/", "scratch/", "proc/", "sys/"))
    assert list(found) == sorted(found, key=lambda name: name.encode().split(b"/"))


def test_twice_the_same_bytes(skiff):
    skiff.run("create", "--name", "one", "busybox", "true")
    first = export(skiff, "one")
    assert first == export(skiff, "one")
    assert len(first) % 512 == 0


def test_the_archive_unpacks_to_the_same_files(skiff, zoo, probe, tmp_path):
    """A file system with one of everything: in as an image, out as an archive."""
    image = docker_archive.Image("zoo:one")
    image.add_layer(zoo.tar.read_bytes())
    image.write_docker_archive(tmp_path / "zoo.tar")
    skiff.load(tmp_path / "zoo.tar")
    skiff.run("create", "--name", "one", "zoo:one", "true")
    out = tmp_path / "out.tar"
    skiff.run("export", "-o", out, "one")
    there = tmp_path / "there"
    there.mkdir()
    subprocess.run(["tar", "--xattrs", "--xattrs-include=*", "--same-owner", "-xpf", str(out),
                    "-C", str(there)], check=True)
    ours = {"/", "/dev", "/proc", "/sys", "/etc", "/etc/hostname", "/etc/hosts",
            "/etc/resolv.conf"}
    expected = file_tree.with_whole_seconds(file_tree.of_directory(probe, zoo.rootfs))
    found = file_tree.with_whole_seconds(file_tree.of_directory(probe, there))
    sockets = [path for path, file in expected.items() if file.kind == "socket"]
    assert not file_tree.differences(expected, found, ignored={*ours, *sockets})


def test_output_file(skiff, tmp_path):
    skiff.run("create", "--name", "one", "busybox", "true")
    out = tmp_path / "c.tar"
    assert skiff.run("export", "--output", out, "one").stdout == ""
    assert "bin/busybox" in members(out.read_bytes())
    skiff.fails("export", "-o", out, "missing", code=1)
    assert "bin/busybox" in members(out.read_bytes())
    assert os.listdir(tmp_path) == ["c.tar"] or sorted(os.listdir(tmp_path))[0] != ".tmp"


def test_errors(skiff):
    skiff.run("create", "--name", "one", "busybox", "true")
    failed = skiff.fails("export", "missing", code=1)
    assert "No such container: missing" in failed.stderr
    failed = skiff.fails("export", "-o", "/nonexistent/directory/file", "one", code=1)
    assert "/nonexistent/directory/file" in failed.stderr
    with open("/dev/full", "wb") as full:
        done = subprocess.run(skiff.command("export", "one"), stdout=full, stderr=subprocess.PIPE,
                              check=False)
    assert done.returncode == 1
    assert b"No space left" in done.stderr
    child = skiff.spawn("export", "one")
    child.expect("cowardly refusing to save to a terminal")


def test_a_reader_that_goes_away(skiff):
    skiff.run("create", "--name", "one", "busybox", "true")
    process = skiff.popen("export", "one", stdin=subprocess.DEVNULL)
    process.stdout.read(1)
    process.stdout.close()
    assert process.wait(60) == 1
