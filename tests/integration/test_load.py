# SPDX-License-Identifier: Apache-2.0
"""load: every way an image can come in, and what the store holds afterwards.

That files are unpacked exactly is tested in test_images_exact.py, hostile layers in test_unpack.py.
"""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import signal
import subprocess
import tarfile

import pytest

from docker_archive import Image
from helpers.features import require_tool
from helpers.images import tool
from helpers.waiting import wait_until

COMPRESS = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: subprocess.run([require_tool("zstd"), "-c"], input=data, check=True,
                                        stdout=subprocess.PIPE).stdout,
}


def small_image(*names, content="hello", **options):
    """Two layers, a few files."""
    image = Image(*names, config={"Cmd": ["/hello"]}, **options)
    image.layer().file("hello", content)
    image.layer().file("second", "two")
    return image


def store_files(skiff, directory):
    return sorted(os.listdir(skiff.root / directory))


def blobs(skiff):
    return store_files(skiff, "oci/blobs/sha256")


def assert_store_is_empty(skiff):
    assert skiff.run("images", "-q").stdout == ""
    for directory in ("staging", "layers", "oci/blobs/sha256"):
        assert store_files(skiff, directory) == []


def test_prints_names_as_docker_does(empty_skiff, tmp_path):
    archive = small_image("alpine:3.18", "example.org:5000/a/b:c").write_docker_archive(
        tmp_path / "image.tar")
    assert empty_skiff.run("load", "-i", archive).stdout == (
        "Loaded image: alpine:3.18\nLoaded image: example.org:5000/a/b:c\n")
    assert empty_skiff.run("images", "-q").stdout.split() == 2 * [
        small_image().id.removeprefix("sha256:")[:12]]


def test_image_without_a_name(empty_skiff, tmp_path):
    image = small_image()
    archive = image.write_docker_archive(tmp_path / "image.tar")
    assert empty_skiff.run("load", "-i", archive).stdout == f"Loaded image ID: {image.id}\n"


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("way", ["file", "pipe", "standard input"])
def test_compressions(empty_skiff, tmp_path, compression, way):
    plain = small_image("a:1").write_docker_archive(tmp_path / "plain.tar")
    archive = tmp_path / "image"
    archive.write_bytes(COMPRESS[compression](plain.read_bytes()))
    if way == "file":
        empty_skiff.run("load", "-i", archive)
    elif way == "pipe":
        empty_skiff.run("load", input=archive.read_bytes())
    else:
        with open(archive, "rb") as file:
            empty_skiff.run("load", stdin=file)
    assert empty_skiff.run("images", "-q").stdout
    assert store_files(empty_skiff, "staging") == []


def written_by(skiff, *args, **options):
    """Bytes that skiff and its helpers gave to write(2): those of children count when they end."""
    program = [str(one) for one in skiff.command(*args)]
    done = subprocess.run(["sh", "-c", '"$@" >&2 && cat /proc/$$/io', "sh", *program], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    return int(dict(line.split(": ") for line in done.stdout.splitlines())["wchar"])


@pytest.mark.parametrize("way", ["file", "pipe", "compressed"])
def test_every_byte_is_written_once(empty_skiff, tmp_path, way):
    """A layer's blob and its files: nothing in between, also when the archive cannot be read again."""
    image = Image("once:1", config={"Cmd": ["/hello"]})
    for number in range(3):
        image.layer().file(f"file{number}", os.urandom(1 << 20).hex())
    archive = image.write_docker_archive(tmp_path / "image.tar")
    if way == "compressed":
        archive = tmp_path / "image.tar.gz"
        archive.write_bytes(gzip.compress((tmp_path / "image.tar").read_bytes(), 1))
    if way == "pipe":
        with subprocess.Popen(["cat", archive], stdout=subprocess.PIPE) as cat:
            written = written_by(empty_skiff, "load", stdin=cat.stdout)
    else:
        written = written_by(empty_skiff, "load", "-i", archive, stdin=subprocess.DEVNULL)
    files = 3 * (2 << 20)
    assert 2 * files < written < 2 * files + (1 << 20)
    assert empty_skiff.run("system", "fsck").stdout
    layer, = (layer for layer in image.layers if b"file1" in layer.tar_bytes()[:100])
    name = hashlib.sha256(layer.tar_bytes()).hexdigest()
    blob = empty_skiff.root / "oci/blobs/sha256" / name
    assert blob.read_bytes() == layer.tar_bytes() and blob.stat().st_nlink == 1
    assert store_files(empty_skiff, "staging") == []


def test_known_layers_from_a_pipe(empty_skiff, tmp_path):
    """Parts that nothing needs go; of a layer that is there without its blob, the blob is kept."""
    image = Image("known:1", config={"Cmd": ["/hello"]})
    image.layer().file("one", os.urandom(1 << 20).hex())
    archive = image.write_docker_archive(tmp_path / "image.tar").read_bytes()
    empty_skiff.run("load", input=archive)
    before = blobs(empty_skiff)
    empty_skiff.run("load", input=archive)
    assert blobs(empty_skiff) == before
    name = hashlib.sha256(image.layers[0].tar_bytes()).hexdigest()
    (empty_skiff.root / "oci/blobs/sha256" / name).unlink()
    empty_skiff.run("load", input=archive)
    assert blobs(empty_skiff) == before
    empty_skiff.run("system", "fsck")
    assert store_files(empty_skiff, "staging") == []


@pytest.mark.parametrize("layout", ["docker", "oci"])
def test_unpacked_directory(empty_skiff, tmp_path, layout):
    image = small_image("a:1")
    archive = tmp_path / "image.tar"
    if layout == "docker":
        image.write_docker_archive(archive)
    else:
        image.write_oci_archive(archive)
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "unpacked")
    assert empty_skiff.run("load", "-i", tmp_path / "unpacked").stdout == "Loaded image: a:1\n"


def with_both_layouts(image, path):
    """What `docker save` writes since version 25: an OCI layout, and manifest.json beside it."""
    image.write_oci_archive(path, compress=False)
    with tarfile.open(path) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}
    index = json.loads(files["index.json"])
    for entry, name in zip(index["manifests"], image.names):
        repository, _, tag = name.rpartition(":")
        entry["annotations"] = {
            "io.containerd.image.name": f"docker.io/library/{repository}:{tag}",
            "org.opencontainers.image.ref.name": tag,
        }
    manifest_name = index["manifests"][0]["digest"].replace("sha256:", "blobs/sha256/")
    manifest = json.loads(files[manifest_name])
    files["index.json"] = json.dumps(index).encode()
    files["manifest.json"] = json.dumps([{
        "Config": manifest["config"]["digest"].replace("sha256:", "blobs/sha256/"),
        "RepoTags": image.names,
        "Layers": [one["digest"].replace("sha256:", "blobs/sha256/")
                   for one in manifest["layers"]],
    }]).encode()
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_newer_docker_save(empty_skiff, tmp_path):
    image = small_image("a:1", "a:2", "b:1")
    archive = with_both_layouts(image, tmp_path / "image.tar")
    assert empty_skiff.run("load", "-i", archive).stdout == (
        "Loaded image: a:1\nLoaded image: a:2\nLoaded image: b:1\n")
    assert empty_skiff.inspect("b:1")["Id"] == image.id
    assert len(store_files(empty_skiff, "layers")) == 2
    empty_skiff.run("rmi", "a:1", "a:2", "b:1")
    assert_store_is_empty(empty_skiff)
    assert empty_skiff.fails("run", f"docker-archive:{archive}:b:1", code=126).stderr


def test_layers_that_are_links(empty_skiff, tmp_path):
    """Older docker writes a layer once and links to it."""
    image = small_image("a:1")
    plain = image.write_docker_archive(tmp_path / "plain.tar")
    linked = tmp_path / "linked.tar"
    with tarfile.open(plain) as old, tarfile.open(linked, "w") as new:
        for member in old:
            if member.name.endswith("/layer.tar"):
                real = tarfile.TarInfo("real/" + member.name.split("/")[0])
                real.size = member.size
                new.addfile(real, old.extractfile(member))
                link = tarfile.TarInfo(member.name)
                link.type = tarfile.SYMTYPE
                link.linkname = "../" + real.name
                new.addfile(link)
            else:
                new.addfile(member, old.extractfile(member))
    empty_skiff.load(linked)
    assert empty_skiff.run("images", "-q").stdout


def test_several_images_and_run_of_one(empty_skiff, busybox, tmp_path):
    one, two = small_image("one:1"), small_image("two:2", content="another")
    archive = tmp_path / "both.tar"
    one.write_docker_archive(tmp_path / "one.tar")
    two.write_docker_archive(tmp_path / "two.tar")
    manifests = []
    with tarfile.open(archive, "w") as both:
        for name in ("one.tar", "two.tar"):
            with tarfile.open(tmp_path / name) as tar:
                for member in tar:
                    if member.name == "manifest.json":
                        manifests += json.load(tar.extractfile(member))
                    else:
                        both.addfile(member, tar.extractfile(member))
        data = tmp_path / "manifest.json"
        data.write_text(json.dumps(manifests))
        both.add(data, "manifest.json")
    result = empty_skiff.fails("run", "--rm", f"docker-archive:{archive}", code=125)
    assert "one:1" in result.stderr and "two:2" in result.stderr
    result = empty_skiff.fails("run", "--rm", f"docker-archive:{archive}:three", code=125)
    assert "no image 'three'" in result.stderr and "one:1" in result.stderr
    assert_store_is_empty(empty_skiff)
    assert empty_skiff.run("load", "-i", archive).stdout == (
        "Loaded image: one:1\nLoaded image: two:2\n")


def test_run_by_transport(empty_skiff, busybox, tmp_path):
    done = empty_skiff.run("run", "--rm", f"docker-archive:{busybox}", "echo", "hello")
    assert done.stdout == "hello\n"
    tool(require_tool("skopeo"), "--insecure-policy", "copy", "-q", f"docker-archive:{busybox}",
         f"oci:{tmp_path}/layout:mine")
    tool(require_tool("skopeo"), "--insecure-policy", "copy", "-q", f"docker-archive:{busybox}",
         f"oci-archive:{tmp_path}/oci.tar:mine")
    tool(require_tool("skopeo"), "--insecure-policy", "copy", "-q", f"docker-archive:{busybox}",
         f"dir:{tmp_path}/dir")
    for name in (f"oci:{tmp_path}/layout:mine", f"oci:{tmp_path}/layout",
                 f"oci-archive:{tmp_path}/oci.tar:mine", f"dir:{tmp_path}/dir"):
        assert empty_skiff.run("run", "--rm", name, "echo", name).stdout == f"{name}\n"


def test_layer_without_an_end(empty_skiff, tmp_path):
    """`umoci insert` leaves out what fills the last block, and the end marker."""
    layout = tmp_path / "layout"
    umoci = require_tool("umoci")
    tool(umoci, "init", "--layout", layout)
    tool(umoci, "new", "--image", f"{layout}:one")
    tool(umoci, "insert", "--image", f"{layout}:one", "/bin/busybox", "/bin/busybox")
    assert empty_skiff.run("load", "-i", layout).stdout.startswith("Loaded image ID: sha256:")
    done = empty_skiff.run("run", "--rm", f"oci:{layout}:one", "/bin/busybox", "echo", "hello")
    assert done.stdout == "hello\n"


def test_platform_is_chosen(empty_skiff, tmp_path):
    """A layout for two machines, first flat, then with a nested index."""
    ours = small_image("a:1")
    theirs = small_image("a:1", content="foreign", architecture="s390x")
    for index, image in enumerate((theirs, ours)):
        image.write_oci_archive(tmp_path / f"{index}.tar")
    layout = tmp_path / "layout"
    entries = []
    for index in range(2):
        with tarfile.open(tmp_path / f"{index}.tar") as tar:
            tar.extractall(layout)
        entries += json.loads((layout / "index.json").read_text())["manifests"]
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": entries}))
    empty_skiff.load(layout)
    assert empty_skiff.inspect("a:1")["Id"] == ours.id

    for entry in entries:
        del entry["annotations"]
    inner = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    digest = hashlib.sha256(inner).hexdigest()
    (layout / "blobs" / "sha256" / digest).write_bytes(inner)
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "digest": f"sha256:{digest}", "size": len(inner),
        "annotations": {"org.opencontainers.image.ref.name": "b:1"}}]}))
    empty_skiff.load(layout)
    assert empty_skiff.inspect("b:1")["Id"] == ours.id


def test_blobs_are_kept_as_they_came(empty_skiff, tmp_path):
    archive = small_image("a:1").write_oci_archive(tmp_path / "image.tar")
    empty_skiff.load(archive)
    with tarfile.open(archive) as tar:
        expected = sorted(name.rpartition("/")[2] for name in tar.getnames() if "blobs/" in name)
    assert blobs(empty_skiff) == expected
    for name in blobs(empty_skiff):
        data = (empty_skiff.root / "oci/blobs/sha256" / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == name


def test_a_docker_archive_gets_a_manifest(empty_skiff, tmp_path):
    """Configuration, two layers, and a manifest of ours that names them."""
    image = small_image("a:1")
    empty_skiff.load(image.write_docker_archive(tmp_path / "image.tar"))
    documents = []
    for name in blobs(empty_skiff):
        data = (empty_skiff.root / "oci/blobs/sha256" / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == name
        if b"schemaVersion" in data:
            documents.append(json.loads(data))
    assert len(blobs(empty_skiff)) == 4
    manifest, = documents
    assert manifest["config"]["digest"] == image.id
    named = {manifest["config"]["digest"], *(one["digest"] for one in manifest["layers"])}
    assert named <= {f"sha256:{name}" for name in blobs(empty_skiff)}


def test_loading_again_changes_nothing(empty_skiff, tmp_path):
    image = small_image("a:1")
    docker = image.write_docker_archive(tmp_path / "docker.tar")
    oci = image.write_oci_archive(tmp_path / "oci.tar")
    empty_skiff.load(docker)
    before = blobs(empty_skiff), store_files(empty_skiff, "layers")
    assert empty_skiff.run("load", "-i", docker).stdout == "Loaded image: a:1\n"
    assert (blobs(empty_skiff), store_files(empty_skiff, "layers")) == before
    # The same image with other blobs: the files are not unpacked again, the blobs are kept too.
    empty_skiff.load(oci)
    assert store_files(empty_skiff, "layers") == before[1]
    assert set(blobs(empty_skiff)) > set(before[0])
    empty_skiff.run("rmi", "a:1")
    assert_store_is_empty(empty_skiff)


def test_shared_layers_stay(empty_skiff, tmp_path):
    one, two = small_image("one"), small_image("two")
    two.layer().file("third", "three")
    for name, image in (("one", one), ("two", two)):
        empty_skiff.load(image.write_docker_archive(tmp_path / f"{name}.tar"))
    assert len(store_files(empty_skiff, "layers")) == 3
    lines = empty_skiff.run("rmi", "two").stdout.splitlines()
    assert lines[0] == "Untagged: two:latest"
    assert lines[1] == f"Deleted: {two.id}"
    assert len(lines) == 3
    assert len(store_files(empty_skiff, "layers")) == 2
    empty_skiff.run("rmi", one.id)
    assert_store_is_empty(empty_skiff)


def test_a_name_moves_to_the_image_loaded_last(empty_skiff, tmp_path):
    one, two = small_image("a:1"), small_image("a:1", content="another")
    for name, image in (("one", one), ("two", two)):
        empty_skiff.load(image.write_docker_archive(tmp_path / f"{name}.tar"))
    assert empty_skiff.inspect("a:1")["Id"] == two.id
    assert empty_skiff.inspect(one.id)["RepoTags"] == []


def test_rmi_rules(skiff):
    identity = skiff.inspect("busybox")["Id"].removeprefix("sha256:")
    skiff.run("tag", "busybox", "other/name:1")
    result = skiff.fails("rmi", identity[:12], code=1)
    assert "must be forced" in result.stderr and "multiple repositories" in result.stderr
    assert skiff.run("rmi", "other/name:1").stdout == "Untagged: other/name:1\n"
    skiff.run("create", "--name", "web", "busybox")
    assert "container" in skiff.fails("rmi", "busybox", code=1).stderr
    skiff.run("start", "web")
    skiff.run("wait", "web")
    # Forced: out of sight, but the container still starts; its files go with it.
    assert f"Deleted: sha256:{identity}" in skiff.run("rmi", "-f", "busybox").stdout
    assert skiff.run("images", "-q").stdout == ""
    skiff.run("start", "web")
    skiff.run("wait", "web")
    assert store_files(skiff, "layers")
    skiff.run("rm", "web")
    assert_store_is_empty(skiff)


def test_inspect_platform(skiff):
    ours = skiff.inspect("busybox")["Architecture"]
    other = "arm64" if ours == "amd64" else "amd64"
    template = ("image", "inspect", "-f", "{{.Architecture}}", "--platform")
    assert skiff.run(*template, f"linux/{ours}", "busybox").stdout == f"{ours}\n"
    assert skiff.run(*template, "linux", "busybox").stdout == f"{ours}\n"
    failed = skiff.fails(*template, f"linux/{other}", "busybox", code=1)
    assert f"does not provide the specified platform (linux/{other})" in failed.stderr
    assert "platform" in skiff.fails(*template, "a/b/c/d", "busybox", code=1).stderr


def test_rmi_platform_and_no_prune(skiff):
    """An image that another was made from stays, with or without --no-prune, as docker's."""
    ours = skiff.inspect("busybox")["Architecture"]
    other = "s390x" if ours != "s390x" else "amd64"
    failed = skiff.fails("rmi", "--platform", f"linux/{other}", "busybox", code=1)
    assert f"does not provide the specified platform (linux/{other})" in failed.stderr
    assert "platform" in skiff.fails("rmi", "--platform", "a/b/c/d", "busybox", code=1).stderr
    skiff.run("create", "--name", "web", "busybox")
    skiff.run("commit", "web", "child:1")
    skiff.run("rm", "web")
    parent = skiff.inspect("busybox")["Id"]
    skiff.run("rmi", "--no-prune", "child:1")
    assert skiff.inspect("busybox")["Id"] == parent
    skiff.run("rmi", "--platform", f"linux/{ours}", "busybox")
    assert_store_is_empty(skiff)


def test_rmi_refuses_a_running_container_also_with_force(skiff):
    skiff.start("--name", "web")
    assert "cannot be forced" in skiff.fails("rmi", "-f", "busybox", code=1).stderr


@pytest.mark.parametrize("count", [2, 6])
def test_loading_at_once(empty_skiff, busybox, count):
    loaders = [empty_skiff.popen("load", "-i", busybox) for _ in range(count)]
    for loader in loaders:
        out, err = loader.communicate(timeout=120)
        assert loader.returncode == 0, err
        assert out == b"Loaded image: busybox:latest\n"
    assert store_files(empty_skiff, "staging") == []
    assert len(store_files(empty_skiff, "layers")) == 1
    assert empty_skiff.run("run", "--rm", "busybox", "echo", "hi").stdout == "hi\n"


def test_loading_while_others_remove(empty_skiff, busybox):
    """Whoever wins, the image is whole or gone."""
    for _ in range(5):
        started = [empty_skiff.popen("load", "-i", busybox), empty_skiff.popen("rmi", "busybox"),
                   empty_skiff.popen("load", "-i", busybox), empty_skiff.popen("rmi", "busybox")]
        for process in started:
            process.communicate(timeout=120)
        if empty_skiff.run("images", "-q").stdout:
            assert empty_skiff.run("run", "--rm", "busybox", "echo", "hi").stdout == "hi\n"
            empty_skiff.run("rmi", "busybox")
        assert_store_is_empty(empty_skiff)


def staged(skiff):
    return (skiff.root / "staging").is_dir() and os.listdir(skiff.root / "staging")


def start_load_that_waits(skiff, archive):
    """A load that has its staging directory and half of its input."""
    loader = skiff.popen("load")
    data = archive.read_bytes()
    loader.stdin.write(data[:len(data) // 2])
    loader.stdin.flush()
    wait_until(lambda: staged(skiff), 30, what="no staging directory")
    return loader


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted(empty_skiff, busybox, number):
    loader = start_load_that_waits(empty_skiff, busybox)
    loader.send_signal(number)
    out, err = loader.communicate(timeout=60)
    assert loader.returncode != 0
    assert out == b""
    assert b"interrupted" in err
    assert_store_is_empty(empty_skiff)


def test_killed(empty_skiff, busybox):
    """Only staging is left, and the next load takes it away."""
    loader = start_load_that_waits(empty_skiff, busybox)
    loader.kill()
    loader.communicate(timeout=60)
    assert staged(empty_skiff)
    assert empty_skiff.run("images", "-q").stdout == ""
    empty_skiff.load(busybox)
    assert store_files(empty_skiff, "staging") == []


def test_a_running_load_is_left_alone(empty_skiff, busybox):
    loader = start_load_that_waits(empty_skiff, busybox)
    empty_skiff.load(busybox)
    empty_skiff.run("rmi", "busybox")
    data = busybox.read_bytes()
    out, err = loader.communicate(data[len(data) // 2:], timeout=60)
    assert loader.returncode == 0, err
    assert empty_skiff.run("run", "--rm", "busybox", "echo", "hi").stdout == "hi\n"
    assert store_files(empty_skiff, "staging") == []
