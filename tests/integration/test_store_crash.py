# SPDX-License-Identifier: Apache-2.0
"""kill -9, and a full disk, at every point of everything that changes images.

tests/helpers/inject.c stops a command at the Nth call by which it changes the disk: each file, each
rename, each write of the database. N goes up until the command gets through. After each death the
store is looked at: what was complete is there, a sweep leaves no byte that nobody owns, fsck finds
nothing, and the next try succeeds.
"""

import errno
import gzip
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from docker_archive import Image
from helpers.registry import BadRegistry, MemoryImage, TakingRegistry, digest_of, small_tar
from helpers.skiff_command import Skiff

DONE = 99  # the command ended before that point came
MEMORY = "/dev/shm"


def make_image(name, top):
    image = Image(name, config={"Cmd": ["/file"]})
    image.layer().file("shared", "the same in all")
    layer = image.layer()
    layer.directory("d")
    layer.file("d/file", top)
    return image


@pytest.fixture
def directory():
    """In memory when there is room: a thousand stores are made here."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="skiff-test-", dir=place) as path:
        yield Path(path)


class Stage:
    """A store that is put back to its beginning before each try."""

    def __init__(self, skiff, directory, inject):
        self.skiff = skiff
        self.inject = inject
        self.directory = directory
        self.start = directory / "start"
        self.points = 0

    def remember(self):
        shutil.copytree(self.skiff.root, self.start, symlinks=True)

    def reset(self):
        shutil.rmtree(self.skiff.root, ignore_errors=True)
        if self.start.exists():
            shutil.copytree(self.start, self.skiff.root, symlinks=True)

    def injected(self, what, point, *args):
        program = self.skiff.program
        self.skiff.program = self.inject
        try:
            arguments = self.skiff.command(*args)[1:]
        finally:
            self.skiff.program = program
        runner = Skiff(self.inject, self.skiff.directory, self.skiff.environment)
        runner.command = lambda *_: [str(self.inject), str(what), str(point), str(program),
                                     *arguments]
        return runner.run(check=False)

    def names(self):
        return sorted(self.skiff.run("images", "--format", "{{.Repository}}:{{.Tag}}")
                      .stdout.split())

    def assert_clean(self):
        result = self.skiff.run("system", "fsck", check=False)
        assert result.code == 0, result
        assert result.stdout.strip().endswith("clean")
        for name in ("staging", "containers"):
            path = self.skiff.root / name
            assert not path.is_dir() or os.listdir(path) == []

    def at_every_point(self, what, *args, after):
        """Calls after(result) for each point, then sweeps and looks."""
        for point in range(1, 2000):
            self.reset()
            result = self.injected(what, point, *args)
            if result.code == DONE:
                break
            try:
                self.skiff.run("images")
                after(result)
                self.assert_clean()
            except AssertionError as failure:
                raise AssertionError(f"point {point}: {failure}") from failure
        else:
            raise AssertionError("it never gets through")
        self.points = point - 1
        assert self.points > 5, "nothing was injected"


@pytest.fixture
def stage(helper_directory, make_skiff, directory):
    skiff = make_skiff()
    skiff.root = directory / "root"
    return Stage(skiff, directory, helper_directory / "inject")


@pytest.fixture
def archive(directory):
    def make(name, top):
        return make_image(name, top).write_docker_archive(directory / f"{top}.tar")
    return make


KILLS = ["kill", "kill-caller"]


@pytest.mark.parametrize("kind", KILLS)
@pytest.mark.parametrize("store", ["no store", "shared layer"])
def test_load_killed(stage, archive, kind, store):
    victim = archive("victim:1", "victim")
    if store == "shared layer":
        stage.skiff.load(archive("keep:1", "keep"))
        stage.remember()
    kept = ["keep:1"] if store == "shared layer" else []

    def after(_):
        assert stage.names() in (kept, [*kept, "victim:1"]), "half an image is seen"
        stage.skiff.run("prune", "-f")
        stage.assert_clean()
        stage.skiff.load(victim)
        assert stage.names() == [*kept, "victim:1"]
    stage.at_every_point(kind, "load", "-i", victim, after=after)


def test_load_killed_and_only_swept_by_the_next(stage, archive):
    """Without a prune in between: the next load adopts what is complete, and removes the rest."""
    victim = archive("victim:1", "victim")
    stage.at_every_point("kill", "load", "-i", victim, after=lambda _: stage.skiff.load(victim))


def test_load_of_a_stream_killed(stage, directory):
    """What can be read only once: its large layer is stored before anybody knows what it is."""
    image = make_image("victim:1", "victim")
    image.layer().file("large", os.urandom(300_000))
    victim = directory / "victim.tar.gz"
    victim.write_bytes(gzip.compress(
        image.write_docker_archive(directory / "victim.tar").read_bytes(), 1))

    def after(_):
        assert stage.names() in ([], ["victim:1"]), "half an image is seen"
        stage.skiff.run("prune", "-f")
        stage.assert_clean()
        stage.skiff.load(victim)
        assert stage.names() == ["victim:1"]
    stage.at_every_point("kill", "load", "-i", victim, after=after)


def test_load_that_replaces_a_name_killed(stage, archive):
    stage.skiff.load(archive("same:1", "old"))
    old = stage.skiff.inspect("same:1")["Id"]
    stage.remember()
    newer = archive("same:1", "new")

    def after(_):
        now = stage.skiff.inspect("same:1")["Id"]
        stage.skiff.run("prune", "-f")
        stage.assert_clean()
        assert now == old or stage.skiff.inspect(old)["Id"] == old
        stage.skiff.load(newer)
        assert stage.skiff.inspect("same:1")["Id"] != old
        assert stage.skiff.inspect(old)["RepoTags"] == []
    stage.at_every_point("kill", "load", "-i", newer, after=after)


def test_import_killed(stage, archive):
    """Each import makes an image of its own, even from the same archive: its time is in it."""
    stage.skiff.load(archive("keep:1", "keep"))
    stage.remember()
    layer = stage.directory / "layer.tar"
    layer.write_bytes(make_image("x:1", "x").layers[1].tar_bytes())

    def after(_):
        assert stage.names() in (["keep:1"], ["keep:1", "victim:1"])
        stage.skiff.run("prune", "-f")
        stage.assert_clean()
        stage.skiff.run("import", layer, "victim:1")
        assert stage.names() in (["keep:1", "victim:1"], ["<none>:<none>", "keep:1", "victim:1"])
    stage.at_every_point("kill", "import", layer, "victim:1", after=after)


def test_image_prune_killed(stage, archive):
    stage.skiff.load(archive("keep:1", "keep"))
    stage.skiff.load(archive("victim:1", "victim"))
    stage.skiff.load(archive("victim:2", "other"))
    stage.remember()

    def after(_):
        stage.skiff.run("prune", "-f")
        stage.assert_clean()
        stage.skiff.run("image", "prune", "-af")
        assert stage.names() == []
    stage.at_every_point("kill", "image", "prune", "-af", after=after)


def test_pull_killed(stage, make_server):
    """What was complete stays for the next try, and the next try succeeds."""
    image = MemoryImage([small_tar({"shared": b"x" * 5000}), small_tar({"own": b"y" * 70_000})])
    server = make_server(BadRegistry, image)
    name = f"{server.host}/victim:1"

    def after(_):
        assert stage.names() in ([], [name]), "half an image is seen"
        stage.skiff.run("pull", "-q", name)
        assert stage.names() == [name]
        assert not os.listdir(stage.skiff.root / "oci/partial")
    stage.at_every_point("kill", "pull", "-q", name, after=after)


def assert_pushed_again(stage, server, name):
    """What had come before is not sent again; the image is whole there, and as it was here."""
    if server.manifests:
        server.assert_whole("victim", "1")
    there, asked = list(server.blobs), len(server.seen)
    stage.skiff.run("push", "-q", "victim:1", name)
    server.assert_whole("victim", "1")
    sent = [line for line in server.seen[asked:] if line.startswith("PUT")]
    assert not [digest for digest in there if any(digest in line for line in sent)], "sent again"
    assert stage.names() == ["victim:1"]


@pytest.mark.parametrize("kind", KILLS)
def test_push_killed(stage, archive, make_server, kind):
    server = make_server(TakingRegistry)
    name = f"{server.host}/victim:1"
    stage.skiff.load(archive("victim:1", "victim"))
    stage.remember()

    def after(_):
        assert_pushed_again(stage, server, name)
        for kept in (server.blobs, server.manifests, server.seen):
            kept.clear()
    stage.at_every_point(kind, "push", "-q", "victim:1", name, after=after)


def test_push_killed_at_every_request(stage, archive, make_server):
    """The registry kills us when the Nth request has come: before it answers, and after."""
    server = make_server(TakingRegistry)
    name = f"{server.host}/victim:1"
    stage.skiff.load(archive("victim:1", "victim"))
    for point in range(1, 100):
        for kept in (server.blobs, server.manifests, server.seen):
            kept.clear()
        process = stage.skiff.popen("push", "-q", "victim:1", name)

        def kill(request, point=point, process=process):
            if len(server.seen) == point:
                process.kill()
            return False
        server.before = kill
        process.communicate()
        server.before = None
        if process.returncode == 0:
            break
        assert_pushed_again(stage, server, name)
        stage.assert_clean()
    assert point > 5


def test_rmi_killed(stage, archive):
    stage.skiff.load(archive("keep:1", "keep"))
    stage.skiff.load(archive("victim:1", "victim"))
    stage.remember()

    def after(_):
        there = stage.names()
        assert there in (["keep:1"], ["keep:1", "victim:1"])
        stage.skiff.run("prune", "-f")
        stage.assert_clean()
        if "victim:1" in there:
            stage.skiff.run("rmi", "victim:1")
        assert stage.names() == ["keep:1"]
    stage.at_every_point("kill", "rmi", "victim:1", after=after)


def test_prune_killed(stage, archive):
    """A store full of what a crash can leave."""
    stage.skiff.load(archive("keep:1", "keep"))
    for name in ("staging/a", "layers/" + "0" * 64, "oci/blobs/sha256/" + "0" * 64,
                 "containers/" + "1" * 64):
        (stage.skiff.root / name).mkdir()
        (stage.skiff.root / name / "file").write_text("left")
    stage.remember()
    stage.at_every_point("kill", "prune", "-f",
                         after=lambda _: stage.skiff.run("prune", "-f"))


def test_fsck_repair_killed(stage, archive):
    stage.skiff.load(archive("keep:1", "keep"))
    layers = [next((stage.skiff.root / "layers").glob(f"*/diff/{name}"))
              for name in ("shared", "d")]
    layers[0].write_text("changed")
    layers[1].rmdir() if not os.listdir(layers[1]) else shutil.rmtree(layers[1])
    config = stage.skiff.inspect("keep:1")["Id"].removeprefix("sha256:")
    (stage.skiff.root / "oci/blobs/sha256" / config).write_text("changed")
    stage.remember()
    stage.at_every_point("kill", "system", "fsck", "--repair",
                         after=lambda _: stage.skiff.run("system", "fsck", "--repair"))


def test_fsck_that_fetches_killed(stage, make_server):
    image = MemoryImage([small_tar({"shared": b"x" * 5000})])
    server = make_server(BadRegistry, image)
    stage.skiff.run("pull", "-q", f"{server.host}/victim:1")
    blobs = stage.skiff.root / "oci/blobs/sha256"
    (blobs / image.manifest["layers"][0]["digest"].removeprefix("sha256:")).write_text("changed")
    (blobs / digest_of(image.manifest_bytes()).removeprefix("sha256:")).unlink()
    stage.remember()
    stage.at_every_point("kill", "system", "fsck", "--repair",
                         after=lambda _: stage.skiff.run("system", "fsck", "--repair"))


def test_save_killed(stage, archive):
    stage.skiff.load(archive("keep:1", "keep"))
    stage.remember()
    target = stage.directory / "out"
    target.mkdir()
    output = target / "image.tar"
    output.write_text("before")

    whole = stage.skiff.run("save", "keep:1", text=False).stdout

    def after(_):
        assert output.read_bytes() in (b"before", whole)
        stage.skiff.run("prune", "-f")
    stage.at_every_point("kill", "save", "-o", output, "keep:1", after=after)
    assert output.read_bytes() == whole


def assert_one_line_about(number, result):
    """SQLite calls a log that it cannot map a read-only database, and forgets some reasons."""
    assert result.stderr.count("\n") == 1, result
    assert any(os.strerror(one) in result.stderr for one in (number, errno.EROFS, errno.EIO)), result


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS],
                         ids=["full", "broken", "read-only"])
def test_load_fails(stage, archive, number):
    """The disk is full: one line says so, and nothing is left."""
    stage.skiff.load(archive("keep:1", "keep"))
    stage.remember()
    victim = archive("victim:1", "victim")

    def after(result):
        if result.code == 0:
            assert stage.names() == ["keep:1", "victim:1"]
        else:
            assert result.code == 1
            assert_one_line_about(number, result)
            assert stage.names() in (["keep:1"], ["keep:1", "victim:1"])
            # What a sweep would find: a record that was not written, files that were.
            stage.skiff.run("prune", "-f")
        stage.assert_clean()
        stage.skiff.load(victim)
    stage.at_every_point(number, "load", "-i", victim, after=after)


def test_save_fails(stage, archive):
    stage.skiff.load(archive("keep:1", "keep"))
    stage.remember()
    target = stage.directory / "out"
    target.mkdir()
    output = target / "image.tar"
    output.write_text("before")

    def after(result):
        if result.code != 0:
            assert_one_line_about(errno.ENOSPC, result)
            assert output.read_text() == "before"
        assert os.listdir(target) == ["image.tar"]
        output.write_text("before")
    stage.at_every_point(errno.ENOSPC, "save", "-o", output, "keep:1", after=after)
