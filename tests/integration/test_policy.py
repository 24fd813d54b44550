# SPDX-License-Identifier: Apache-2.0
"""policy.json: what the host lets in, from archives and from registries, with cosign's signatures."""

import base64
import json
import subprocess

import pytest

from docker_archive import Image
from helpers.docker_registry import MANIFEST, DockerRegistry, digest_of, openssl
from helpers.features import require_tool
from helpers.home import Home
from helpers.images import tool

ACCEPT = [{"type": "insecureAcceptAnything"}]
REJECT = [{"type": "reject"}]


@pytest.fixture
def home(tmp_path, make_skiff):
    """A skiff that lives in a home directory of its own."""
    return Home(tmp_path / "home", make_skiff())


def archive(tmp_path, name="alpine:3.18"):
    image = Image(name, config={"Cmd": ["/hello"]})
    image.layer().file("hello", "hello")
    return image.write_docker_archive(tmp_path / "image.tar")


def oci_layout(tmp_path):
    """An OCI layout directory with the image `one`."""
    layout = tmp_path / "layout"
    tool(require_tool("skopeo"), "--insecure-policy", "copy",
         f"docker-archive:{archive(tmp_path)}", f"oci:{layout}:one")
    return layout


def store_is_empty(skiff):
    return skiff.run("images", "-q").stdout == "" and not any(
        any((skiff.root / name).iterdir()) for name in ("layers", "oci/blobs/sha256", "staging"))


# ---- archives ----

def test_reject_refuses_a_load(home, tmp_path):
    home.policy(REJECT)
    image = archive(tmp_path)
    refused = home.skiff.fails("load", "-i", image, code=1)
    assert "'docker-archive:" in refused.stderr and 'its policy is "reject"' in refused.stderr
    assert store_is_empty(home.skiff)
    home.policy(REJECT, **{"docker-archive": {"": ACCEPT}})
    home.skiff.run("load", "-i", image)


def test_standard_input_is_an_archive_too(home, tmp_path):
    home.policy(ACCEPT, **{"docker-archive": {"": REJECT}})
    with open(archive(tmp_path), "rb") as file:
        home.skiff.fails("load", stdin=file, code=1)
    assert store_is_empty(home.skiff)


def test_scopes_are_resolved_paths(home, tmp_path):
    layout = oci_layout(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(layout)
    home.policy(ACCEPT, oci={str(layout): REJECT})
    for path in (layout, link):
        home.skiff.fails("load", "-i", path, code=1)
        home.skiff.fails("run", "--rm", "--network", "none", f"oci:{path}:one", "true", code=125)
    assert store_is_empty(home.skiff)
    home.policy(REJECT, oci={f"{layout}:one": ACCEPT})
    home.skiff.fails("load", "-i", f"{archive(tmp_path)}", code=1)


def test_what_an_archive_cannot_prove_is_refused(home, tmp_path):
    home.policy([{"type": "sigstoreSigned", "keyPath": "/dev/null"}])
    refused = home.skiff.fails("load", "-i", archive(tmp_path), code=1)
    assert "a signature is required, and it has none" in refused.stderr
    home.policy([{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/dev/null"}])
    refused = home.skiff.fails("load", "-i", archive(tmp_path), code=1)
    assert "signedBy (OpenPGP signatures), which skiff cannot check" in refused.stderr


def test_a_policy_that_is_not_understood_refuses_everything(home, tmp_path):
    for text in ("{", '{"default": []}', '{"default": [{"type": "rejct"}]}',
                 '{"default": [{"type": "insecureAcceptAnything"}], "more": 1}'):
        home.write(".config/containers/policy.json", text)
        assert "policy.json" in home.skiff.fails("load", "-i", archive(tmp_path), code=1).stderr
    assert store_is_empty(home.skiff)


# ---- registries ----

@pytest.fixture
def registry(tmp_path):
    with DockerRegistry(tmp_path / "registry") as started:
        yield started


def key_pair(directory, name="key"):
    private, public = directory / f"{name}.pem", directory / f"{name}.pub"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private)
    openssl("ec", "-in", private, "-pubout", "-out", public)
    return private, public


def sign(registry, repository, digest, private, name=None, stored_for=None):
    """As `cosign sign --key` stores it: under the tag sha256-….sig (of `stored_for`, to cheat)."""
    payload = json.dumps({
        "critical": {"identity": {"docker-reference": name or f"{registry.domain}/{repository}"},
                     "image": {"docker-manifest-digest": digest},
                     "type": "cosign container image signature"},
        "optional": None}).encode()
    signature = subprocess.run([require_tool("openssl"), "dgst", "-sha256", "-sign", private],
                               input=payload, stdout=subprocess.PIPE, check=True).stdout
    registry.put_manifest(repository, (stored_for or digest).replace(":", "-") + ".sig", {
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
                   "digest": registry.put_blob(repository, b"{}"), "size": 2},
        "layers": [{
            "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
            "digest": registry.put_blob(repository, payload), "size": len(payload),
            "annotations": {"dev.cosignproject.cosign/signature":
                            base64.b64encode(signature).decode()}}]})


def signed_policy(public, identity="matchRepository"):
    return [{"type": "sigstoreSigned", "keyPath": str(public),
             "signedIdentity": {"type": identity}}]


def test_rejected_registries_are_not_even_asked(home, registry):
    registry.put_image("app", "1")
    home.policy(ACCEPT, docker={registry.domain: REJECT})
    refused = home.skiff.fails("pull", f"{registry.domain}/app:1", code=1)
    assert 'its policy is "reject"' in refused.stderr
    # A port at which nobody listens would be another error.
    home.policy(REJECT)
    assert "reject" in home.skiff.fails("pull", "127.0.0.1:1/app:1", code=1).stderr


def test_signed_images_are_taken_others_not(home, registry, tmp_path):
    private, public = key_pair(tmp_path)
    signed = registry.put_image("app", "signed", {"a": "signed"})
    registry.put_image("app", "unsigned", {"a": "unsigned"})
    sign(registry, "app", signed, private)
    home.policy(REJECT, docker={f"{registry.domain}/app": signed_policy(public)})
    home.skiff.run("pull", f"{registry.domain}/app:signed")
    home.skiff.run("pull", f"{registry.domain}/app@{signed}")
    refused = home.skiff.fails("pull", f"{registry.domain}/app:unsigned", code=1)
    assert "a signature is required, and it has none" in refused.stderr
    assert "unsigned" not in home.skiff.run("images").stdout


def test_nothing_of_a_refused_image_is_kept(home, registry, tmp_path):
    _, public = key_pair(tmp_path)
    registry.put_image("app", "1")
    home.policy(signed_policy(public))
    home.skiff.fails("pull", f"{registry.domain}/app:1", code=1)
    assert store_is_empty(home.skiff)


def test_wrong_key_wrong_image_wrong_name(home, registry, tmp_path):
    private, public = key_pair(tmp_path)
    stranger, _ = key_pair(tmp_path, "stranger")
    good = registry.put_image("app", "good", {"a": "good"})
    home.policy(signed_policy(public))
    for number, (key, digest, name, reason) in enumerate([
            (stranger, None, None, "no signature was made with the key"),
            (private, good, None, "the signature is for another image"),
            (private, None, "example.org/other", "the signature is for the name")]):
        image = registry.put_image("app", f"{number}", {"a": f"{number}"})
        sign(registry, "app", digest or image, key, name, stored_for=image)
        refused = home.skiff.fails("pull", f"{registry.domain}/app:{number}", code=1)
        assert reason in refused.stderr
    assert store_is_empty(home.skiff)


def test_an_index_vouches_for_its_images(home, registry, tmp_path):
    private, public = key_pair(tmp_path)
    images = {name: registry.put_image("app", name, {"a": name}, architecture=name)
              for name in ("amd64", "arm64")}
    index = registry.put_index("app", "all", images)
    home.policy(signed_policy(public))
    home.skiff.fails("pull", f"{registry.domain}/app:all", code=1)
    sign(registry, "app", index, private)
    home.skiff.run("pull", f"{registry.domain}/app:all")


def test_an_image_of_an_index_may_be_signed_alone(home, registry, tmp_path):
    private, public = key_pair(tmp_path)
    images = {name: registry.put_image("app", name, {"a": name}, architecture=name)
              for name in ("amd64", "arm64")}
    registry.put_index("app", "all", images)
    sign(registry, "app", images["amd64"], private)
    home.policy(signed_policy(public))
    home.skiff.run("pull", "--platform", "linux/amd64", f"{registry.domain}/app:all")
    home.skiff.fails("pull", "--platform", "linux/arm64", f"{registry.domain}/app:all", code=1)


def test_tags_count_unless_the_policy_says_otherwise(home, registry, tmp_path):
    private, public = key_pair(tmp_path)
    image = registry.put_image("app", "1")
    name = f"{registry.domain}/app:1"
    sign(registry, "app", image, private)
    home.policy(signed_policy(public, "matchRepoDigestOrExact"))
    home.skiff.fails("pull", name, code=1)  # cosign names the repository only
    sign(registry, "app", image, private, name)
    home.skiff.run("pull", name)


def test_registries_d_can_forbid_to_look_for_signatures(home, registry, tmp_path):
    private, public = key_pair(tmp_path)
    sign(registry, "app", registry.put_image("app", "1"), private)
    home.policy(signed_policy(public))
    home.write(".config/containers/registries.d/x.yaml",
               f"docker:\n  {registry.domain}:\n    use-sigstore-attachments: false\n")
    home.skiff.fails("pull", f"{registry.domain}/app:1", code=1)
    home.write(".config/containers/registries.d/x.yaml",
               f"docker:\n  {registry.domain}:\n    use-sigstore-attachments: true\n")
    home.skiff.run("pull", f"{registry.domain}/app:1")


def test_the_signature_is_fetched_from_the_mirror_under_the_images_own_name(
        home, registry, tmp_path):
    private, public = key_pair(tmp_path)
    image = registry.put_image("copy", "1")
    sign(registry, "copy", image, private, "vendor.example/app:1")
    home.write(".config/containers/registries.conf",
               f"[[registry]]\nprefix = 'vendor.example/app'\n"
               f"location = '{registry.domain}/copy'\n")
    home.policy(REJECT, docker={"vendor.example/app": [{"type": "sigstoreSigned",
                                                         "keyPath": str(public)}]})
    home.skiff.run("pull", "vendor.example/app:1")
    assert "vendor.example/app" in home.skiff.run("images").stdout


def test_lies_of_the_registry_about_signatures(home, registry, tmp_path):
    """A registry may answer anything at the tag: refused, each time, and nothing else happens."""
    _, public = key_pair(tmp_path)
    image = registry.put_image("app", "1")
    home.policy(signed_policy(public))
    layer = {"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
             "digest": registry.put_blob("app", b"{}"), "size": 2,
             "annotations": {"dev.cosignproject.cosign/signature": "bm90IGEgc2lnbmF0dXJl"}}
    config = {"mediaType": "application/vnd.oci.image.config.v1+json",
              "digest": digest_of(b"{}"), "size": 2}
    for layers in ([], [layer], [layer] * 200,
                   [{**layer, "annotations": {"dev.cosignproject.cosign/signature": "###"}}]):
        registry.put_manifest("app", image.replace(":", "-") + ".sig", {
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers})
        home.skiff.fails("pull", f"{registry.domain}/app:1", code=1)
    assert store_is_empty(home.skiff)
