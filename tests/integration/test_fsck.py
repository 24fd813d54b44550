# SPDX-License-Identifier: Apache-2.0
"""system fsck: every way a store can be wrong is found, named, and set right where that can be."""

import os
import shutil
import sqlite3

import pytest

from docker_archive import Image
from helpers.images import tool

SETUID = 0o4755


def make_image(*names, content="content"):
    """One of everything that can go wrong in a layer."""
    image = Image(*names, config={"Cmd": ["/file"]})
    layer = image.layer(mtime=1000)
    layer.directory("named", mode=0o750)
    layer.file("named/file", content * 1000, mode=SETUID)
    layer.file("implied/by/a/name", "its directories have no time of their own")
    layer.symlink("link", "named/file")
    layer.file("one", "twin")
    layer.hardlink("two", "one")
    layer.device("null", "c", 1, 3)
    layer.fifo("fifo")
    layer.whiteout("gone")
    layer.directory("opaque")
    layer.opaque("opaque")
    layer.file("labelled", "x", pax_headers={"SCHILY.xattr.user.note": "value"})
    image.layer().file("top", content)
    return image


@pytest.fixture
def archive(tmp_path):
    return make_image("victim:1").write_docker_archive(tmp_path / "victim.tar")


@pytest.fixture
def store(empty_skiff, archive):
    empty_skiff.load(archive)
    return empty_skiff


def bottom(skiff):
    """The files of the layer that has one of everything."""
    return next(path for path in (skiff.root / "layers").glob("*/diff")
                if (path / "named").exists())


def blobs(skiff):
    return skiff.root / "oci/blobs/sha256"


def largest_blob(skiff):
    return max(blobs(skiff).iterdir(), key=lambda path: path.stat().st_size)


def fsck(skiff, *args):
    """(exit code, lines of findings)."""
    result = skiff.run("system", "fsck", *args, check=False)
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[-1].startswith("Checked ")
    assert lines[-1].endswith("clean") == (len(lines) == 1)
    return result.code, lines[:-1]


def assert_clean(skiff):
    assert fsck(skiff) == (0, [])
    assert os.listdir(skiff.root / "staging") == []


def assert_found_and_repaired(skiff, kind, *texts):
    code, lines = fsck(skiff)
    assert code == 1 and len(lines) == 1, lines
    assert lines[0].startswith(f"{kind}: ") and "--repair" in lines[0]
    assert fsck(skiff) == (code, lines), "looking changes nothing"
    code, lines = fsck(skiff, "--repair")
    assert code == 0 and len(lines) == 1 and lines[0].endswith("; repaired"), lines
    for text in texts:
        assert text in lines[0]
    assert_clean(skiff)


def test_clean(store):
    assert store.run("system", "fsck").stdout.startswith("Checked 1 images, 2 layers, 4 blobs (")
    assert_clean(store)


def test_empty(empty_skiff):
    assert_clean(empty_skiff)


def keep_time(path, change):
    before = path.lstat()
    change(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns), follow_symlinks=False)


def overwrite(path):
    with open(path, "r+b") as file:
        file.seek(3)
        file.write(b"X")


def replace_link(path):
    path.unlink()
    path.symlink_to("named/filf")


def replace_twin(path):
    """Same bytes, another file."""
    shutil.copy2(path, f"{path}.new")
    os.rename(f"{path}.new", path)


DAMAGE = {
    "content": ("named/file", overwrite, "diff/named/file: content"),
    "size": ("named/file", lambda path: os.truncate(path, 10), "diff/named/file: size"),
    "mode": ("named/file", lambda path: path.chmod(0o755), "diff/named/file: mode"),
    "owner": ("named/file", lambda path: os.chown(path, 7, 8), "diff/named/file: "),
    "directory's mode": ("named", lambda path: path.chmod(0o777), "diff/named: mode"),
    "directory's owner": ("named", lambda path: os.chown(path, 0, 9), "diff/named: owner"),
    "attribute": ("labelled", lambda path: os.setxattr(path, "user.note", b"other"),
                  "diff/labelled: extended attributes"),
    "more attributes": ("named", lambda path: os.setxattr(path, "user.more", b""),
                        "diff/named: extended attributes"),
    "opaque": ("opaque", lambda path: os.removexattr(path, "trusted.overlay.opaque"),
               "diff/opaque: extended attributes"),
    "link": ("link", replace_link, "diff/link: target"),
    "twins": ("two", replace_twin, "number of names"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_changed_layer(store, what):
    name, change, text = DAMAGE[what]
    path = bottom(store) / name
    keep_time(path, change)
    assert_found_and_repaired(store, "changed", "layer sha256:", "(victim:1)", text)


def test_changed_times(store):
    os.utime(bottom(store) / "named/file", (1, 1))
    os.utime(bottom(store) / "named", (2, 2))
    assert_found_and_repaired(store, "changed", "diff/named: time", "diff/named/file: time")


def test_names_in_a_layer(store):
    (bottom(store) / "extra").write_text("")
    (bottom(store) / "fifo").unlink()
    (bottom(store) / "gone").unlink()
    assert_found_and_repaired(store, "changed", "diff/extra: does not belong there",
                              "diff/fifo: is missing", "diff/gone: is missing")


def test_device_and_type(store):
    (bottom(store) / "null").unlink()
    os.mknod(bottom(store) / "null", 0o600 | 0o020000, os.makedev(1, 5))
    os.utime(bottom(store) / "null", (1000, 1000))
    (bottom(store) / "link").unlink()
    (bottom(store) / "link").mkdir()
    assert_found_and_repaired(store, "changed", "diff/null: device number", "diff/link: type")


def test_beside_a_layer(store):
    (bottom(store).parent / "beside").write_text("")
    assert_found_and_repaired(store, "changed", "beside: does not belong there")


@pytest.mark.parametrize("part", ["diff", "."])
def test_missing_layer(store, part):
    shutil.rmtree(bottom(store).parent / part)
    assert_found_and_repaired(store, "missing" if part == "." else "changed", "(victim:1)")


def test_a_link_instead_of_a_layer(store, canary):
    """Repairing writes nothing where it leads."""
    layer = bottom(store).parent
    shutil.rmtree(layer)
    layer.symlink_to(canary.path)
    code, _ = fsck(store, "--repair")
    assert code == 0
    assert not layer.is_symlink()
    assert_clean(store)


def test_only_the_bad_layer_is_replaced(store):
    inodes = {path: path.stat().st_ino for path in (store.root / "layers").glob("*/diff")}
    damaged = bottom(store)
    overwrite(damaged / "named/file")
    fsck(store, "--repair")
    for path, inode in inodes.items():
        assert (path.stat().st_ino == inode) == (path != damaged)


@pytest.mark.parametrize("damage", ["bytes", "size", "missing"])
def test_blob_of_a_layer(store, archive, damage):
    """It cannot be made again from the layer's files: the next load brings it."""
    blob = largest_blob(store)
    if damage == "bytes":
        overwrite(blob)
    elif damage == "size":
        os.truncate(blob, 5)
    else:
        blob.unlink()
    code, lines = fsck(store)
    assert code == 1 and len(lines) == 2
    assert lines[0].startswith(("changed", "missing")[damage == "missing"] + ": blob sha256:")
    assert "(victim:1)" in lines[0] and "load or pull the image again" in lines[0]
    assert lines[1].startswith("unknown: layer sha256:")
    assert fsck(store, "--repair")[0] == 1
    assert not blob.exists()
    store.load(archive)
    assert_clean(store)


def test_layer_and_its_blob(store, archive):
    blob = largest_blob(store)
    overwrite(blob)
    shutil.rmtree(bottom(store).parent)
    assert fsck(store, "--repair")[0] == 1
    store.load(archive)
    assert_clean(store)


def damage_blob(path, damage):
    if damage == "missing":
        path.unlink()
    elif damage == "size":
        os.truncate(path, 5)
    elif damage == "directory":
        path.unlink()
        path.mkdir()
    else:
        overwrite(path)


def pulled(skiff, registry, archive):
    name = f"{registry.host}/team/victim"
    tool("skopeo", "copy", "--dest-tls-verify=false", f"docker-archive:{archive}",
         f"docker://{name}:1")
    skiff.run("pull", f"{name}:1")
    return name


@pytest.mark.parametrize("damage", ["bytes", "size", "missing", "directory"])
def test_blob_is_fetched_again(empty_skiff, registry, archive, damage):
    """From where the image came; nothing else is fetched or replaced."""
    pulled(empty_skiff, registry, archive)
    blob = largest_blob(empty_skiff)
    inodes = {path: path.stat().st_ino for path in
              (*blobs(empty_skiff).iterdir(), *(empty_skiff.root / "layers").iterdir())}
    damage_blob(blob, damage)
    code, lines = fsck(empty_skiff)
    assert code == 1 and "--repair fetches it again" in lines[0]
    before = registry.count("GET /v2/.*/blobs/")
    code, lines = fsck(empty_skiff, "--repair")
    assert code == 0 and len(lines) == 1 and lines[0].endswith("; repaired"), lines
    assert registry.count("GET /v2/.*/blobs/") == before + 1
    assert_clean(empty_skiff)
    # The number of a file that is gone may be given to the next one.
    for path, inode in inodes.items():
        assert path == blob or path.stat().st_ino == inode


def test_everything_is_fetched_again(empty_skiff, registry, archive):
    """All blobs, the manifest too, and then the layers from them."""
    name = pulled(empty_skiff, registry, archive)
    for blob in list(blobs(empty_skiff).iterdir()):
        damage_blob(blob, "bytes")
    shutil.rmtree(bottom(empty_skiff).parent)
    code, lines = fsck(empty_skiff, "--repair")
    assert code == 0 and len(lines) == 5, lines
    assert all(line.endswith("; repaired") for line in lines)
    assert_clean(empty_skiff)
    assert empty_skiff.run("rmi", f"{name}:1").stdout


def test_registry_that_sends_something_else(empty_skiff, registry, archive):
    """The bad blob is taken away, the next one that comes is looked at as always."""
    name = pulled(empty_skiff, registry, archive)
    blob = largest_blob(empty_skiff)
    damage_blob(blob, "bytes")
    there = next(registry.directory.glob(f"storage/**/{blob.name}/data"))
    content = bytearray(there.read_bytes())
    content[100] ^= 1
    there.write_bytes(content)
    code, lines = fsck(empty_skiff, "--repair")
    assert code == 1 and "sent something else" in lines[0], lines
    assert not blob.exists() and os.listdir(empty_skiff.root / "staging") == []
    content[100] ^= 1
    there.write_bytes(content)
    empty_skiff.run("pull", f"{name}:1")
    assert_clean(empty_skiff)


def test_registry_that_is_gone(empty_skiff, registry, archive):
    """Asked once, whatever is missing of it."""
    pulled(empty_skiff, registry, archive)
    registry.close()
    layers = sorted(blobs(empty_skiff).iterdir(), key=lambda path: path.stat().st_size)[-2:]
    for blob in layers:
        blob.unlink()
    code, lines = fsck(empty_skiff, "--repair")
    missing = [line for line in lines if line.startswith("missing: blob")]
    assert code == 1 and len(missing) == 2
    assert ["onnect" in line for line in missing].count(True) == 1, lines
    assert os.listdir(empty_skiff.root / "staging") == []


def config_blob(skiff):
    return blobs(skiff) / skiff.inspect("victim:1")["Id"].removeprefix("sha256:")


@pytest.mark.parametrize("missing", [False, True])
def test_configuration(store, missing):
    """The database has it too."""
    if missing:
        config_blob(store).unlink()
    else:
        overwrite(config_blob(store))
    assert_found_and_repaired(store, "missing" if missing else "changed", "blob sha256:")


def test_record_of_a_configuration(store):
    identity = store.inspect("victim:1")["Id"]
    with sqlite3.connect(store.root / "skiff.db") as database:
        database.execute("UPDATE image SET config = replace(config, '/file', '/evil')")
    assert_found_and_repaired(store, "changed", f"image {identity}")
    assert store.inspect("victim:1")["Config"]["Cmd"] == ["/file"]


def test_references_in_the_database(store):
    with sqlite3.connect(store.root / "skiff.db") as database:
        database.execute("DELETE FROM blob WHERE size_bytes = (SELECT max(size_bytes) FROM blob)")
    code, lines = fsck(store)
    assert code == 1
    assert any("skiff.db" in line and "refers to what is not in blob" in line for line in lines)


@pytest.mark.parametrize("path", ["staging/left", "containers/" + "0" * 64, "layers/" + "0" * 64,
                                  "oci/blobs/sha256/" + "0" * 64, "oci/index.json"])
def test_leftovers(store, path):
    (store.root / path).mkdir(exist_ok=True)
    (store.root / path / "file").write_text("bytes")
    assert_found_and_repaired(store, "extra", path)
    assert not (store.root / path).exists()


@pytest.mark.parametrize("path", ["volumes/somebodys", "notes.txt"])
def test_what_is_somebodys_stays(store, path):
    (store.root / path).mkdir()
    code, lines = fsck(store, "--repair")
    assert code == 1 and path in lines[0] and "look at it yourself" in lines[0]
    assert (store.root / path).exists()


def test_lost_container(skiff):
    skiff.run("create", "--name", "box", "-v", "data:/data", "busybox", "true")
    assert_clean(skiff)
    identity = skiff.full_id("box")
    shutil.rmtree(skiff.root / "containers" / identity)
    code, lines = fsck(skiff)
    assert code == 1 and lines == [f"missing: container {identity}: its files are gone; remove it"]
    skiff.run("rm", "box")
    assert_clean(skiff)


def test_layer_in_use(skiff):
    """What a running container sees does not vanish beneath it."""
    skiff.start("--name", "box")
    passwd = next((skiff.root / "layers").glob("*/diff/etc/passwd"))
    keep_time(passwd, overwrite)
    code, lines = fsck(skiff, "--repair")
    assert code == 1 and "a running container uses it" in lines[0]
    skiff.run("stop", "-t", "0", "box")
    assert fsck(skiff, "--repair")[0] == 0
    assert_clean(skiff)
    skiff.run("start", "box")
    assert skiff.run("exec", "box", "head", "-n1", "/etc/passwd").stdout.startswith("root:")


def test_shared_layer_whose_first_blob_is_gone(empty_skiff, tmp_path):
    """Two images, the same files, different blobs: the layer outlives the one it came from."""
    image = make_image("one:1")
    image.write_oci_archive(tmp_path / "gzip.tar")
    empty_skiff.load(tmp_path / "gzip.tar")
    image.names = ["two:1"]
    image.config["Cmd"] = ["/top"]
    empty_skiff.load(image.write_docker_archive(tmp_path / "plain.tar"))
    empty_skiff.run("rmi", "one:1")
    assert_clean(empty_skiff)
    overwrite(bottom(empty_skiff) / "named/file")
    assert_found_and_repaired(empty_skiff, "changed", "(two:1)")
    archive = empty_skiff.run("save", "two:1", text=False).stdout
    empty_skiff.run("rmi", "two:1")
    empty_skiff.run("load", input=archive)
    assert_clean(empty_skiff)


def test_a_running_load_is_left_alone(empty_skiff, busybox, archive):
    empty_skiff.load(archive)
    loader = empty_skiff.popen("load")
    data = busybox.read_bytes()
    loader.stdin.write(data[:len(data) // 2])
    loader.stdin.flush()
    assert fsck(empty_skiff, "--repair") == (0, [])
    _, errors = loader.communicate(data[len(data) // 2:], timeout=60)
    assert loader.returncode == 0, errors
    assert_clean(empty_skiff)


@pytest.mark.slow
def test_real_image(empty_skiff, debian_root, tmp_path):
    image = Image("debian:1", config={"Cmd": ["bash"]})
    image.add_layer(debian_root.read_bytes())
    empty_skiff.load(image.write_docker_archive(tmp_path / "debian.tar"))
    assert_clean(empty_skiff)
    diff = next((empty_skiff.root / "layers").glob("*/diff"))
    keep_time(diff / "usr/bin/perl", overwrite)
    assert_found_and_repaired(empty_skiff, "changed", "diff/usr/bin/perl: content")
