# SPDX-License-Identifier: Apache-2.0
"""`cp` where docker is no measure: running containers, what is mounted in them, owners, messages.
Docker's table of files and directories is in test_files_like_docker.py."""

import io
import os
import subprocess
import tarfile

import pytest


def content(skiff, selector, path):
    """What the file holds, as the container itself sees it."""
    return skiff.run("exec", selector, "cat", path).stdout


@pytest.fixture
def running(skiff, tmp_path):
    """A container with everything that can be mounted; bind is a directory of the host."""
    (tmp_path / "bind").mkdir()
    skiff.start("--name", "one", "-v", "vol:/vol", "-v", f"{tmp_path}/bind:/bind",
                "--tmpfs", "/scratch")
    return skiff


@pytest.mark.parametrize("place", ["/vol", "/bind", "/scratch", "/tmp", "/dev/shm"])
def test_running_in_and_out(running, tmp_path, place):
    (tmp_path / "file").write_text("hello\n")
    running.run("cp", tmp_path / "file", f"one:{place}/there")
    assert content(running, "one", f"{place}/there") == "hello\n"
    running.run("exec", "one", "sh", "-c", f"echo changed >> {place}/there")
    running.run("cp", f"one:{place}/there", tmp_path / "back")
    assert (tmp_path / "back").read_text() == "hello\nchanged\n"


def test_paused(running, tmp_path):
    running.run("pause", "one")
    (tmp_path / "file").write_text("frozen")
    running.run("cp", tmp_path / "file", "one:/scratch/file")
    running.run("cp", "one:/scratch/file", tmp_path / "back")
    assert (tmp_path / "back").read_text() == "frozen"
    running.run("unpause", "one")


def test_stopped_with_volume_and_bind(skiff, tmp_path):
    (tmp_path / "bind").mkdir()
    (tmp_path / "file").write_text("hello")
    skiff.run("create", "--name", "one", "-v", "vol:/vol", "-v", f"{tmp_path}/bind:/bind",
              "busybox", "cat", "/vol/file", "/bind/file", "/file")
    for place in ("vol/", "bind/", ""):
        skiff.run("cp", tmp_path / "file", f"one:/{place}")
        skiff.run("cp", f"one:/{place}file", tmp_path / "back")
        assert (tmp_path / "back").read_text() == "hello"
    assert (tmp_path / "bind/file").read_text() == "hello"
    assert skiff.run("start", "-a", "one").stdout == "hello" * 3


def test_a_volume_is_filled_before_it_is_copied_from(skiff, tmp_path):
    """As docker, which fills it when the container is created."""
    skiff.run("create", "--name", "one", "-v", "vol:/etc", "-v", "new:/new/point", "busybox",
              "true")
    skiff.run("cp", "one:/etc/passwd", tmp_path)
    assert "root" in (tmp_path / "passwd").read_text()


@pytest.mark.parametrize("running", [False, True])
def test_read_only(skiff, tmp_path, running):
    (tmp_path / "file").write_text("hello")
    options = ["--name", "one", "--read-only", "-v", "wr:/wr", "-v", "ro:/ro:ro", "busybox",
               "sleep", "1000"]
    skiff.run(*(["run", "-d"] if running else ["create"]), *options)
    failed = skiff.fails("cp", tmp_path / "file", "one:/tmp/", code=1)
    assert "container rootfs is marked read-only" in failed.stderr
    failed = skiff.fails("cp", tmp_path / "file", "one:/ro/", code=1)
    assert "mounted volume is marked read-only" in failed.stderr
    skiff.run("cp", tmp_path / "file", "one:/wr/")
    skiff.run("cp", "one:/wr/file", tmp_path / "back")


def test_owners(skiff, tmp_path):
    """To the host: whoever copies, or with -a as it was. To a container: as on the host, or with -a
    the container's user."""
    (tmp_path / "file").write_text("x")
    os.chown(tmp_path / "file", 1234, 5678)
    skiff.start("--name", "one", "--user", "77:88")
    for options, owner in (([], "1234:5678"), (["-a"], "77:88")):
        skiff.run("cp", *options, tmp_path / "file", "one:/tmp/file")
        assert skiff.run("exec", "one", "stat", "-c", "%u:%g", "/tmp/file").stdout.strip() == owner
    for options, owner in (([], (0, 0)), (["-a"], (77, 88))):
        skiff.run("cp", *options, "one:/tmp/file", tmp_path / "back")
        st = (tmp_path / "back").stat()
        assert (st.st_uid, st.st_gid) == owner


def test_kernel_files(running, tmp_path):
    """They say nothing of their size, and are read all the same; the rest of /proc is left alone."""
    running.run("cp", "one:/proc/version", tmp_path)
    assert (tmp_path / "version").read_text() == open("/proc/version", encoding="utf-8").read()
    running.run("cp", "one:/", tmp_path / "all")
    assert os.listdir(tmp_path / "all/proc") == []
    assert os.listdir(tmp_path / "all/dev") == []
    assert (tmp_path / "all/vol").is_dir() and (tmp_path / "all/bin/busybox").is_file()


@pytest.mark.parametrize("compress", [None, "gzip", "xz", "bzip2", "zstd"])
def test_stream_in(running, tmp_path, compress):
    (tmp_path / "file").write_text("streamed\n")
    data = subprocess.run(["tar", "-C", str(tmp_path), "-cf", "-", "file"], check=True,
                          stdout=subprocess.PIPE).stdout
    if compress:
        data = subprocess.run([compress, "-c"], input=data, check=True,
                              stdout=subprocess.PIPE).stdout
    running.run("cp", "-", "one:/tmp", input=data)
    assert content(running, "one", "/tmp/file") == "streamed\n"


def test_stream_out(running):
    data = running.run("cp", "one:/etc/passwd", "-", text=False).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert [member.name for member in archive] == ["passwd"]


def test_from_one_container_to_another(running, skiff):
    skiff.start("--name", "two")
    skiff.run("exec", "one", "sh", "-c", "echo carried > /scratch/file")
    data = skiff.run("cp", "one:/scratch/file", "-", text=False).stdout
    skiff.run("cp", "-", "two:/tmp", input=data)
    assert content(skiff, "two", "/tmp/file") == "carried\n"


def test_sparse_files_stay_sparse(running, tmp_path):
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(1 << 30)
        file.seek(1 << 29)
        file.write(b"in the middle")
    running.run("cp", tmp_path / "sparse", "one:/bind/there")
    st = (tmp_path / "bind/there").stat()
    assert st.st_size == 1 << 30 and st.st_blocks < 1000
    running.run("cp", "one:/bind/there", tmp_path / "back")
    st = (tmp_path / "back").stat()
    assert st.st_size == 1 << 30 and st.st_blocks < 1000
    with open(tmp_path / "back", "rb") as file:
        file.seek(1 << 29)
        assert file.read(13) == b"in the middle"


def test_what_it_says(skiff, tmp_path):
    """Only to a terminal, and not with -q."""
    (tmp_path / "file").write_text("hello")
    skiff.run("create", "--name", "one", "busybox", "true")
    assert skiff.run("cp", tmp_path / "file", "one:/tmp").stderr == ""
    child = skiff.spawn("cp", tmp_path / "file", "one:/tmp/new")
    child.expect_exact("Successfully copied 2.05kB to one:/tmp/new")
    child = skiff.spawn("cp", "one:/tmp/new", tmp_path)
    child.expect_exact(f"Successfully copied 2.05kB to {tmp_path}")
    child = skiff.spawn("cp", "-q", tmp_path / "file", "one:/tmp/new")
    child.expect(pytest.importorskip("pexpect").EOF)
    assert "Success" not in child.before
    child = skiff.spawn("cp", "one:/tmp/new", "-")
    child.expect_exact("cowardly refusing")


@pytest.mark.parametrize("args, message", [
    (["one:/etc/passwd", "two:/tmp"], "copying between containers is not supported"),
    (["/etc/passwd", "./one:/tmp"], "must specify at least one container source"),
    (["", "one:/tmp"], "source can not be empty"),
    (["one:/tmp", ""], "destination can not be empty"),
    (["one:", "/tmp"], "bad parameter: path cannot be empty"),
    (["missing:/etc", "/tmp"], "No such container: missing"),
    (["one:/missing", "/tmp"], "Could not find the file /missing in container one"),
    (["/etc/passwd", "one:/etc/passwd/x"], "extraction point is not a directory"),
])
def test_errors(skiff, args, message):
    skiff.run("create", "--name", "one", "busybox", "true")
    assert message.lower() in skiff.fails("cp", *args, code=1).stderr.lower()


def test_garbage(skiff):
    skiff.run("create", "--name", "one", "busybox", "true")
    failed = skiff.fails("cp", "-", "one:/tmp", input=b"no archive" * 200, code=1)
    assert "not a tar archive" in failed.stderr


def test_a_stopped_container_cannot_start_meanwhile(skiff):
    """It would have its files mounted for writing twice."""
    skiff.run("create", "--name", "one", "busybox", "cat", "/tmp/file")
    copy = skiff.popen("cp", "-", "one:/tmp")
    start = skiff.popen("start", "-a", "one", stdin=subprocess.DEVNULL)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("file")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"there"))
    out, err = copy.communicate(buffer.getvalue())
    assert copy.returncode == 0, err
    out, err = start.communicate(timeout=60)
    # Whoever was first, the file is whole or not there.
    assert out in (b"there", b"")
