# SPDX-License-Identifier: Apache-2.0
"""pull and push against a real registry: names, digests, authentication, sharing, progress."""

import hashlib
import json
import os
import re
import shutil
import subprocess

import pytest

from helpers.images import tool
from helpers.registry import TokenServer


def put(registry, archive, name, *options):
    """skopeo puts it there, so that what we read was written by somebody else."""
    tool("skopeo", "copy", "--dest-tls-verify=false", *options, f"docker-archive:{archive}",
         f"docker://{registry.host}/{name}")
    return f"{registry.host}/{name}"


def remote_digest(name, *options):
    text = tool("skopeo", "inspect", "--tls-verify=false", "--raw", *options, f"docker://{name}")
    done = subprocess.run(["sha256sum"], input=text.encode(), stdout=subprocess.PIPE, check=True)
    return "sha256:" + done.stdout.decode().split()[0]


@pytest.fixture
def remote(registry, busybox):
    """busybox in a registry: its name there."""
    return put(registry, busybox, "library/busybox:1")


# ---- pull ----

def test_pull_and_run(empty_skiff, remote):
    out = empty_skiff.run("pull", remote).stdout
    digest = re.search(r"^Digest: (sha256:[0-9a-f]{64})$", out, re.M).group(1)
    assert digest == remote_digest(remote)
    assert f"Status: Downloaded newer image for {remote}\n{remote}\n" in out
    assert "Pull complete" in out
    assert empty_skiff.run("run", "--rm", "--network", "none", remote, "echo", "hi").stdout == "hi\n"
    image = json.loads(empty_skiff.run("image", "inspect", remote).stdout)[0]
    assert image["RepoDigests"] == [f"{remote.rsplit(':', 1)[0]}@{digest}"]
    assert digest in empty_skiff.run("images", "--digests").stdout
    empty_skiff.run("system", "fsck")


def test_pull_again_fetches_no_blob(empty_skiff, registry, remote):
    empty_skiff.run("pull", remote)
    before = registry.count(r"GET /v2/library/busybox/blobs/")
    out = empty_skiff.run("pull", remote).stdout
    assert "Status: Image is up to date for" in out
    # The configuration is looked at again; layers are not.
    assert registry.count(r"GET /v2/library/busybox/blobs/") <= before + 1


def test_pull_quiet_prints_the_name(empty_skiff, remote):
    assert empty_skiff.run("pull", "-q", remote).stdout == remote + "\n"


def test_pull_by_digest(empty_skiff, remote):
    pinned = f"{remote.rsplit(':', 1)[0]}@{remote_digest(remote)}"
    empty_skiff.run("pull", pinned)
    lines = empty_skiff.run("images").stdout.splitlines()
    assert re.match(rf"{re.escape(remote.rsplit(':', 1)[0])}\s+<none>\s", lines[1])
    empty_skiff.run("run", "--rm", "--network", "none", "--pull", "never", pinned, "true")


def test_pull_all_tags(empty_skiff, registry, busybox):
    for tag in ("1", "2", "edge"):
        put(registry, busybox, f"app:{tag}")
    empty_skiff.run("pull", "-a", f"{registry.host}/app")
    names = empty_skiff.run("images", "--format", "{{.Tag}}").stdout.split()
    assert sorted(names) == ["1", "2", "edge"]


def test_pull_what_is_not_there(empty_skiff, registry):
    result = empty_skiff.fails("pull", f"{registry.host}/nothing")
    assert "unknown" in result.stderr
    assert empty_skiff.leftovers() == []


def test_only_new_layers_are_fetched(empty_skiff, registry, remote, busybox, tmp_path):
    empty_skiff.run("pull", remote)
    other = f"{registry.host}/library/bigger:1"
    archive = tmp_path / "layout"
    tool("skopeo", "copy", f"docker-archive:{busybox}", f"oci:{archive}:bigger")
    layer = tmp_path / "extra"
    layer.mkdir()
    (layer / "new-file").write_text("new")
    tool("umoci", "insert", "--image", f"{archive}:bigger", layer / "new-file", "/new-file")
    tool("skopeo", "copy", "--dest-tls-verify=false", f"oci:{archive}:bigger", f"docker://{other}")
    out = empty_skiff.run("pull", other).stdout
    assert out.count("Already exists") == 1
    assert out.count("Pull complete") == 1
    assert empty_skiff.run("run", "--rm", "--network", "none", other, "cat",
                           "/new-file").stdout == "new"


def test_run_pulls_what_is_missing(empty_skiff, remote):
    result = empty_skiff.run("run", "--rm", "--network", "none", remote, "echo", "here")
    assert result.stdout == "here\n"
    assert f"Unable to find image '{remote}' locally" in result.stderr
    again = empty_skiff.run("run", "--rm", "--network", "none", remote, "echo", "here")
    assert again.stderr == ""


def test_run_pull_policies(empty_skiff, registry, remote):
    result = empty_skiff.fails("run", "--pull", "never", remote, code=125)
    assert "No such image" in result.stderr
    empty_skiff.run("run", "--rm", "--network", "none", "--pull", "always", "-q", remote, "true")
    before = registry.count("GET .*/manifests/")
    empty_skiff.run("run", "--rm", "--network", "none", "--pull", "always", remote, "true")
    assert registry.count("GET .*/manifests/") > before
    empty_skiff.fails("run", "--pull", "sometimes", remote, code=125)


def test_docker_transport(empty_skiff, remote):
    empty_skiff.run("pull", f"docker://{remote}")
    assert empty_skiff.run("run", "--rm", "--network", "none", f"docker://{remote}", "echo",
                           "x").stdout == "x\n"


def test_platform_is_chosen_from_an_index(empty_skiff, registry, busybox, tmp_path):
    layout = tmp_path / "layout"
    for architecture in ("amd64", "arm64"):
        tool("skopeo", "copy", f"docker-archive:{busybox}", f"oci:{layout}:{architecture}")
        tool("umoci", "config", "--image", f"{layout}:{architecture}", "--architecture",
             architecture)
    index = json.loads((layout / "index.json").read_text())
    for entry in index["manifests"]:
        name = entry.pop("annotations")["org.opencontainers.image.ref.name"]
        entry["platform"] = {"os": "linux", "architecture": name}
    index["mediaType"] = "application/vnd.oci.image.index.v1+json"
    text = json.dumps(index).encode()
    digest = hashlib.sha256(text).hexdigest()
    (layout / "blobs/sha256" / digest).write_bytes(text)
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [
        {"mediaType": index["mediaType"], "digest": f"sha256:{digest}", "size": len(text),
         "annotations": {"org.opencontainers.image.ref.name": "multi"}}]}))
    name = f"{registry.host}/multi:1"
    tool("skopeo", "copy", "--all", "--dest-tls-verify=false", f"oci:{layout}:multi",
         f"docker://{name}")

    def architecture():
        return json.loads(empty_skiff.run("image", "inspect", name).stdout)[0]["Architecture"]

    empty_skiff.run("pull", name)
    assert architecture() == "amd64"
    image = json.loads(empty_skiff.run("image", "inspect", name).stdout)[0]
    assert image["RepoDigests"][0].endswith(digest)
    empty_skiff.run("pull", "--platform", "linux/arm64", name)
    assert architecture() == "arm64"
    result = empty_skiff.fails("pull", "--platform", "linux/s390x", name)
    assert "no matching manifest for linux/s390x" in result.stderr


# ---- push ----

@pytest.mark.parametrize("form", ["v2s2", "oci"])
def test_pull_then_push_is_the_identity(empty_skiff, registry, busybox, form):
    name = put(registry, busybox, f"{form}:1", "--format", form)
    empty_skiff.run("pull", name)
    copy = f"{registry.host}/elsewhere/{form}:2"
    empty_skiff.run("tag", name, copy)
    out = empty_skiff.run("push", copy).stdout
    assert remote_digest(copy) == remote_digest(name)
    assert f"2: digest: {remote_digest(name)} size: " in out


def test_push_what_was_loaded(skiff, registry):
    name = f"{registry.host}/mine:1"
    skiff.run("tag", "busybox", name)
    assert "Pushed" in skiff.run("push", name).stdout
    assert "Layer already exists" in skiff.run("push", name).stdout
    other = f"{registry.host}/mine:2"
    skiff.run("push", "-q", "busybox", other)
    assert remote_digest(other) == remote_digest(name)
    for name_there in (name, other):
        tool("skopeo", "copy", "--src-tls-verify=false", f"docker://{name_there}",
             f"dir:{skiff.directory}/copy")


def test_push_mounts_what_another_repository_has(empty_skiff, registry, remote):
    empty_skiff.run("pull", remote)
    name = f"{registry.host}/other:1"
    empty_skiff.run("tag", remote, name)
    out = empty_skiff.run("push", name).stdout
    assert "Mounted" in out and "Pushed" not in out
    assert registry.count("PATCH .*/other/") == 0


def test_push_large_layer_in_one_patch(empty_skiff, registry, tmp_path):
    """More than a megabyte is streamed; the registry gets every byte of it."""
    from docker_archive import Image
    image = Image("big:1", config={"Cmd": ["x"]})
    image.layer().file("random", os.urandom(5 << 20))
    image.write_docker_archive(tmp_path / "big.tar")
    empty_skiff.load(tmp_path / "big.tar")
    name = f"{registry.host}/big:1"
    empty_skiff.run("push", "big:1", name)
    assert registry.count("PATCH .*/big/") == 1
    again = empty_skiff
    again.run("rmi", "big:1")
    again.run("pull", name)
    again.run("system", "fsck")


def test_push_what_is_not_there(empty_skiff, registry):
    assert "No such image" in empty_skiff.fails("push", f"{registry.host}/nothing").stderr


def test_search_lists_what_a_registry_has(empty_skiff, registry, remote):
    out = empty_skiff.run("search", f"{registry.host}/busy").stdout
    assert "library/busybox" in out
    assert "busybox" not in empty_skiff.run("search", f"{registry.host}/zzz").stdout
    tags = empty_skiff.run("search", "--list-tags", f"{registry.host}/library/busybox").stdout
    assert tags == "1\n"


# ---- trust ----

def test_own_authority_is_accepted(empty_skiff, make_registry, busybox):
    registry = make_registry(tls=True)
    name = put(registry, busybox, "tls:1")
    # The name is not loopback's own, which is not checked: docker does the same.
    certificates = empty_skiff.directory / "certs"
    certificates.mkdir()
    shutil.copy(registry.ca, certificates / "ca.crt")
    empty_skiff.run("pull", "--cert-dir", certificates, name)
    empty_skiff.run("system", "fsck")


def test_password(empty_skiff, make_registry, busybox):
    registry = make_registry(users={"me": "secret"})
    tool("skopeo", "copy", "--dest-tls-verify=false", "--dest-creds", "me:secret",
         f"docker-archive:{busybox}", f"docker://{registry.host}/private:1")
    name = f"{registry.host}/private:1"
    assert "authentication required" in empty_skiff.fails("pull", name).stderr
    wrong = empty_skiff.fails("pull", "--creds", "me:wrong", name)
    assert "incorrect username or password" in wrong.stderr
    assert "wrong" not in wrong.stderr.replace(name, "")
    empty_skiff.run("pull", "--creds", "me:secret", name)
    empty_skiff.run("push", "--creds", "me:secret", name, f"{registry.host}/private:2")


@pytest.mark.parametrize("password", [None, "me:secret"])
def test_token(empty_skiff, make_registry, make_server, busybox, tmp_path, password):
    tokens = make_server(TokenServer, tmp_path / "tokens", password=password)
    registry = make_registry(token_server=tokens)
    creds = ["--creds", password] if password else []
    empty_skiff.load(busybox)
    name = f"{registry.host}/team/app:1"
    empty_skiff.run("push", *creds, "busybox", name)
    assert any("scope=repository%3Ateam%2Fapp%3Apull%2Cpush" in path for path, _ in tokens.seen)
    tokens.seen.clear()
    empty_skiff.run("rmi", "busybox")
    empty_skiff.run("pull", *creds, name)
    # One token is enough for all that a pull asks for.
    assert len(tokens.seen) == 1
    if password:
        assert "incorrect username or password" in \
            empty_skiff.fails("pull", "--creds", "me:wrong", name).stderr


# ---- progress ----

def test_progress_on_a_terminal(empty_skiff, registry, tmp_path):
    from docker_archive import Image
    image = Image("big:1", config={"Cmd": ["x"]})
    for number in range(3):
        image.layer().file(f"random-{number}", os.urandom(1 << 20))
    image.write_docker_archive(tmp_path / "big.tar")
    name = put(registry, tmp_path / "big.tar", "big:1")
    child = empty_skiff.spawn("pull", name, columns=100)
    child.expect("Digest: sha256:")
    shown = child.before
    child.expect("\n" + re.escape(name))
    child.wait()
    assert "\x1b[3A" in shown  # the first of three lines
    assert shown.count("Pull complete") == 3
