# SPDX-License-Identifier: Apache-2.0
"""THREATS.md: 2021-21334, 2026-57231, 2026-53488. What an image says in its environment and labels
is data: it neither reads the caller's environment nor steers the engine."""

import pytest

from helpers.canary import SECRET
from helpers.custom_image import CustomImage

CALLER = {"AWS_SECRET_ACCESS_KEY": SECRET, "PATH_OF_CALLER": SECRET}


@pytest.mark.parametrize("env", [
    ["AWS_SECRET_ACCESS_KEY"], ["AWS_*"], ["*"], [""], ["="], ["=x"], ["PATH"],
    ["AWS_SECRET_ACCESS_KEY", "A=1", "A=2"], ["A"] * 1000,
    ["X=" + "y" * 100000],
], ids=lambda value: repr(value[:2])[:30])
def test_image_environment(skiff, env):
    name = CustomImage({"Env": env}).load(skiff)
    done = skiff.run("run", "--rm", name, "env", env=CALLER, check=False)
    assert SECRET not in done.stdout
    if done.code == 0:
        names = [line.partition("=")[0] for line in done.stdout.splitlines()]
        assert names.count("A") <= 1
        assert "PATH" in names
    else:
        assert done.code in (125, 126, 127)
        assert len(done.stderr.strip().splitlines()) == 1


def test_zero_byte_in_the_environment(empty_skiff):
    image = CustomImage({"Env": ["A=1\u0000AWS_SECRET_ACCESS_KEY"]})
    archive = empty_skiff.directory / "zero.tar"
    image.image.write_docker_archive(archive)
    done = empty_skiff.fails("load", "-i", archive)
    assert len(done.stderr.strip().splitlines()) == 1


def test_exec_does_not_leak_either(skiff):
    name = CustomImage({"Env": ["AWS_SECRET_ACCESS_KEY"]}).load(skiff)
    skiff.start("--name", "box", image=name)
    assert SECRET not in skiff.run("exec", "box", "env", env=CALLER).stdout


def test_two_containers_share_no_environment(skiff):
    skiff.start("--name", "one", "-e", f"A={SECRET}")
    skiff.start("--name", "two")
    assert SECRET not in skiff.run("exec", "two", "env").stdout


@pytest.mark.parametrize("namespace", ["skiff", "com.skiff", "io.containerd.runtime", "io.podman",
                                       "com.docker.compose", "io.kubernetes.cri", "containerd.io"])
def test_labels_are_inert(skiff, canary, namespace):
    labels = {f"{namespace}.{key}": value for key, value in {
        "loguri": f"binary:///bin/sh?-c=touch+{canary.path}/made", "restart": "always",
        "privileged": "true", "mount": f"{canary.path}:/canary", "exec": f"touch {canary.path}/m",
        "autoRemove": "true", "oci-hook": f"touch {canary.path}/m",
    }.items()}
    name = CustomImage({"Labels": labels}).load(skiff)
    done = skiff.run("run", "--name", "box", name, "ls", "/canary", check=False)
    assert done.code == 1 and SECRET not in done.stdout
    assert skiff.inspect("box")["Config"]["Labels"] == labels
