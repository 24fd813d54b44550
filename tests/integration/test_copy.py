# SPDX-License-Identifier: Apache-2.0
"""copy: images, indexes and artifacts from one place to another, byte for byte."""

import json

import pytest

from helpers.docker_registry import INDEX, MANIFEST, DockerRegistry, digest_of
from helpers.home import Home


@pytest.fixture
def home(tmp_path, make_skiff):
    return Home(tmp_path / "home", make_skiff())


@pytest.fixture
def registry(tmp_path):
    with DockerRegistry(tmp_path / "registry") as started:
        yield started


@pytest.fixture
def other(tmp_path):
    """With passwords."""
    with DockerRegistry(tmp_path / "other", users={"alice": "secret"}) as started:
        yield started


def copy(home, source, target, *args, **options):
    return home.skiff.run("copy", *args, source, target, **options)


def put_index(registry, repository="app", tag="all"):
    images = {name: registry.put_image(repository, f"x-{name}", {"a": name}, architecture=name)
              for name in ("amd64", "arm64", "s390x")}
    return registry.put_index(repository, tag, images), images


def assert_same(one, two, reference, *paths):
    """The manifest and all that it names are in both registries."""
    first, second = paths if len(paths) == 2 else (paths[0], paths[0])
    text, media_type = one.manifest(first, reference)
    assert two.manifest(second, reference) == (text, media_type)
    document = json.loads(text)
    for entry in document.get("manifests", []):
        assert_same(one, two, entry["digest"], first, second)
    for entry in [document.get("config"), *document.get("layers", [])]:
        if entry:
            assert two.blob(second, entry["digest"]) == one.blob(first, entry["digest"])


def test_between_registries(home, registry, other):
    digest = registry.put_image("app", "1")
    done = copy(home, f"docker://{registry.domain}/app:1", f"docker://{other.domain}/team/app:2",
                "--dest-creds", "alice:secret")
    assert done.stdout == f"{digest}\n"
    assert other.manifest("team/app", "2") == registry.manifest("app", "1")
    assert_same(registry, other, digest, "app", "team/app")


def test_the_wrong_password_for_the_target(home, registry, other):
    registry.put_image("app", "1")
    refused = home.skiff.fails("copy", f"docker://{registry.domain}/app:1",
                               f"docker://{other.domain}/app:1", "--dest-creds", "alice:other",
                               code=1)
    assert "other" not in refused.stderr.replace(other.domain, "")


def test_an_index_and_all_its_images(home, registry, other):
    index, _ = put_index(registry)
    creds = ("--dest-creds", "alice:secret")
    source = f"docker://{registry.domain}/app:all"
    done = copy(home, source, f"docker://{other.domain}/app:all", "--all", *creds)
    assert done.stdout == f"{index}\n"
    assert_same(registry, other, index, "app")


def test_without_all_the_image_for_a_platform(home, registry):
    _, images = put_index(registry)
    source = f"docker://{registry.domain}/app:all"
    for platform in ("amd64", "arm64"):
        done = copy(home, source, f"docker://{registry.domain}/one:{platform}",
                    "--platform", f"linux/{platform}")
        assert done.stdout == f"{images[platform]}\n"
        assert registry.manifest("one", platform) == registry.manifest("app", images[platform])
    refused = home.skiff.fails("copy", "--platform", "linux/riscv64", source,
                               f"docker://{registry.domain}/one:x", code=1)
    assert "linux/s390x" in refused.stderr


def test_out_to_a_layout_and_back(home, registry, tmp_path):
    index, _ = put_index(registry)
    layout = tmp_path / "layout"
    copy(home, f"docker://{registry.domain}/app:all", f"oci:{layout}:all", "--all")
    copy(home, f"docker://{registry.domain}/app:x-arm64", f"oci:{layout}:arm")
    entries = json.loads((layout / "index.json").read_text())["manifests"]
    assert [entry["annotations"]["org.opencontainers.image.ref.name"] for entry in entries] == [
        "all", "arm"]
    done = copy(home, f"oci:{layout}:all", f"docker://{registry.domain}/back:all", "--all")
    assert done.stdout == f"{index}\n"
    assert_same(registry, registry, index, "app", "back")
    # A second copy under the same name takes its place.
    copy(home, f"docker://{registry.domain}/app:x-amd64", f"oci:{layout}:arm")
    assert len(json.loads((layout / "index.json").read_text())["manifests"]) == 2
    refused = home.skiff.fails("copy", f"oci:{layout}", f"oci:{tmp_path}/x", code=1)
    assert "several images" in refused.stderr


def test_what_we_write_skopeo_reads_and_the_other_way_round(home, registry, tmp_path):
    digest = registry.put_image("app", "1")
    for transport in ("oci", "dir"):
        ours, theirs = tmp_path / f"ours-{transport}", tmp_path / f"theirs-{transport}"
        name = ":1" if transport == "oci" else ""
        copy(home, f"docker://{registry.domain}/app:1", f"{transport}:{ours}{name}")
        done = home.tool("skopeo", "--insecure-policy", "copy", "--preserve-digests",
                         f"{transport}:{ours}{name}", f"{transport}:{theirs}{name}")
        assert done.returncode == 0, done.stderr
        back = copy(home, f"{transport}:{theirs}{name}",
                    f"docker://{registry.domain}/from-{transport}:1")
        assert back.stdout == f"{digest}\n"


def test_to_the_store_and_from_it(home, registry, tmp_path):
    digest = registry.put_image("app", "1")
    copy(home, f"docker://{registry.domain}/app:1", "mine:1")
    tags = json.loads(home.skiff.run("image", "inspect", "mine:1").stdout)[0]["RepoTags"]
    assert tags == ["mine:1"]
    done = copy(home, "mine:1", f"docker://{registry.domain}/again:1")
    assert done.stdout == f"{digest}\n"
    copy(home, "mine:1", f"oci:{tmp_path}/layout:1")
    copy(home, f"oci:{tmp_path}/layout:1", "second:1")
    copy(home, "mine:1", f"docker-archive:{tmp_path}/image.tar")
    copy(home, f"docker-archive:{tmp_path}/image.tar", "third:1")
    ids = {json.loads(home.skiff.run("image", "inspect", name).stdout)[0]["Id"]
           for name in ("mine:1", "second:1", "third:1")}
    assert len(ids) == 1


def test_artifacts_pass_through(home, registry, other):
    """Not an image at all: its own type, its own configuration, layers of any kind."""
    blob, empty = b"not a tar", b"{}"
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "text/x-recipe",
                "config": {"mediaType": "application/vnd.oci.empty.v1+json",
                           "digest": registry.put_blob("cake", empty), "size": len(empty)},
                "layers": [{"mediaType": "text/plain", "digest": registry.put_blob("cake", blob),
                            "size": len(blob)}]}
    digest = registry.put_manifest("cake", "1", manifest)
    done = copy(home, f"docker://{registry.domain}/cake:1", f"docker://{other.domain}/cake:1",
                "--dest-creds", "alice:secret")
    assert done.stdout == f"{digest}\n"
    assert_same(registry, other, digest, "cake")


def test_referrers_come_along_with_all(home, registry, other):
    """By the tag that stands for the referrers of a digest where a registry has no call for them."""
    digest = registry.put_image("app", "1")
    size = len(registry.manifest("app", digest)[0])
    empty = registry.put_blob("app", b"{}")
    referrer = registry.put_manifest("app", "note", {
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "text/x-note",
        "subject": {"mediaType": MANIFEST, "digest": digest, "size": size},
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": 2},
        "layers": [{"mediaType": "text/plain", "digest": registry.put_blob("app", b"hi"),
                    "size": 2}]})
    registry.put_manifest("app", digest.replace(":", "-"), {
        "schemaVersion": 2, "mediaType": INDEX, "manifests": [
            {"mediaType": MANIFEST, "digest": referrer, "artifactType": "text/x-note",
             "size": len(registry.manifest("app", referrer)[0])}]}, INDEX)
    copy(home, f"docker://{registry.domain}/app:1", f"docker://{other.domain}/app:1", "--all",
         "--dest-creds", "alice:secret")
    assert_same(registry, other, referrer, "app")
    listed = json.loads(other.manifest("app", digest.replace(":", "-"))[0])
    assert [entry["digest"] for entry in listed["manifests"]] == [referrer]


def test_what_is_damaged_is_not_passed_on(home, registry, tmp_path):
    registry.put_image("app", "1")
    layout = tmp_path / "layout"
    copy(home, f"docker://{registry.domain}/app:1", f"oci:{layout}:1")
    manifest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    blobs = layout / "blobs/sha256"
    for blob in blobs.iterdir():
        before = blob.read_bytes()
        blob.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        repository = f"bad-{blob.name[:8]}"
        home.skiff.fails("copy", f"oci:{layout}:1", f"docker://{registry.domain}/{repository}:1",
                         code=1)
        with pytest.raises(OSError):
            registry.manifest(repository, "1")
        blob.write_bytes(before)
    assert digest_of((blobs / manifest[7:]).read_bytes()) == manifest


def test_links_in_a_layout_lead_nowhere(home, registry, tmp_path, canary):
    registry.put_image("app", "1")
    layout = tmp_path / "layout"
    copy(home, f"docker://{registry.domain}/app:1", f"oci:{layout}:1")
    for blob in (layout / "blobs/sha256").iterdir():
        blob.rename(tmp_path / "outside")
        blob.symlink_to(tmp_path / "outside")
        home.skiff.fails("copy", f"oci:{layout}:1", f"oci:{tmp_path}/{blob.name}:1",
                         code=1)
        blob.unlink()
        (tmp_path / "outside").rename(blob)


def test_the_policy_is_asked_about_the_source(home, registry, tmp_path):
    registry.put_image("app", "1")
    source = f"docker://{registry.domain}/app:1"
    home.policy([{"type": "insecureAcceptAnything"}], docker={registry.domain: [{"type": "reject"}]})
    for target in (f"oci:{tmp_path}/x:1", f"docker://{registry.domain}/y:1", "z:1"):
        assert "reject" in home.skiff.fails("copy", source, target, code=1).stderr
    home.policy([{"type": "insecureAcceptAnything"}])
    copy(home, source, f"oci:{tmp_path}/x:1")
    home.policy([{"type": "insecureAcceptAnything"}], oci={str(tmp_path): [{"type": "reject"}]})
    home.skiff.fails("copy", f"oci:{tmp_path}/x:1", f"docker://{registry.domain}/y:1", code=1)


def test_what_cannot_be_copied_is_said(home, registry, tmp_path):
    index, _ = put_index(registry)
    assert "--all needs another target" in home.skiff.fails(
        "copy", "--all", f"docker://{registry.domain}/app@{index}", "x:1", code=1).stderr
    home.skiff.fails("copy", "nowhere:1", f"oci:{tmp_path}/x:1", code=1)
