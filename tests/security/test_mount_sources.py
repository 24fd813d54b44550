# SPDX-License-Identifier: Apache-2.0
"""THREATS.md: 2021-30465, 2024-9341, 2026-55686. Whoever writes to a volume, or made an image, leads none of
the newer forms of mounts out of it."""

import os

import pytest

from helpers.canary import SECRET
from helpers.custom_image import CustomImage


def ways_to(canary):
    return [str(canary.path), "../" * 30 + str(canary.path).lstrip("/")]


def run_any(skiff, *args):
    done = skiff.run("run", "--rm", *args, check=False, timeout=60)
    assert done.code in (0, 1, 125, 126, 127), done
    assert SECRET not in done.stdout
    return done


SCRIPT = ("sh", "-c", "cat /x/secret; ls -R /x; touch /x/made")


@pytest.mark.parametrize("which", [0, 1], ids=["absolute", "relative"])
@pytest.mark.parametrize("subpath", ["link", "link/deeper", "d/link"])
def test_subpath_of_a_volume_is_a_link(skiff, canary, which, subpath):
    skiff.run("run", "--rm", "-v", "vol:/v", "busybox", "sh", "-c",
              f"mkdir /v/d; ln -s {ways_to(canary)[which]} /v/link; ln -s {ways_to(canary)[which]} /v/d/link")
    done = run_any(skiff, "--mount", f"source=vol,target=/x,volume-subpath={subpath}", "busybox", *SCRIPT)
    assert done.code == 125 and "cannot access subpath" in done.stderr


@pytest.mark.parametrize("which", [0, 1], ids=["absolute", "relative"])
@pytest.mark.parametrize("more", ["", ",readwrite"])
def test_subpath_of_an_image_is_a_link(skiff, canary, which, more):
    image = CustomImage()
    image.layer.symlink("link", ways_to(canary)[which])
    name = image.load(skiff)
    done = run_any(skiff, "--mount", f"type=image,source={name},target=/x,subpath=link{more}", "busybox",
                   *SCRIPT)
    assert done.code == 125


@pytest.mark.parametrize("which", [0, 1], ids=["absolute", "relative"])
@pytest.mark.parametrize("option", ["type=image,source=custom:test,target=/data/x",
                                    "source=scratch,target=/data/x", "source=vol,target=/data/x,U"])
def test_target_is_a_link(skiff, canary, which, option):
    image = CustomImage()
    image.layer.symlink("data", ways_to(canary)[which])
    name = image.load(skiff)
    skiff.run("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "scratch")
    run_any(skiff, "--mount", option, name, "sh", "-c", "touch /data/x/made; cat /data/secret")


def test_owners_are_changed_in_the_volume_only(skiff, canary):
    """:U meets links to files and directories of the host."""
    skiff.run("run", "--rm", "-v", "vol:/v", "busybox", "sh", "-c",
              f"ln -s {canary.path} /v/d; ln -s {canary.path}/secret /v/f; ln -s / /v/root")
    before = {name: os.lstat(name).st_uid for name in (canary.path, f"{canary.path}/secret", "/")}
    skiff.run("run", "--rm", "-u", "77:77", "-v", "vol:/v:U", "busybox", "true")
    assert {name: os.lstat(name).st_uid for name in before} == before
    assert os.lstat(skiff.root / "volumes/vol/_data/d").st_uid == 77


def test_subpath_that_is_exchanged(skiff, canary):
    """A container flips the subpath between a directory and a link out while others start on it."""
    skiff.run("run", "--rm", "-v", "vol:/v", "busybox", "mkdir", "/v/a")
    skiff.start("--name", "racer", "-v", "vol:/v", command=(
        "sh", "-c", f"ln -s {canary.path} /v/b; while :; do mv -T /v/a /v/t; mv -T /v/b /v/a; mv -T /v/t /v/b; done"))
    for _ in range(15):
        run_any(skiff, "--mount", "source=vol,target=/x,volume-subpath=a", "busybox", *SCRIPT)
    skiff.run("rm", "-f", "racer")
