# SPDX-License-Identifier: Apache-2.0
"""save: what is written is what came, and everybody reads it."""

import io
import json
import os
import subprocess
import tarfile

import pytest

from docker_archive import Image
from helpers import foreign
from helpers.features import require_tool
from helpers.images import tool


def two_layers(*names, top="top"):
    """Images whose bottom layers are the same."""
    image = Image(*names, config={"Cmd": ["/hello"], "Labels": {"top": top}})
    image.layer().file("bottom", "the same in all of them\n" * 1000)
    image.layer().file("top", top)
    return image


def load_image(skiff, tmp_path, image, oci=False, **options):
    path = tmp_path / "in.tar"
    (image.write_oci_archive if oci else image.write_docker_archive)(path, **options)
    skiff.load(path)
    path.unlink()


def members(archive):
    with tarfile.open(fileobj=io.BytesIO(archive) if isinstance(archive, bytes) else None,
                      name=None if isinstance(archive, bytes) else archive) as tar:
        return {one.name: tar.extractfile(one).read() for one in tar if one.isfile()}


def saved(skiff, *args):
    return skiff.run("save", *args, text=False).stdout


def manifest_digest(skiff, image):
    return skiff.run("images", "--digests", "--no-trunc", "--format", "{{.Digest}}",
                     image).stdout.split()[0]


@pytest.mark.parametrize("layout", ["docker", "oci", "oci-plain"])
def test_load_then_save_gives_the_same_digests(make_skiff, tmp_path, layout):
    first, second = make_skiff(), make_skiff()
    load_image(first, tmp_path, two_layers("a:1"), oci=layout != "docker",
               **({"compress": False} if layout == "oci-plain" else {}))
    archive = saved(first, "a:1")
    second.run("load", input=archive)
    assert first.inspect("a:1")["Id"] == second.inspect("a:1")["Id"]
    assert manifest_digest(first, "a:1") == manifest_digest(second, "a:1")
    blobs = "oci/blobs/sha256"
    assert sorted(os.listdir(first.root / blobs)) == sorted(os.listdir(second.root / blobs))
    assert saved(second, "a:1") == archive, "the same image makes the same bytes"


def test_blobs_are_written_as_they_came(empty_skiff, tmp_path):
    image = two_layers("a:1")
    image.write_oci_archive(tmp_path / "in.tar")
    came = members(tmp_path / "in.tar")
    empty_skiff.load(tmp_path / "in.tar")
    files = members(saved(empty_skiff, "a:1"))
    for name, data in came.items():
        if name.startswith("blobs/"):
            assert files[name] == data
    assert len([name for name in files if name.startswith("blobs/")]) == 4


def test_documents(empty_skiff, tmp_path):
    image = two_layers("a:1", "example.org:5000/x/a:2")
    load_image(empty_skiff, tmp_path, image)
    files = members(saved(empty_skiff, "a:1", "example.org:5000/x/a:2"))
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    element, = json.loads(files["manifest.json"])
    assert element["RepoTags"] == ["a:1", "example.org:5000/x/a:2"]
    assert element["Config"] == "blobs/sha256/" + image.id.removeprefix("sha256:")
    assert len(element["Layers"]) == 2 and all(name in files for name in element["Layers"])
    entries = json.loads(files["index.json"])["manifests"]
    assert [one["annotations"]["io.containerd.image.name"] for one in entries] == [
        "docker.io/library/a:1", "example.org:5000/x/a:2"]
    assert [one["annotations"]["org.opencontainers.image.ref.name"] for one in entries] == [
        "1", "2"]
    assert {one["digest"] for one in entries} == {manifest_digest(empty_skiff, "a:1")}


def test_several_images_share_layers(make_skiff, tmp_path):
    first, second = make_skiff(), make_skiff()
    for name in ("one", "two", "three"):
        load_image(first, tmp_path, two_layers(f"{name}:1", top=name))
    archive = saved(first, "one:1", "two:1", "three:1")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        names = tar.getnames()
    assert len(names) == len(set(names)), "nothing is written twice"
    assert len([name for name in names if name.startswith("blobs/sha256/")]) == 3 * 3 + 1
    assert second.run("load", input=archive).stdout == (
        "Loaded image: one:1\nLoaded image: two:1\nLoaded image: three:1\n")
    for name in ("one", "two", "three"):
        assert second.inspect(f"{name}:1")["Id"] == first.inspect(f"{name}:1")["Id"]


def test_a_repository_is_all_its_tags(empty_skiff, tmp_path):
    load_image(empty_skiff, tmp_path, two_layers("a:1", "b:1"))
    load_image(empty_skiff, tmp_path, two_layers("a:2", top="other"))
    def tags(*args):
        found = json.loads(members(saved(empty_skiff, *args))["manifest.json"])
        return sorted(name for one in found for name in one["RepoTags"] or ["none"])
    assert tags("a") == ["a:1", "a:2"]
    assert tags("a:2") == ["a:2"]
    assert tags("a", "b") == ["a:1", "a:2", "b:1"]
    assert tags(two_layers().id) == ["none"], "an id brings no names"
    assert tags(two_layers().id.removeprefix("sha256:")[:12], "b:1") == ["b:1"]


def test_image_without_a_name(make_skiff, tmp_path):
    first, second = make_skiff(), make_skiff()
    image = two_layers()
    load_image(first, tmp_path, image)
    archive = saved(first, image.id)
    assert second.run("load", input=archive).stdout == f"Loaded image ID: {image.id}\n"


def test_output_file(empty_skiff, tmp_path):
    load_image(empty_skiff, tmp_path, two_layers("a:1"))
    path = tmp_path / "out.tar"
    path.write_text("what was there before")
    empty_skiff.run("save", "-o", path, "a:1")
    assert path.read_bytes() == saved(empty_skiff, "a:1")
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["out.tar"]


def test_output_that_is_no_file(empty_skiff, tmp_path):
    load_image(empty_skiff, tmp_path, two_layers("a:1"))
    empty_skiff.run("save", "-o", "/dev/null", "a:1")
    missing = empty_skiff.fails("save", "-o", tmp_path / "no/where.tar", "a:1", code=1)
    assert "No such file or directory" in missing.stderr
    assert "directory" in empty_skiff.fails("save", "-o", tmp_path, "a:1", code=1).stderr


def test_failure_leaves_what_was_there(empty_skiff, tmp_path):
    load_image(empty_skiff, tmp_path, two_layers("a:1"))
    path = tmp_path / "out.tar"
    path.write_text("what was there before")
    blob = next((empty_skiff.root / "oci/blobs/sha256").iterdir())
    blob.unlink()
    assert empty_skiff.fails("save", "-o", path, "a:1", code=1).stderr.count("\n") == 1
    assert path.read_text() == "what was there before"
    assert os.listdir(tmp_path) == ["out.tar"]


def test_missing_image_writes_nothing(empty_skiff, tmp_path):
    load_image(empty_skiff, tmp_path, two_layers("a:1"))
    for names in (["nothing:1"], ["a:1", "nothing:1"]):
        result = empty_skiff.fails("save", *names, code=1)
        assert result.stdout == "" and "No such image: nothing:1" in result.stderr


def test_refuses_a_terminal(skiff):
    shell = skiff.spawn("save", "busybox")
    shell.expect("cowardly refusing to save to a terminal")
    shell.expect(r"\n")
    shell.wait()
    assert shell.exitstatus == 1


def test_reader_that_goes_away(skiff):
    save = skiff.popen("save", "busybox")
    save.stdout.read(1000)
    save.stdout.close()
    save.wait(timeout=60)
    assert save.returncode != 0


def test_platform(empty_skiff, tmp_path):
    image = Image("arm:1", architecture="arm64")
    image.layer().file("a", "b")
    image.write_docker_archive(tmp_path / "arm.tar")
    empty_skiff.run("load", "--platform", "linux/arm64", "-i", tmp_path / "arm.tar")
    assert saved(empty_skiff, "--platform", "linux/arm64", "arm:1")
    result = empty_skiff.fails("save", "--platform", "linux/amd64", "arm:1", code=1)
    assert "does not provide the specified platform (linux/amd64)" in result.stderr


@pytest.mark.parametrize("compression", ["bzip2", "xz"])
def test_layers_that_oci_has_no_name_for(make_skiff, tmp_path, compression):
    """No manifest can be made of them: the archive is docker's alone, and can be loaded."""
    image = two_layers("a:1")
    image.write_docker_archive(tmp_path / "plain.tar")
    with tarfile.open(tmp_path / "plain.tar") as old, tarfile.open(tmp_path / "in.tar", "w") as new:
        for member in old:
            data = old.extractfile(member).read()
            if member.name.endswith("layer.tar"):
                data = subprocess.run([compression, "-c"], input=data, check=True,
                                      stdout=subprocess.PIPE).stdout
                member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    first, second = make_skiff(), make_skiff()
    first.load(tmp_path / "in.tar")
    second.run("load", input=saved(first, "a:1"))
    assert second.inspect("a:1")["Id"] == image.id


# ---- others read it ----

@pytest.fixture
def archive(skiff, tmp_path):
    """busybox with two names, and another image that shares nothing."""
    skiff.run("tag", "busybox", "example.org/box:two")
    load_image(skiff, tmp_path, two_layers("other:1"), oci=True)
    path = tmp_path / "saved.tar"
    skiff.run("save", "-o", path, "busybox", "example.org/box:two", "other:1")
    return path


def test_docker_reads_it(skiff, archive, tmp_path):
    work = tmp_path / "docker"
    work.mkdir()
    with foreign.Dockerd(work) as daemon:
        out = daemon.run("load", "-i", archive)
        for name in ("busybox:latest", "example.org/box:two", "other:1"):
            assert f"Loaded image: {name}" in out
            assert daemon.run("image", "inspect", "--format", "{{.Id}}", name).strip() == (
                skiff.inspect(name)["Id"])


def test_podman_reads_it(skiff, archive, tmp_path):
    with foreign.containers_store(tmp_path, "podman") as podman:
        out = foreign.apart(*podman, "load", "-q", "-i", archive)
        for name in ("busybox:latest", "example.org/box:two", "other:1"):
            assert f"{name}\n" in out, "podman calls some localhost/NAME, as docker's own"
            found = foreign.apart(*podman, "image", "inspect", "--format", "{{.Id}}", name)
            assert "sha256:" + found.strip() == skiff.inspect(name)["Id"]


def test_podman_reads_one_image(skiff, tmp_path):
    """It takes the other layout then."""
    skiff.run("save", "-o", tmp_path / "one.tar", "busybox")
    with foreign.containers_store(tmp_path, "podman") as podman:
        assert "docker.io/library/busybox:latest" in foreign.apart(
            *podman, "load", "-q", "-i", tmp_path / "one.tar")


def test_skopeo_reads_it(skiff, archive, tmp_path):
    skopeo = require_tool("skopeo")
    for source in (f"docker-archive:{archive}:busybox:latest",
                   f"oci-archive:{archive}:1", f"docker-archive:{archive}:other:1"):
        tool(skopeo, "copy", source, f"dir:{tmp_path / 'copy'}")
    manifest = json.loads((tmp_path / "copy/manifest.json").read_text())
    assert manifest["config"]["digest"] == skiff.inspect("other:1")["Id"]


def test_umoci_reads_it(skiff, archive, tmp_path):
    layout = tmp_path / "layout"
    layout.mkdir()
    tool("tar", "-C", layout, "-xf", archive)
    umoci = require_tool("umoci")
    assert set(tool(umoci, "list", "--layout", layout).split()) == {"latest", "two", "1"}
    tool(umoci, "unpack", "--image", f"{layout}:latest", tmp_path / "bundle")
    assert (tmp_path / "bundle/rootfs/bin/busybox").exists()
