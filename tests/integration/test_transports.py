# SPDX-License-Identifier: Apache-2.0
"""oci: dir: oci-archive: docker-archive: docker:// as sources and targets of push, pull, run, copy."""

import json
import os
import subprocess
import tarfile

import pytest

from helpers.docker_registry import DockerRegistry
from helpers.home import Home
from helpers.images import tool

FILES = ["oci", "dir", "oci-archive", "docker-archive"]


@pytest.fixture
def home(tmp_path, make_skiff):
    return Home(tmp_path / "home", make_skiff())


@pytest.fixture
def registry(tmp_path):
    with DockerRegistry(tmp_path / "registry") as started:
        yield started


def place(transport, path, name=None):
    return f"{transport}:{path}" + (f":{name}" if name and transport != "dir" else "")


def image_id(skiff, name):
    return json.loads(skiff.run("image", "inspect", name).stdout)[0]["Id"]


def names(skiff):
    return skiff.run("images", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()


# ---- push to a place, pull and run from it ----

@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("transport", FILES)
def test_push_and_pull_back(skiff, make_skiff, tmp_path, transport, named):
    there = place(transport, tmp_path / "there", "mine:7" if named else None)
    shown = skiff.run("push", "-q", "busybox", there)
    assert shown.stdout == there + "\n" and shown.stderr == ""
    other = make_skiff()
    printed = other.run("pull", "-q", there).stdout.strip()
    assert image_id(other, printed) == image_id(skiff, "busybox")
    if transport == "docker-archive":
        assert names(other) == ["mine:7" if named else "busybox:latest"]
    assert other.run("run", "--rm", "--network", "none", printed, "echo", "x").stdout == "x\n"


@pytest.mark.parametrize("transport", FILES)
def test_run_from_a_place(skiff, make_skiff, tmp_path, transport):
    there = place(transport, tmp_path / "there", "mine:7")
    skiff.run("push", "busybox", there)
    assert make_skiff().run("run", "--rm", "--network", "none", there, "echo",
                            "x").stdout == "x\n"


@pytest.mark.parametrize("transport", FILES)
def test_skopeo_reads_what_was_pushed(skiff, tmp_path, transport):
    there = place(transport, tmp_path / "there", "mine:7")
    skiff.run("push", "busybox", there)
    config = json.loads(tool("skopeo", "inspect", "--config", "--raw", there))
    assert config["os"] == "linux"


def test_docker_transport(skiff, registry):
    name = f"{registry.domain}/app:1"
    skiff.run("push", "busybox", f"docker://{name}")
    skiff.run("pull", f"docker://{name}")
    assert skiff.run("run", "--rm", "--network", "none", f"docker://{name}", "echo",
                     "x").stdout == "x\n"


def test_several_names_in_one_layout(skiff, tmp_path):
    for name in ("one", "two"):
        skiff.run("push", "busybox", f"oci:{tmp_path}/layout:{name}")
    skiff.run("pull", f"oci:{tmp_path}/layout:two")
    refused = skiff.fails("pull", f"oci:{tmp_path}/layout:three", code=1)
    assert "there is no image 'three'" in refused.stderr


def test_push_progress_is_plain_lines_elsewhere(skiff, tmp_path):
    lines = skiff.run("push", "busybox", f"oci:{tmp_path}/x").stdout.splitlines()
    assert any(line.endswith(": Copied") for line in lines)
    assert "\x1b" not in "".join(lines)
    assert any(line.endswith(": Already there")
               for line in skiff.run("push", "busybox", f"oci:{tmp_path}/x").stdout.splitlines())


def test_what_makes_no_sense(skiff, tmp_path):
    assert "which image" in skiff.fails("push", f"oci:{tmp_path}/x", code=1).stderr
    assert "is for registries" in skiff.fails("push", "-a", "busybox", f"oci:{tmp_path}/x",
                                              code=1).stderr
    assert "is for registries" in skiff.fails("pull", "-a", f"oci:{tmp_path}/x", code=1).stderr
    assert "No such image" in skiff.fails("push", "nothing", f"dir:{tmp_path}/x", code=1).stderr
    assert "platform (linux/s390x)" in skiff.fails(
        "push", "--platform", "linux/s390x", "busybox", f"docker-archive:{tmp_path}/x",
        code=1).stderr
    for name in ("BAD", f"x@sha256:{64 * '0'}"):
        skiff.fails("push", "busybox", f"docker-archive:{tmp_path}/y:{name}", code=1)
    assert not (tmp_path / "y").exists()
    assert not (tmp_path / "x").exists() or not any((tmp_path / "x").iterdir())


# ---- copy: every source with every target ----

@pytest.mark.parametrize("target", ["docker", *FILES])
@pytest.mark.parametrize("source", ["docker", *FILES])
def test_every_source_with_every_target(home, registry, tmp_path, source, target):
    digest = registry.put_image("app", "1")
    origin = f"docker://{registry.domain}/app:1"
    start = place(source, tmp_path / "start", "mine:7") if source != "docker" else origin
    if source != "docker":
        assert home.skiff.run("copy", origin, start).stdout == digest + "\n"
    end = place(target, tmp_path / "end", "yours:8") if target != "docker" else \
        f"docker://{registry.domain}/copy:1"
    assert home.skiff.run("copy", "-q", start, end).stdout == digest + "\n"
    back = home.skiff.run("copy", "-q", end, f"docker://{registry.domain}/back:1").stdout
    assert back == digest + "\n"
    assert registry.manifest("back", "1") == registry.manifest("app", "1")
    assert names(home.skiff) == [] and os.listdir(home.skiff.root / "staging") == []


def test_an_older_docker_archive_gets_a_manifest(home, registry, tmp_path, busybox):
    """What `docker save` wrote before version 25 has none; nothing of it stays in the store."""
    tool("skopeo", "copy", f"docker-archive:{busybox}",
         f"docker-archive:{tmp_path}/old.tar:old:1")
    with tarfile.open(tmp_path / "old.tar") as tar:
        assert "index.json" not in tar.getnames()
    home.skiff.run("copy", f"docker-archive:{tmp_path}/old.tar", f"docker://{registry.domain}/x:1")
    home.skiff.run("copy", f"docker-archive:{tmp_path}/old.tar:old:1", f"oci:{tmp_path}/layout")
    assert home.skiff.run("images", "-q").stdout == ""
    home.skiff.run("pull", f"{registry.domain}/x:1")
    # One that was there before stays.
    home.skiff.run("copy", f"docker-archive:{tmp_path}/old.tar", f"dir:{tmp_path}/dir")
    assert names(home.skiff) == [f"{registry.domain}/x:1"]
    home.skiff.run("system", "fsck")


def test_copy_to_the_store_takes_no_other_name(home, tmp_path, busybox):
    home.skiff.run("copy", f"docker-archive:{busybox}", "mine:1")
    assert names(home.skiff) == ["mine:1"]


def test_an_index_in_an_oci_archive(home, registry, tmp_path):
    images = {name: registry.put_image("app", f"x-{name}", {"a": name}, architecture=name)
              for name in ("amd64", "arm64")}
    index = registry.put_index("app", "all", images)
    source = f"docker://{registry.domain}/app:all"
    archive = f"oci-archive:{tmp_path}/all.tar:everything"
    assert home.skiff.run("copy", "--all", source, archive).stdout == index + "\n"
    assert home.skiff.run("copy", "--all", archive, f"docker://{registry.domain}/b:all"
                          ).stdout == index + "\n"
    done = home.skiff.run("copy", "--platform", "linux/arm64", archive, f"oci:{tmp_path}/arm:x")
    assert done.stdout == images["arm64"] + "\n"
    refused = home.skiff.fails("copy", "--all", source, f"docker-archive:{tmp_path}/x.tar", code=1)
    assert "holds images, not indexes" in refused.stderr
    assert not (tmp_path / "x.tar").exists()


def test_a_damaged_archive_is_not_passed_on(home, registry, tmp_path):
    registry.put_image("app", "1", {"file": "content " * 64})
    home.skiff.run("copy", f"docker://{registry.domain}/app:1", f"oci:{tmp_path}/layout:1")
    blobs = tmp_path / "layout/blobs/sha256"
    for blob in list(blobs.iterdir()):
        before = blob.read_bytes()
        blob.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        subprocess.run(["tar", "-cf", tmp_path / "bad.tar", "-C", tmp_path / "layout", "."],
                       check=True)
        home.skiff.fails("copy", f"oci-archive:{tmp_path}/bad.tar", f"oci:{tmp_path}/{blob.name}",
                         code=1)
        assert not (tmp_path / blob.name / "index.json").exists()
        blob.write_bytes(before)


def test_the_policy_is_asked_about_archives(home, registry, tmp_path):
    registry.put_image("app", "1")
    archive = f"oci-archive:{tmp_path}/x.tar:1"
    home.skiff.run("copy", f"docker://{registry.domain}/app:1", archive)
    home.policy([{"type": "insecureAcceptAnything"}],
                **{"oci-archive": {str(tmp_path): [{"type": "reject"}]}})
    home.skiff.fails("copy", archive, f"docker://{registry.domain}/y:1", code=1)
    home.skiff.fails("pull", archive, code=1)
