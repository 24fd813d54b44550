# SPDX-License-Identifier: Apache-2.0
"""image prune, system prune, container prune --filter, history, images."""

import json
import os

import pytest

from docker_archive import Image


def load(skiff, tmp_path, name, created="2020-01-01T00:00:00Z", labels=None, content=None):
    image = Image(*([name] if name else []), created=created,
                  config={"Cmd": ["/file"], "Labels": labels or {}})
    image.layer().file("shared", "shared" * 1000)
    image.layer().file("file", content or name or created)
    skiff.load(image.write_docker_archive(tmp_path / "image.tar"))
    return image.id


def names(skiff):
    return sorted(skiff.run("images", "--format", "{{.Repository}}:{{.Tag}}").stdout.split())


def disk_bytes(skiff):
    total = 0
    for base, directories, files in os.walk(skiff.root):
        total += sum(os.lstat(os.path.join(base, name)).st_blocks * 512
                     for name in directories + files)
    return total


@pytest.fixture
def store(skiff, tmp_path):
    """Two named images, one without a name, busybox with a container."""
    load(skiff, tmp_path, "old:1", "2020-01-01T00:00:00Z", {"keep": "no"})
    load(skiff, tmp_path, "new:1", "2024-01-01T00:00:00Z", {"keep": "yes", "team": "a"})
    skiff.nameless = load(skiff, tmp_path, None, "2022-01-01T00:00:00Z")
    skiff.run("create", "--name", "box", "busybox", "true")
    return skiff


ALL = ["<none>:<none>", "busybox:latest", "new:1", "old:1"]


def test_dangling_only(store):
    out = store.run("image", "prune", "-f").stdout
    assert out.startswith(f"Deleted Images:\ndeleted: {store.nameless}\ndeleted: sha256:")
    assert "\n\nTotal reclaimed space: " in out
    assert names(store) == ALL[1:]
    assert store.run("image", "prune", "-f").stdout == "Total reclaimed space: 0B\n"


def test_all(store):
    out = store.run("image", "prune", "--all", "--force").stdout
    assert "untagged: old:1\ndeleted: sha256:" in out and "untagged: new:1\n" in out
    assert names(store) == ["busybox:latest"], "a container was made of it, though it does not run"
    assert len(os.listdir(store.root / "layers")) == 1
    assert store.run("system", "fsck").stdout.endswith("clean\n")


def test_reclaimed_space_is_what_the_disk_says(store, tmp_path):
    load(store, tmp_path, "big:1", content=os.urandom(3_000_000).hex())
    before = disk_bytes(store)
    line = store.run("image", "prune", "-af").stdout.splitlines()[-1]
    freed = before - disk_bytes(store)
    said = float(line.removeprefix("Total reclaimed space: ").removesuffix("MB")) * 1e6
    assert abs(said - freed) < 150_000, (said, freed)


@pytest.mark.parametrize("filters,left", [
    (["until=2023-01-01"], ["busybox:latest", "new:1"]),
    (["until=10m"], ["busybox:latest"]),
    (["label=keep"], ["<none>:<none>", "busybox:latest"]),
    (["label=keep=yes"], ["<none>:<none>", "busybox:latest", "old:1"]),
    (["label=keep=yes", "label=team"], ["<none>:<none>", "busybox:latest", "old:1"]),
    (["label=keep=yes", "label=team=b"], ALL),
    (["label!=keep"], ["busybox:latest", "new:1", "old:1"]),
    (["label!=keep=yes"], ["busybox:latest", "new:1"]),
    (["label!=keep=yes", "until=2021-01-01"], ["<none>:<none>", "busybox:latest", "new:1"]),
    (["dangling=true"], ["busybox:latest"]),
], ids=str)
def test_filters(store, filters, left):
    arguments = [part for one in filters for part in ("--filter", one)]
    store.run("image", "prune", "-af", *arguments)
    assert names(store) == left


def test_dangling_false_is_all(store):
    store.run("image", "prune", "-f", "--filter", "dangling=false")
    assert names(store) == ["busybox:latest"]


@pytest.mark.parametrize("bad", ["what=ever", "until=yesterday", "nothing", "dangling=perhaps"])
def test_bad_filters(store, bad):
    for command in (["image", "prune", "-af"], ["system", "prune", "-af"], ["prune", "-f"]):
        result = store.fails(*command, "--filter", bad)
        assert "filter" in result.stderr and result.stdout == ""
    assert names(store) == ALL


def test_it_asks(store):
    question = "Are you sure you want to continue? [y/N] "
    assert store.run("image", "prune", input="n\n").stdout == (
        "WARNING! This will remove all dangling images.\n" + question)
    assert store.run("image", "prune", "-a", input="").stdout == (
        "WARNING! This will remove all images without at least one container associated to "
        "them.\n" + question)
    assert names(store) == ALL
    store.run("image", "prune", input="y\n")
    assert names(store) == ALL[1:]


def test_system_prune(store):
    store.start("--name", "running")
    store.run("system", "prune", "-f")
    assert names(store) == ALL[1:]
    assert store.run("ps", "-a", "--format", "{{.Names}}").stdout.split() == ["running"]
    store.run("rm", "-f", "running")
    out = store.run("system", "prune", "-a", input="y\n").stdout
    assert "- all stopped containers\n" in out
    assert "- all images without at least one container associated to them\n" in out
    assert names(store) == []
    assert os.listdir(store.root / "layers") == []
    assert os.listdir(store.root / "oci/blobs/sha256") == []


def test_container_prune_filters(skiff):
    skiff.run("create", "--name", "kept", "--label", "keep=yes", "busybox")
    skiff.run("create", "--name", "other", "busybox")
    skiff.run("container", "prune", "-f", "--filter", "until=1h")
    skiff.run("container", "prune", "-f", "--filter", "label!=keep")
    assert skiff.run("ps", "-a", "--format", "{{.Names}}").stdout.split() == ["kept"]
    skiff.run("system", "prune", "-f", "--filter", "label=keep=no")
    assert len(skiff.containers()) == 1
    skiff.run("system", "prune", "-f", "--filter", "label=keep")
    assert skiff.containers() == []


# ---- history ----

@pytest.fixture
def with_history(empty_skiff, tmp_path):
    image = Image("story:1", config={"Cmd": ["/file"]})
    image.layer().file("one", "x" * 2000)
    image.layer().file("two", "y" * 30)
    config = json.loads(image.config_bytes())
    config["history"] = [
        {"created": "2020-01-02T03:04:05.678Z", "created_by": "ADD one\tfile", "comment": "first"},
        {"created": "2020-01-02T03:05:05Z", "created_by": "ENV A=B", "empty_layer": True},
        {"created": "2020-02-02T03:04:05Z", "created_by": "/bin/sh -c " + "w" * 60},
    ]
    image.config_bytes = lambda: json.dumps(config).encode()
    empty_skiff.load(image.write_docker_archive(tmp_path / "story.tar"))
    empty_skiff.identity = image.id
    return empty_skiff


def test_history_table(with_history):
    lines = with_history.run("history", "story:1").stdout.splitlines()
    assert lines[0].split() == ["IMAGE", "CREATED", "CREATED", "BY", "SIZE", "COMMENT"]
    assert len(lines) == 4
    identity = with_history.identity.removeprefix("sha256:")[:12]
    assert lines[1].startswith(identity + "   ") and " years ago   " in lines[1]
    assert "/bin/sh -c " + "w" * 33 + "…   30B " in lines[1]
    assert lines[2].startswith("<missing>      ") and "ENV A=B" in lines[2] and " 0B " in lines[2]
    assert "ADD one file" in lines[3] and " 2kB " in lines[3] and "first" in lines[3]


def test_history_for_machines(with_history):
    lines = with_history.run("history", "--human=false", "--no-trunc", "story:1").stdout.splitlines()
    assert lines[0].split()[:3] == ["IMAGE", "CREATED", "AT"]
    assert lines[1].split()[:2] == [with_history.identity, "2020-02-02T03:04:05Z"]
    assert "w" * 60 in lines[1] and " 30 " in lines[1]
    assert " 2000 " in lines[3]
    assert with_history.run("history", "-q", "--no-trunc", "story:1").stdout.split() == [
        with_history.identity, "<missing>", "<missing>"]
    objects = [json.loads(line) for line in with_history.run(
        "history", "--format", "json", "story:1").stdout.splitlines()]
    assert [one["Size"] for one in objects] == ["30B", "0B", "2kB"]
    assert set(objects[0]) == {"Comment", "CreatedAt", "CreatedBy", "CreatedSince", "ID", "Size"}
    assert with_history.run("history", "--format", "{{.Comment}}|{{.ID}}",
                            "story:1").stdout.splitlines()[2] == "first|<missing>"


def test_history_of_nothing(with_history):
    assert "No such image: none:1" in with_history.fails("history", "none:1", code=1).stderr
    result = with_history.fails("history", "--platform", "linux/s390x", "story:1", code=1)
    assert "does not provide the specified platform" in result.stderr


# ---- images ----

@pytest.mark.parametrize("filters,shown", [
    (["before=new:1"], ["<none>:<none>", "busybox:latest", "old:1"]),
    (["since=old:1"], ["<none>:<none>", "new:1"]),
    (["since=old:1", "before=new:1"], ["<none>:<none>"]),
    (["until=2021-01-01"], ["busybox:latest", "old:1"]),
    (["label=keep"], ["new:1", "old:1"]),
    (["label=keep=yes"], ["new:1"]),
    (["label=keep", "label=team"], ["new:1"]),
    (["dangling=true"], ["<none>:<none>"]),
    (["dangling=false", "label=keep"], ["new:1", "old:1"]),
    (["reference=old", "reference=busy*"], ["busybox:latest", "old:1"]),
    (["reference=*:1", "label=keep=no"], ["old:1"]),
], ids=str)
def test_images_filters(store, filters, shown):
    arguments = [part for one in filters for part in ("--filter", one)]
    found = store.run("images", "--format", "{{.Repository}}:{{.Tag}}", *arguments).stdout.split()
    assert sorted(found) == shown


@pytest.mark.parametrize("bad", ["what=ever", "before=none:1", "until=then", "dangling=maybe"])
def test_images_bad_filters(store, bad):
    result = store.fails("images", "--filter", bad, code=1)
    assert result.stdout == "" and result.stderr.count("\n") == 1
