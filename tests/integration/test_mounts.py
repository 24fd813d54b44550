# SPDX-License-Identifier: Apache-2.0
"""-v and --mount in their forms, seen from inside and from the host's files."""

import json
import os
import subprocess

import pytest

from helpers.custom_image import CustomImage


def inside(skiff, *args, image="busybox", script):
    return skiff.run("run", "--rm", *args, image, "sh", "-c", script).stdout


@pytest.fixture
def source(skiff):
    path = skiff.directory / "source"
    (path / "sub").mkdir(parents=True)
    (path / "file").write_text("of the host\n")
    (path / "sub/below").write_text("below\n")
    return path


# ---- how it is written ----

def test_quoted_field(skiff):
    """encoding/csv, as docker reads it: commas and quotes within double quotes."""
    path = skiff.directory / 'a,b "c"'
    path.mkdir()
    (path / "file").write_text("quoted\n")
    doubled = str(path).replace('"', '""')
    assert inside(skiff, "--mount", f'type=bind,"source={doubled}",target=/x',
                  script="cat /x/file") == "quoted\n"


@pytest.mark.parametrize("text, message", [
    ('type=bind,source="/a",target=/x', 'bare " in non-quoted field'),
    ('type=bind,"source=/a"b,target=/x', 'extraneous or missing " in quoted-field'),
    ('type=bind,"source=/a', 'extraneous or missing " in quoted-field'),
    ("type=bind,source=/tmp,target=/x,volume-nocopy", "cannot mix 'volume-*' options with mount type 'bind'"),
    ("type=volume,target=/x,bind-propagation=shared", "cannot mix 'bind-*' options with mount type 'volume'"),
    ("type=bind,source=/tmp,target=/x,bind-recursive=readonly", "requires 'readonly'"),
    ("type=bind,source=/tmp,target=/x,bind-recursive=writable", "requires 'readonly'"),
    ("type=bind,source=/tmp,target=/x,ro,bind-recursive=readonly", "requires 'bind-propagation=rprivate'"),
    ("type=bind,source=/tmp,target=/x,bind-recursive=maybe", "invalid value for bind-recursive"),
    ("type=volume,target=/x,volume-subpath=a", "must not set Subpath when using anonymous volumes"),
    ("type=volume,source=data,target=/x,volume-subpath=/a", "must be a relative path"),
    ("type=volume,source=data,target=/x,volume-subpath=a/../b", "must be a relative path"),
    ("type=volume,source=data,target=/x,volume-opt=colour=red", 'invalid option: "colour"'),
    ("type=volume,source=data,target=/x,volume-opt=type=tmpfs", 'missing required option: "device"'),
    ("type=volume,source=data,target=/x,volume-driver=nfs", "invalid value for volume-driver"),
    ("type=image,target=/x", "Source must not be empty"),
    ("type=image,source=missing,target=/x", "No such image"),
    ("type=bind,source=/etc,target=/x,U", "is not changed"),
    ("type=bind,source=/tmp,target=/x,idmap", "needs a container with a user namespace"),
    ("type=bind,source=/tmp,target=/x,idmap=uids=1-2", "invalid idmap"),
    ("type=bind,source=/tmp/x,target=/x,U,idmap=uids=0-1-1", "exclude each other"),
    ("type=bind,source=/tmp,target=/x,consistency=often", "invalid value for consistency"),
    ("type=bind,source=/does/not/exist,target=/x", "bind source path does not exist"),
    ("type=bind,source=relative,target=/x", "mount path must be absolute"),
])
def test_refused(skiff, text, message):
    failed = skiff.fails("create", "--mount", text, "busybox", "true", code=1)
    assert message in failed.stderr
    assert skiff.run("ps", "-aq").stdout == "" and skiff.run("volume", "ls", "-q").stdout == ""


@pytest.mark.parametrize("option", [["-v", "./here:/x"], ["-v", "../{name}/here:/x"],
                                    ["--mount", "type=bind,source=./here,target=/x"]])
def test_relative_source(skiff, option):
    here = skiff.directory / "here"
    here.mkdir()
    (here / "file").write_text("found\n")
    words = [each.format(name=skiff.directory.name) for each in option]
    skiff.run("create", "--name", "one", *words, "busybox", "cat", "/x/file", cwd=skiff.directory)
    found = json.loads(skiff.run("inspect", "one").stdout)[0]
    assert found["Mounts"][0]["Source"] == str(here)
    if option[0] == "-v":
        assert found["HostConfig"]["Binds"] == [f"{here}:/x"]
    assert skiff.run("start", "-a", "one").stdout == "found\n"


def test_missing_sources(skiff):
    """-v makes a directory, at every start; --mount does not, but with bind-create-src."""
    made, also = skiff.directory / "made/here", skiff.directory / "also"
    skiff.run("create", "--name", "one", "-v", f"{made}:/x", "--mount",
              f"type=bind,source={also},target=/y,bind-create-src", "busybox", "ls", "-d", "/x", "/y")
    assert made.is_dir() and also.is_dir()
    made.rmdir()
    assert skiff.run("start", "-a", "one").stdout == "/x\n/y\n"
    assert made.is_dir()


@pytest.mark.parametrize("mode", ["z", "Z", "consistent", "cached", "delegated", "rw,z"])
def test_words_without_effect(skiff, source, mode):
    assert inside(skiff, "-v", f"{source}:/x:{mode}", script="cat /x/file") == "of the host\n"


# ---- read-only, and how far ----

MOUNTED_BELOW = """
mount -t tmpfs below "$1/sub" && touch "$1/sub/in-tmpfs" && shift && exec "$@"
"""


def with_mount_below(skiff, source, *args):
    """`skiff run` where a tmpfs is mounted on source/sub, in a mount namespace of its own."""
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", MOUNTED_BELOW, "sh", source,
         *skiff.command(), "run", "--rm", *args], capture_output=True, text=True, check=False,
        timeout=60, env=skiff.environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


WRITES = "for d in /x /x/sub; do touch $d/new 2>/dev/null && echo w || echo r; done; ls /x/sub"


@pytest.mark.parametrize("options, expected", [
    ("", "w\nw\nin-tmpfs\nnew\n"),
    (",readonly", "r\nr\nin-tmpfs\n"),
    (",readonly,bind-recursive=enabled", "r\nr\nin-tmpfs\n"),
    (",readonly,bind-recursive=readonly,bind-propagation=rprivate", "r\nr\nin-tmpfs\n"),
    (",readonly,bind-recursive=writable", "r\nw\nin-tmpfs\nnew\n"),
    (",bind-recursive=disabled", "w\nw\nbelow\nnew\n"),
    (",readonly,bind-nonrecursive", "r\nr\nbelow\n"),
])
def test_recursive(skiff, source, options, expected):
    assert with_mount_below(skiff, source, "--mount", f"type=bind,source={source},target=/x{options}",
                            "busybox", "sh", "-c", WRITES) == expected


@pytest.mark.parametrize("word, mark", [("shared", "shared:"), ("rshared", "shared:"),
                                        ("slave", "master:"), ("rslave", "master:"),
                                        ("private", "-"), ("rprivate", "-")])
def test_propagation(skiff, source, word, mark):
    """As the kernel says it of the mount inside, where the host's mounts are shared."""
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "shared", *skiff.command(), "run", "--rm", "--mount",
         f"type=bind,source={source},target=/x,bind-propagation={word}", "busybox", "grep", " /x ",
         "/proc/self/mountinfo"], capture_output=True, text=True, check=True, timeout=60,
        env=skiff.environment)
    assert done.stdout.split()[6].startswith(mark), done.stdout


# ---- volumes ----

@pytest.fixture
def filled(skiff):
    """An image with files of several owners in /data."""
    image = CustomImage()
    image.layer.directory("data", mode=0o750, uid=7, gid=8)
    image.layer.file("data/file", "of the image\n", uid=1000, gid=1001, mode=0o640)
    return image.load(skiff)


OWNERS = "stat -c '%u:%g %a' /data /data/file"
OF_THE_IMAGE = "7:8 750\n1000:1001 640\n"


def test_filled_with_owners(skiff, filled):
    for options in (["-v", "/data"], ["-v", "one:/data"], ["-v", "two:/data:ro"],
                    ["--mount", "target=/data"], ["--mount", "source=three,target=/data,readonly"]):
        assert inside(skiff, *options, image=filled, script=OWNERS) == OF_THE_IMAGE
        assert inside(skiff, *options, image=filled, script="cat /data/file") == "of the image\n"


def test_nocopy(skiff, filled):
    for options in (["-v", "one:/data:nocopy"], ["--mount", "source=two,target=/data,volume-nocopy"]):
        assert inside(skiff, *options, image=filled, script="ls /data") == ""


def test_subpath(skiff, filled):
    """What is mounted is the directory; it must be there, and when it is empty it is filled."""
    skiff.run("run", "--rm", "-v", "vol:/v", "busybox", "mkdir", "-p", "/v/a/b", "/v/c")
    option = "source=vol,target=/data,volume-subpath=a/b"
    assert inside(skiff, "--mount", option, image=filled, script=OWNERS) == OF_THE_IMAGE
    assert os.listdir(skiff.root / "volumes/vol/_data/a/b") == ["file"]
    assert inside(skiff, "--mount", "source=vol,target=/data,volume-subpath=c,volume-nocopy",
                  image=filled, script="ls /data; touch /data/new") == ""
    assert os.listdir(skiff.root / "volumes/vol/_data/c") == ["new"]
    missing = skiff.fails("run", "--mount", "source=vol,target=/data,volume-subpath=none", filled,
                          "true", code=125)
    assert "cannot access subpath 'none'" in missing.stderr


def test_labels_and_options_of_a_new_volume(skiff):
    inside(skiff, "--mount", "source=vol,target=/v,volume-label=a=b,volume-opt=type=tmpfs,"
           "volume-opt=device=tmpfs,\"volume-opt=o=size=1m,uid=5\"", script="true")
    found = json.loads(skiff.run("volume", "inspect", "vol").stdout)[0]
    assert found["Labels"] == {"a": "b"}
    assert found["Options"] == {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=5"}


def test_chown(skiff, source, filled):
    """:U gives everything to the container's user; a link's target stays who it belongs to."""
    outside = skiff.directory / "outside"
    outside.write_text("x")
    (source / "link").symlink_to(outside)
    script = "stat -c '%u:%g' /x /x/sub/below; echo hi > /x/mine"
    for option in (["-v", f"{source}:/x:U"], ["--mount", f"type=bind,source={source},target=/x,U=true"]):
        os.chown(source / "sub/below", 3, 3)
        assert inside(skiff, "-u", "123:456", *option, script=script) == "123:456\n123:456\n"
    assert (source / "mine").stat().st_uid == 123
    assert os.lstat(source / "link").st_uid == 123
    assert outside.stat().st_uid == 0
    assert inside(skiff, "-u", "9:9", "-v", "vol:/data:U", image=filled,
                  script=OWNERS) == "9:9 750\n9:9 640\n"


def test_id_map(skiff):
    """What is 1000's on the filesystem is 5's in the container, and the other way when it writes."""
    done = subprocess.run(["mktemp", "-d", "-p", "/dev/shm"], capture_output=True, text=True, check=True)
    path = done.stdout.strip()
    try:
        os.chmod(path, 0o777)
        with open(f"{path}/file", "w", encoding="utf-8"):
            pass
        os.chown(f"{path}/file", 1000, 1000)
        script = "stat -c %u:%g /x/file; touch /x/new"
        option = "idmap=uids=1000-5-1#0-0-1;gids=1000-6-1#0-0-1"
        assert inside(skiff, "-u", "5:6", "-v", f"{path}:/x:{option}", script=script) == "5:6\n"
        assert (os.stat(f"{path}/new").st_uid, os.stat(f"{path}/new").st_gid) == (1000, 1000)
    finally:
        subprocess.run(["rm", "-rf", path], check=True)


# ---- images ----

@pytest.fixture
def tools(skiff):
    image = CustomImage()
    image.layer.directory("tools")
    image.layer.file("tools/hello", "from the image\n")
    image.layer.file("tools/gone", "x")
    image.image.layer().whiteout("tools/gone")
    return image.load(skiff)


def test_image(skiff, tools):
    before = skiff.run("image", "inspect", tools).stdout
    script = "cat /x/tools/hello; ls /x/tools; touch /x/new 2>&1"
    done = skiff.run("run", "--rm", "--mount", f"type=image,source={tools},destination=/x", "busybox",
                     "sh", "-c", script, check=False)
    assert done.stdout.startswith("from the image\nhello\n") and "Read-only" in done.stdout
    for key in ("subpath", "image-subpath"):
        assert inside(skiff, "--mount", f"type=image,source={tools},destination=/x,{key}=tools",
                      script="ls /x") == "hello\n"
    assert skiff.run("image", "inspect", tools).stdout == before


def test_image_readwrite(skiff, tools):
    """What is written is gone with the next start, and never in the image."""
    skiff.run("create", "--name", "one", "--mount",
              f"type=image,source={tools},destination=/x,readwrite=true", "busybox", "sh", "-c",
              "cat /x/new; rm /x/tools/hello && echo x > /x/new && ls /x/new /x/tools")
    for _ in range(2):
        done = skiff.run("start", "-a", "one", check=False)
        assert done.stdout == "/x/new\n\n/x/tools:\n" or "/x/new" in done.stdout
        assert "can't open '/x/new'" in done.stderr
    assert inside(skiff, "--mount", f"type=image,source={tools},destination=/x",
                  script="ls /x/tools") == "hello\n"


def test_image_stays_while_it_is_mounted(skiff, tools):
    skiff.run("create", "--name", "one", "--mount", f"type=image,source={tools},destination=/x",
              "busybox", "cat", "/x/tools/hello")
    assert "is using" in skiff.fails("rmi", tools, code=1).stderr
    assert tools not in skiff.run("image", "prune", "-a", "-f").stdout
    skiff.run("rmi", "-f", tools)
    assert skiff.run("start", "-a", "one").stdout == "from the image\n"
    layers = set(os.listdir(skiff.root / "layers"))
    skiff.run("rm", "one")
    assert set(os.listdir(skiff.root / "layers")) < layers


# ---- --volumes-from ----

def test_volumes_from(skiff, source):
    skiff.run("run", "--name", "first", "-v", "/anonymous", "-v", "named:/named", "-v",
              f"{source}:/bind:ro", "--tmpfs", "/scratch", "busybox", "sh", "-c",
              "echo a > /anonymous/a; echo n > /named/n")
    script = "cat /anonymous/a /named/n /bind/file; ls -d /scratch; touch /named/w && echo written"
    done = skiff.run("run", "--rm", "--volumes-from", "first", "busybox", "sh", "-c", script)
    assert done.stdout == "a\nn\nof the host\nwritten\n"
    done = skiff.run("run", "--rm", "--volumes-from", "first:ro", "busybox", "sh", "-c",
                     "touch /named/x /anonymous/x; ls /named /anonymous", check=False)
    assert done.stdout == "/anonymous:\na\n\n/named:\nn\nw\n"
    done = skiff.run("run", "--rm", "--volumes-from", "first", "-v", "other:/named", "busybox", "ls",
                     "/named")
    assert done.stdout == ""
    assert len(skiff.run("volume", "ls", "-q").stdout.split()) == 3


def test_volumes_from_keeps_the_volume(skiff):
    """rm -v leaves an anonymous volume that another container has; the last one takes it along."""
    skiff.run("create", "--name", "first", "-v", "/data", "busybox", "true")
    skiff.run("create", "--name", "second", "--volumes-from", "first", "busybox", "true")
    skiff.run("rm", "-v", "first")
    assert len(skiff.run("volume", "ls", "-q").stdout.split()) == 1
    skiff.run("rm", "-v", "second")
    assert skiff.run("volume", "ls", "-q").stdout == ""


@pytest.mark.parametrize("text, message", [
    ("missing", "No such container: missing"), ("first:rx", "invalid mode: rx"),
    ("", "volumes-from specification cannot be an empty string")])
def test_volumes_from_refused(skiff, text, message):
    skiff.run("create", "--name", "first", "busybox", "true")
    assert message in skiff.fails("create", "--volumes-from", text, "busybox", "true", code=1).stderr


def test_volume_driver(skiff):
    assert inside(skiff, "--volume-driver", "local", "-v", "vol:/v", script="ls -d /v") == "/v\n"
    assert "there is no volume driver 'nfs'" in skiff.fails(
        "create", "--volume-driver", "nfs", "busybox", "true", code=1).stderr


# ---- volumes with options ----

def test_tmpfs_volume(skiff):
    """Each container's own, filled from the image, and never on the host's table."""
    skiff.run("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o",
              "o=size=2m,uid=1234,noexec", "vol")
    before = open("/proc/self/mountinfo", encoding="utf-8").read()
    skiff.start("--name", "one", "-v", "vol:/v")
    script = "stat -c %u /v; df -k /v | tail -1; grep ' /v ' /proc/mounts; echo x > /v/file"
    lines = skiff.run("exec", "one", "sh", "-c", script).stdout.splitlines()
    assert lines[0] == "1234" and lines[1].split()[1] == "2048"
    assert "tmpfs" in lines[2] and "noexec" in lines[2]
    assert open("/proc/self/mountinfo", encoding="utf-8").read() == before
    assert os.listdir(skiff.root / "volumes/vol/_data") == []
    assert inside(skiff, "-v", "vol:/v", script="ls /v") == ""


def test_tmpfs_volume_is_filled(skiff, filled):
    skiff.run("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "vol")
    assert inside(skiff, "-v", "vol:/data:ro", image=filled, script=OWNERS) == OF_THE_IMAGE


def test_bind_volume(skiff, source):
    skiff.run("volume", "create", "-o", "type=none", "-o", f"device={source}", "-o", "o=bind", "vol")
    assert inside(skiff, "-v", "vol:/v", script="cat /v/file; echo new > /v/new") == "of the host\n"
    assert (source / "new").read_text() == "new\n"
    assert inside(skiff, "--mount", "source=vol,target=/v,volume-subpath=sub",
                  script="cat /v/below") == "below\n"
    skiff.run("volume", "rm", "vol")
    assert (source / "file").exists()


def test_device_that_cannot_be_mounted(skiff):
    """The kernel's word, and nothing is left."""
    skiff.run("volume", "create", "-o", "type=nfs", "-o", "device=:/share", "-o",
              "o=addr=127.0.0.1,rw", "vol")
    failed = skiff.fails("run", "--rm", "-v", "vol:/v", "busybox", "true", code=125)
    assert "mount nfs on '/v'" in failed.stderr
    skiff.run("volume", "create", "-o", "type=none", "-o", "device=/does/not/exist", "-o", "o=bind",
              "other")
    failed = skiff.fails("run", "--rm", "-v", "other:/v", "busybox", "true", code=125)
    assert "/does/not/exist" in failed.stderr
    assert skiff.run("ps", "-aq").stdout == ""


# ---- anonymous ones go ----

@pytest.mark.parametrize("option", [["-v", "/data"], ["--mount", "target=/data"],
                                    ["--mount", "type=volume,target=/data,volume-nocopy"]])
def test_anonymous_volumes_go(skiff, option):
    skiff.run("run", "--rm", *option, "busybox", "true")
    assert skiff.run("volume", "ls", "-q").stdout == ""
    skiff.run("run", "--name", "one", *option, "busybox", "true")
    skiff.run("rm", "one")
    assert len(skiff.run("volume", "ls", "-q").stdout.split()) == 1
    skiff.run("run", "--name", "two", *option, "busybox", "true")
    skiff.run("rm", "-v", "two")
    assert len(skiff.run("volume", "ls", "-q").stdout.split()) == 1


def test_volumes_of_the_image_go(skiff):
    name = CustomImage({"Volumes": {"/data": {}}}).load(skiff)
    skiff.run("run", "--rm", name, "true")
    assert skiff.run("volume", "ls", "-q").stdout == ""


# ---- inspect ----

def test_inspect(skiff, source, tools):
    skiff.run("create", "--name", "one", "-v", "named:/named:ro", "--mount",
              f"type=bind,source={source},target=/bind,readonly,bind-recursive=readonly,"
              "bind-propagation=rprivate", "--mount",
              "type=volume,source=vol,target=/vol,volume-label=a=b,volume-nocopy", "--mount",
              "type=tmpfs,target=/tmpfs,tmpfs-size=1m,tmpfs-mode=1770", "--mount",
              f"type=image,source={tools},target=/image,image-subpath=tools", "busybox", "true")
    found = json.loads(skiff.run("inspect", "one").stdout)[0]
    assert found["HostConfig"]["Binds"] == ["named:/named:ro"]
    assert found["HostConfig"]["Mounts"] == [
        {"Type": "bind", "Source": str(source), "Target": "/bind", "ReadOnly": True,
         "BindOptions": {"Propagation": "rprivate", "ReadOnlyForceRecursive": True}},
        {"Type": "volume", "Source": "vol", "Target": "/vol",
         "VolumeOptions": {"NoCopy": True, "Labels": {"a": "b"}}},
        {"Type": "tmpfs", "Target": "/tmpfs",
         "TmpfsOptions": {"SizeBytes": 1048576, "Mode": 0o1770}},
        {"Type": "image", "Source": tools, "Target": "/image", "ReadOnly": True,
         "ImageOptions": {"Subpath": "tools"}},
    ]
    mounts = {each["Destination"]: each for each in found["Mounts"]}
    assert mounts["/image"]["Type"] == "image" and mounts["/image"]["RW"] is False
    assert mounts["/named"]["Mode"] == "ro" and mounts["/named"]["RW"] is False
    assert mounts["/vol"]["Name"] == "vol" and mounts["/vol"]["Driver"] == "local"
    skiff.run("create", "--name", "two", "--volumes-from", "one:ro", "busybox", "true")
    other = json.loads(skiff.run("inspect", "two").stdout)[0]
    assert other["HostConfig"]["VolumesFrom"] == ["one:ro"]
    assert {each["Destination"]: each["RW"] for each in other["Mounts"]} == {
        "/bind": False, "/vol": False, "/image": False, "/named": False}
