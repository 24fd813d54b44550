# SPDX-License-Identifier: Apache-2.0
"""system df: what it says is what du says."""

import json
import os
import re
import subprocess

import pytest

from docker_archive import Image
from helpers.waiting import wait_until

UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}


def du(path):
    done = subprocess.run(["du", "-sB1", str(path)], stdout=subprocess.PIPE, check=True, text=True)
    return int(done.stdout.split()[0])


def size(text):
    number, unit = re.fullmatch(r"([0-9.]+)([kMG]?B)", text).groups()
    return float(number) * UNITS[unit]


def totals(skiff):
    rows = [json.loads(line) for line in skiff.run("system", "df", "--format",
                                                   "json").stdout.splitlines()]
    return {row["Type"]: row for row in rows}


def section(skiff, title):
    text = skiff.run("system", "df", "-v").stdout
    body = text.split(f"{title} space usage:\n\n")[1].split("\n\n")[0]
    return body.splitlines()


def assert_equals_du(skiff):
    """To the byte, once the kernel has given blocks to what was written a moment ago."""
    def said():
        text = skiff.run("system", "df", "-v").stdout
        return int(re.search(r"Whole store: \S+ \((\d+) bytes\)", text).group(1))
    os.sync()
    wait_until(lambda: said() == du(skiff.root), 30,
               what=lambda: f"df says {said()}, du {du(skiff.root)}")


def close(said, real):
    """Four digits are shown, and directories of ours are the store's."""
    return abs(size(said) - real) <= 30_000 + real / 500


@pytest.fixture
def store(skiff, tmp_path):
    """busybox with two containers, two images that share a layer, one volume of each kind."""
    for name in ("one", "two"):
        image = Image(f"{name}:1", config={"Cmd": ["/file"], "Env": [f"NAME={name}"]})
        image.layer().file("shared", os.urandom(1_000_000).hex() if name == "one" else shared)
        shared = image.layers[0].tar_bytes()[512:512 + 2_000_000].decode()
        image.layer().file("own", os.urandom(500_000).hex())
        skiff.load(image.write_docker_archive(tmp_path / "image.tar"))
    skiff.run("run", "--name", "stopped", "-v", "data:/data", "busybox", "sh", "-c",
              "head -c 3000000 /dev/urandom >/data/file; head -c 700000 /dev/urandom >/file")
    skiff.start("--name", "running", "-v", "data:/data", "-v", "/anonymous")
    skiff.run("run", "--rm", "-v", "unused:/data", "busybox", "touch", "/data/x")
    return skiff


def test_empty(empty_skiff):
    out = empty_skiff.run("system", "df").stdout
    assert out.splitlines()[0].split() == ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]
    for name in ("Images", "Containers", "Local Volumes", "Build Cache"):
        assert re.search(rf"^{name} +0 +0 +0B +0B$", out, re.M), out
    assert_equals_du(empty_skiff)


def test_equals_du(store):
    assert_equals_du(store)
    rows = totals(store)
    assert close(rows["Images"]["Size"], du(store.root / "layers") + du(store.root / "oci"))
    assert close(rows["Containers"]["Size"], du(store.root / "containers"))
    assert close(rows["Local Volumes"]["Size"], du(store.root / "volumes"))


def test_hard_links_and_holes_cost_once(empty_skiff, tmp_path):
    image = Image("links:1", config={"Cmd": ["/a"]})
    layer = image.layer()
    layer.file("a", os.urandom(2_000_000).hex())
    for number in range(20):
        layer.hardlink(f"link{number}", "a")
    empty_skiff.load(image.write_docker_archive(tmp_path / "image.tar"))
    with open(empty_skiff.root / "volumes" / "sparse", "wb") as file:
        file.truncate(1 << 30)
    assert_equals_du(empty_skiff)
    assert size(totals(empty_skiff)["Images"]["Size"]) < 10_000_000


def test_counts(store):
    rows = totals(store)
    assert [rows[name]["TotalCount"] for name in ("Images", "Containers", "Local Volumes")] == [
        "3", "2", "3"]
    assert [rows[name]["Active"] for name in ("Images", "Containers", "Local Volumes")] == [
        "1", "1", "2"]
    assert rows["Build Cache"] == {"Type": "Build Cache", "TotalCount": "0", "Active": "0",
                                   "Size": "0B", "Reclaimable": "0B"}


def test_reclaimable_is_what_prune_frees(store):
    rows = totals(store)
    said = size(rows["Images"]["Reclaimable"].split()[0])
    before = du(store.root / "layers") + du(store.root / "oci")
    store.run("image", "prune", "-af")
    freed = before - du(store.root / "layers") - du(store.root / "oci")
    assert abs(said - freed) <= 30_000 + freed / 500
    assert re.fullmatch(r"\S+ \(\d+%\)", rows["Images"]["Reclaimable"])
    assert totals(store)["Images"]["Reclaimable"].startswith("0B")
    stopped = size(rows["Containers"]["Reclaimable"].split()[0])
    before = du(store.root / "containers")
    store.run("container", "prune", "-f")
    assert abs(stopped - (before - du(store.root / "containers"))) <= 30_000


def test_images_in_detail(store):
    lines = section(store, "Images")
    assert lines[0].split("  ")[0] == "REPOSITORY" and lines[0].endswith("CONTAINERS")
    rows = {line.split()[0]: line.split() for line in lines[1:]}
    assert set(rows) == {"one", "two", "busybox"}
    assert rows["busybox"][-1] == "2" and rows["one"][-1] == "0"
    for name in ("one", "two"):
        total, shared, unique = map(size, rows[name][-4:-1])
        assert abs(total - shared - unique) < 10_000
        assert 3_900_000 < shared < 4_300_000, "the common layer and its blob"
        assert 1_900_000 < unique < 2_300_000


def test_containers_and_volumes_in_detail(store):
    lines = section(store, "Containers")
    rows = {line.split()[-1]: line for line in lines[1:]}
    assert set(rows) == {"stopped", "running"}
    assert "Exited (0)" in rows["stopped"] and "Up " in rows["running"]
    columns = re.split(r" {3,}", rows["stopped"])
    assert columns[1] == "busybox" and columns[3] == "1"
    assert close(columns[4], du(store.root / "containers" / store.full_id("stopped")))
    volumes = {line.split()[0]: line.split()[1:] for line in
               section(store, "Local Volumes")[1:]}
    assert volumes["data"][0] == "2" and volumes["unused"][0] == "0"
    assert close(volumes["data"][1], 3_000_000)


def test_format(store):
    assert store.run("system", "df", "--format", "{{.Type}}={{.TotalCount}}").stdout == (
        "Images=3\nContainers=2\nLocal Volumes=3\nBuild Cache=0\n")
    assert "--format" in store.fails("system", "df", "-v", "--format", "json").stderr
