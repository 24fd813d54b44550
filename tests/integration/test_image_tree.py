# SPDX-License-Identifier: Apache-2.0
"""image tree (podman's) and images --tree (docker's)."""

import re

import pytest

from docker_archive import Image


@pytest.fixture
def family(empty_skiff, tmp_path):
    """base <- middle <- top, and base <- other; each name has one layer more than what it is on."""
    def make(name, *layers):
        image = Image(name, config={"Cmd": ["x"]})
        for text in layers:
            image.layer().file(text, text.encode() * 1000)
        path = tmp_path / (name.split(":")[0] + ".tar")
        image.write_docker_archive(path)
        empty_skiff.load(path)

    make("base:1", "a")
    make("middle:1", "a", "b")
    make("top:1", "a", "b", "c")
    make("other:1", "a", "d")
    return empty_skiff


def test_layers_topmost_first(family):
    family.run("tag", "top:1", "second:name")
    lines = family.run("image", "tree", "top:1").stdout.splitlines()
    assert re.match(r"Image ID: [0-9a-f]{12}$", lines[0])
    assert lines[1] == "Tags:     [second:name top:1]"
    assert re.match(r"Size:     [\d.]+kB$", lines[2])
    assert lines[3] == "Image Layers"
    assert [re.sub(r"ID: [0-9a-f]{12} Size: +[\d.]+kB", "ID", line) for line in lines[4:]] == [
        "├── ID Top Layer of: [second:name top:1]",
        "├── ID Top Layer of: [middle:1]",
        "└── ID Top Layer of: [base:1]",
    ]


def test_what_requires(family):
    lines = family.run("image", "tree", "--whatrequires", "base:1").stdout.splitlines()[4:]
    shape = [re.sub(r"ID: [0-9a-f]{12} Size: +[\d.]+kB", "ID", line) for line in lines]
    assert shape[0] == "└── ID Top Layer of: [base:1]"
    branches = "\n".join(shape[1:])
    assert branches in (
        "    ├── ID Top Layer of: [other:1]\n"
        "    └── ID Top Layer of: [middle:1]\n"
        "        └── ID Top Layer of: [top:1]",
        "    ├── ID Top Layer of: [middle:1]\n"
        "    │   └── ID Top Layer of: [top:1]\n"
        "    └── ID Top Layer of: [other:1]")


def test_an_image_without_layers(empty_skiff, tmp_path):
    Image("void:1", config={"Cmd": ["x"]}).write_docker_archive(tmp_path / "void.tar")
    empty_skiff.load(tmp_path / "void.tar")
    assert empty_skiff.run("image", "tree", "void:1").stdout.splitlines()[3:] == ["No Image Layers"]


def test_what_is_not_there(empty_skiff):
    assert "No such image" in empty_skiff.fails("image", "tree", "nothing").stderr


def test_images_tree(skiff):
    skiff.run("tag", "busybox", "another:name")
    head, *rest = skiff.run("images", "--tree").stdout.splitlines()
    assert re.match(r"IMAGE +ID +DISK USAGE +CONTENT SIZE +EXTRA$", head)
    assert rest[0] == "another:name"
    assert re.match(r"busybox:latest +[0-9a-f]{12} +[\d.]+MB +[\d.]+MB +$", rest[1])
    assert re.match(r"└─ linux/amd64 +[0-9a-f]{12} +[\d.]+MB +[\d.]+MB +$", rest[2])
    assert len({line.index(re.search(r"[0-9a-f]{12} ", line).group()) for line in rest[1:]}) == 1
    skiff.run("create", "--name", "user", "busybox", "true")
    assert skiff.run("images", "--tree", "busybox").stdout.splitlines()[1].endswith("U")


@pytest.mark.parametrize("option", ["--quiet", "--digests", "--no-trunc", "--format={{.ID}}"])
def test_what_the_tree_is_not_combined_with(skiff, option):
    refused = skiff.fails("images", "--tree", option, code=1)
    assert f"{option.split('=')[0]} is not yet supported with --tree" in refused.stderr
