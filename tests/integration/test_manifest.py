# SPDX-License-Identifier: Apache-2.0
"""manifest: lists put together here, annotated, pushed and looked at, as docker does."""

import json

import pytest

from helpers.docker_registry import INDEX, DockerRegistry
from helpers.home import Home


@pytest.fixture
def home(tmp_path, make_skiff):
    return Home(tmp_path / "home", make_skiff())


@pytest.fixture
def registry(tmp_path):
    with DockerRegistry(tmp_path / "registry") as started:
        yield started


def manifest(home, *args, **options):
    return home.skiff.run("manifest", *args, **options)


def test_create_annotate_push_inspect_rm(home, registry):
    digests = {name: registry.put_image("app", name, {"a": name}, architecture=name)
               for name in ("amd64", "arm64")}
    name = f"{registry.domain}/app:all"
    parts = [f"{registry.domain}/app:{part}" for part in digests]
    assert manifest(home, "create", name, *parts).stdout == f"Created manifest list {name}\n"
    manifest(home, "annotate", name, parts[1], "--variant", "v8", "--os-version", "6",
             "--os-features", "x,y")
    text = manifest(home, "inspect", name).stdout
    assert text.startswith('{\n\t"schemaVersion": 2,\n\t"mediaType": "')
    listed = json.loads(text)
    assert listed["mediaType"] == INDEX
    assert [(entry["digest"], entry["platform"]) for entry in listed["manifests"]] == [
        (digests["amd64"], {"architecture": "amd64", "os": "linux"}),
        (digests["arm64"], {"architecture": "arm64", "os": "linux", "variant": "v8",
                            "os.version": "6", "os.features": ["x", "y"]})]
    pushed = manifest(home, "push", name).stdout.strip()
    body, media_type = registry.manifest("app", "all")
    assert json.loads(body) == listed and media_type == INDEX
    # What the registry has now is what is shown when the list is gone here.
    manifest(home, "rm", name)
    assert json.loads(manifest(home, "inspect", name).stdout) == listed
    assert json.loads(manifest(home, "inspect", f"{registry.domain}/app@{pushed}").stdout) == listed
    home.skiff.run("pull", "--platform", "linux/arm64/v8", name)
    assert "No such manifest" in home.skiff.fails("manifest", "rm", name, code=1).stderr


def test_manifests_of_another_repository_are_brought_along(home, registry):
    digest = registry.put_image("elsewhere/app", "1")
    name = f"{registry.domain}/app:1"
    manifest(home, "create", name, f"{registry.domain}/elsewhere/app:1")
    manifest(home, "push", "--purge", name)
    assert registry.manifest("app", digest) == registry.manifest("elsewhere/app", digest)
    home.skiff.run("pull", name)
    assert "No such manifest" in home.skiff.fails("manifest", "push", name, code=1).stderr


def test_amend(home, registry):
    for tag in ("1", "2"):
        registry.put_image("app", tag, {"a": tag}, architecture="amd64" if tag == "1" else "arm")
    name = f"{registry.domain}/app:all"
    manifest(home, "create", name, f"{registry.domain}/app:1")
    refused = home.skiff.fails("manifest", "create", name, f"{registry.domain}/app:2", code=1)
    assert "no --amend flag" in refused.stderr
    manifest(home, "create", "--amend", name, f"{registry.domain}/app:2")
    manifest(home, "create", "--amend", name, f"{registry.domain}/app:2")
    assert len(json.loads(manifest(home, "inspect", name).stdout)["manifests"]) == 2


def test_verbose(home, registry):
    digest = registry.put_image("app", "1")
    name = f"{registry.domain}/app:1"
    one = json.loads(manifest(home, "inspect", "-v", name).stdout)
    assert one["Ref"] == name and one["Descriptor"]["digest"] == digest
    assert one["Descriptor"]["platform"] == {"architecture": "amd64", "os": "linux"}
    assert one["OCIManifest"] == json.loads(registry.manifest("app", "1")[0])
    registry.put_index("app", "all", {"amd64": digest})
    several = json.loads(manifest(home, "inspect", "-v", f"{registry.domain}/app:all").stdout)
    assert [entry["Descriptor"]["digest"] for entry in several] == [digest]
    manifest(home, "create", f"{registry.domain}/list:1", name)
    inside = json.loads(manifest(home, "inspect", f"{registry.domain}/list:1", name).stdout)
    assert inside == json.loads(registry.manifest("app", "1")[0])


def test_what_makes_no_sense(home, registry):
    digest = registry.put_image("app", "1")
    registry.put_index("app", "all", {"amd64": digest})
    name = f"{registry.domain}/new:1"
    for args, message in [
            (("create", name, f"{registry.domain}/app:all"), "is a manifest list"),
            (("create", name, f"{registry.domain}/app:none"), "app:none"),
            (("create", f"{name}@{digest}", f"{registry.domain}/app:1"), "not a digest"),
            (("annotate", name, f"{registry.domain}/app:1"), "No such manifest"),
            (("inspect", f"{registry.domain}/none:1"), "none:1")]:
        assert message in home.skiff.fails("manifest", *args, code=1).stderr
    manifest(home, "create", name, f"{registry.domain}/app:1")
    refused = home.skiff.fails("manifest", "annotate", name, "other:1", code=1)
    assert "does not exist" in refused.stderr


def test_lists_are_nothing_that_fsck_minds(home, registry):
    registry.put_image("app", "1")
    manifest(home, "create", f"{registry.domain}/l:1", f"{registry.domain}/app:1")
    home.skiff.run("system", "fsck")


def test_strings_with_brackets_are_shown_as_they_are(home, registry):
    digest = registry.put_blob("app", b"{}")
    text = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest,
                       "size": 2},
            "layers": [], "annotations": {"a": "{[\"x\\ , y: z]}", "b": ""}}
    registry.put_manifest("app", "odd", text)
    shown = manifest(home, "inspect", f"{registry.domain}/app:odd").stdout
    assert json.loads(shown) == text and '\t"layers": [],\n' in shown
