# SPDX-License-Identifier: Apache-2.0
"""THREATS.md: 2018-15664, 2021-30465, 2023-27561, 2023-28642, 2024-45310, 2025-31133, 2025-52565,
2026-41568, 2026-55686. While an attacker in one container exchanges a directory of a shared volume for a
link to the host as fast as it can, every operation that resolves names in it is done over it: some
thousand times in a check, a hundred thousand times in the long lane."""

import contextlib
import os
import random
import subprocess

import pytest

from helpers.canary import SECRET
from helpers.effort import effort

# For two kinds of links each. ALL_TARGETS has a dozen names in one start.
STARTS = effort(30, 1500)
ONES = effort(25, 1500)
COPIES = effort(40, 3000)


@contextlib.contextmanager
def racing(racer, first, second):
    process = subprocess.Popen([str(racer), str(first), str(second)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"racing\n"
        yield
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(params=["absolute", "relative"])
def shared(request, skiff, canary):
    """A volume with a directory "a" and a link "b" to the canary."""
    skiff.run("run", "--rm", "-v", "shared:/shared", "busybox", "mkdir", "/shared/a")
    data = skiff.root / "volumes/shared/_data"
    target = str(canary.path)
    if request.param == "relative":
        target = "../" * 30 + target.lstrip("/")
    os.symlink(target, data / "b")
    return data


# Every kind of mount, onto what is there, onto what must be made, and onto a file.
ALL_TARGETS = [
    "-v", "other:/shared/a/directory", "-v", "other2:/shared/a/new/deep",
    "-v", "{file}:/shared/a/secret", "-v", "{file}:/shared/a/newfile:ro", "-v", "/shared/a/anonymous", "--tmpfs", "/shared/a/tmp",
    "--mount", "type=bind,source={directory},target=/shared/a/bound",
    "--mount", "type=volume,source=third,target=/shared/a/volume,readonly",
    "--mount", "type=tmpfs,target=/shared/a/tmp2", "-w", "/shared/a/made/deep",
    "--device", "/dev/null:/shared/a/null",
]


@pytest.mark.parametrize("options", [
    ["-v", "other:/shared/a/directory"],
    ["-v", "other:/shared/a/new"],
    ["--tmpfs", "/shared/a/directory"],
    ["-w", "/shared/a/made/deep"],
    ["-v", "{file}:/shared/a/secret"],
    ["--device", "/dev/null:/shared/a/null"],
    ALL_TARGETS,
], ids=lambda value: "all" if value is ALL_TARGETS else value[0].strip("-") + "-"
    + value[1].rsplit("/", 1)[1])
def test_start_over_a_racing_volume(skiff, canary, racer, shared, options):
    file = skiff.directory / "file"
    file.write_text("ours")
    directory = skiff.directory / "directory"
    directory.mkdir()
    args = [one.format(file=file, directory=directory) for one in options]
    pairs = list(zip(args[::2], args[1::2]))
    chance = random.Random(5)
    through = 0
    with racing(racer, shared / "a", shared / "b"):
        for _ in range(STARTS if options is ALL_TARGETS else ONES):
            # The first that is caught in the middle ends the start: each shall be the first.
            chance.shuffle(pairs)
            args = [word for pair in pairs for word in pair]
            done = skiff.run("run", "--rm", "-v", "shared:/shared", *args, "busybox", "sh", "-c",
                             "cat /shared/a/secret /shared/b/secret ./secret 2>/dev/null; "
                             "touch /shared/a/directory/touched 2>/dev/null; :", check=False)
            assert SECRET not in done.stdout
            through += done.code == 0
    assert through or options is ALL_TARGETS, "no start got as far as its command: this shows nothing"
    canary.assert_untouched()


def test_create_over_a_racing_volume(skiff, canary, racer, shared):
    """create copies nothing and makes nothing yet; start does, much later."""
    with racing(racer, shared / "a", shared / "b"):
        for number in range(ONES):
            skiff.run("create", "--name", f"box{number}", "-v", "shared:/shared", "-v",
                      "/shared/a/anonymous", "-w", "/shared/a/work", "busybox", "cat",
                      "/shared/a/secret", "secret")
        for number in range(ONES):
            assert SECRET not in skiff.run("start", "-a", f"box{number}", check=False).stdout
    canary.assert_untouched()


def test_exec_into_a_racing_directory(skiff, canary, racer, shared):
    skiff.start("--name", "box", "-v", "shared:/shared")
    with racing(racer, shared / "a", shared / "b"):
        for number in range(COPIES):
            where = "/shared/a" if number % 2 else "/shared/a/made"
            done = skiff.run("exec", "-w", where, "box", "sh", "-c", "cat secret; pwd -P",
                             check=False)
            assert SECRET not in done.stdout


@pytest.fixture
def own(skiff, canary):
    """The container's own layer, not a volume: what commit, export and diff read."""
    skiff.start("--name", "box")
    skiff.run("exec", "box", "sh", "-c",
              f"mkdir -p /d/a; echo x >/d/a/mine; ln -s {canary.path} /d/b")
    return skiff.root / "containers" / skiff.full_id("box") / "upper/d"


def test_commit_export_diff_of_a_racing_container(skiff, canary, racer, own):
    with racing(racer, own / "a", own / "b"):
        for _ in range(ONES):
            assert SECRET.encode() not in skiff.run("export", "box", text=False, check=False).stdout
            skiff.run("diff", "box", check=False)
            skiff.run("commit", "-p=false", "box", "committed:1", check=False)
    listing = skiff.run("run", "--rm", "committed:1", "sh", "-c",
                        "cat /d/a/secret /d/b/secret; ls -R /d", check=False).stdout
    assert SECRET not in listing and "directory" not in listing
    canary.assert_untouched()


def test_restart_and_cp_of_a_racing_container(skiff, canary, racer, own, tmp_path):
    (tmp_path / "file").write_text("mine")
    with racing(racer, own / "a", own / "b"):
        for number in range(ONES):
            skiff.run("cp", tmp_path / "file", "box:/d/a/secret", check=False)
            skiff.run("cp", "box:/d/a", tmp_path / f"out{number}", check=False)
            if number % 5 == 0:
                skiff.run("restart", "-t", "0", "box")
    canary.assert_untouched()
    found = subprocess.run(["grep", "-rl", SECRET, str(tmp_path)], stdout=subprocess.PIPE,
                           check=False).stdout
    assert found == b""


def test_console_and_terminals(skiff, canary, racer, shared):
    """A terminal is allocated while the volume over /dev's neighbours races."""
    with racing(racer, shared / "a", shared / "b"):
        for _ in range(effort(5, 300)):
            child = skiff.spawn("run", "--rm", "-t", "-v", "shared:/shared", "-w", "/shared/a/w",
                                "busybox", "sh", "-c", "echo to >/dev/console; cat secret ../secret")
            assert SECRET not in child.read()
            child.wait()
    canary.assert_untouched()


def test_user_files_racing(skiff, canary, racer):
    """etc/passwd of a running container flips between a file and a link to the host."""
    (canary.path / "passwd").write_text("outsider:x:0:0::/:/bin/sh\n")
    canary.before = canary.state()
    skiff.start("--name", "box", "-v", "etc:/etc")
    data = skiff.root / "volumes/etc/_data"
    os.symlink(f"{canary.path}/passwd", data / "passwd.other")
    with racing(racer, data / "passwd", data / "passwd.other"):
        for _ in range(ONES):
            done = skiff.run("exec", "-u", "outsider", "box", "id", check=False)
            assert done.code != 0, done
