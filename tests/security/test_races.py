# SPDX-License-Identifier: Apache-2.0
"""THREATS.md: 2021-30465, 2024-45310, 2026-55686. While an attacker in one container exchanges a
directory of a shared volume for a link to the host as fast as it can, others are started over it."""

import contextlib
import os
import subprocess

import pytest

from helpers.canary import SECRET

ROUNDS = 25


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


@pytest.mark.parametrize("options", [
    ["-v", "other:/shared/a/directory"],
    ["-v", "other:/shared/a/new"],
    ["--tmpfs", "/shared/a/directory"],
    ["-w", "/shared/a/made/deep"],
    ["-v", "{file}:/shared/a/secret"],
], ids=lambda value: value[0].strip("-") + "-" + value[1].rsplit("/", 1)[1])
def test_start_over_a_racing_volume(skiff, canary, racer, shared, options):
    file = skiff.directory / "file"
    file.write_text("ours")
    args = [one.format(file=file) for one in options]
    with racing(racer, shared / "a", shared / "b"):
        for _ in range(ROUNDS):
            done = skiff.run("run", "--rm", "-v", "shared:/shared", *args, "busybox", "sh", "-c",
                             "cat /shared/a/secret /shared/b/secret ./secret 2>/dev/null; "
                             "touch /shared/a/directory/touched 2>/dev/null; :", check=False)
            assert SECRET not in done.stdout
    canary.assert_untouched()


def test_exec_into_a_racing_directory(skiff, canary, racer, shared):
    skiff.start("--name", "box", "-v", "shared:/shared")
    with racing(racer, shared / "a", shared / "b"):
        for _ in range(ROUNDS):
            done = skiff.run("exec", "-w", "/shared/a", "box", "sh", "-c", "cat secret; pwd -P",
                             check=False)
            assert SECRET not in done.stdout


def test_user_files_racing(skiff, canary, racer):
    """etc/passwd of a running container flips between a file and a link to the host."""
    (canary.path / "passwd").write_text("outsider:x:0:0::/:/bin/sh\n")
    canary.before = canary.state()
    skiff.start("--name", "box", "-v", "etc:/etc")
    data = skiff.root / "volumes/etc/_data"
    os.symlink(f"{canary.path}/passwd", data / "passwd.other")
    with racing(racer, data / "passwd", data / "passwd.other"):
        for _ in range(ROUNDS):
            done = skiff.run("exec", "-u", "outsider", "box", "id", check=False)
            assert done.code != 0, done
