# SPDX-License-Identifier: Apache-2.0
"""--userns and its kin: who is who inside, on the host and on the disk."""

import json
import os
import subprocess

import pytest

from helpers.waiting import wait_until

SHOW_MAP = "cat /proc/self/uid_map"


def inside(skiff, command, *options):
    return skiff.run("run", "--rm", "--network", "none", *options, "busybox", "sh", "-c",
                     command).stdout


def id_map(text):
    return [tuple(int(number) for number in line.split()) for line in text.splitlines()]


def owner(path):
    found = os.lstat(path)
    return found.st_uid, found.st_gid


def start(skiff, name, *options, command="sleep 1000"):
    skiff.start("--name", name, "--network", "none", *options, command=("sh", "-c", command))


def test_auto(skiff):
    start(skiff, "box", "--userns", "auto")
    (first_inside, first, count), = id_map(skiff.run("exec", "box", "cat",
                                                     "/proc/self/uid_map").stdout)
    assert first_inside == 0 and first >= 1 << 30 and count == 65536
    status = open(f"/proc/{skiff.pid('box')}/status").read()
    assert f"Uid:\t{first}\t{first}\t{first}\t{first}\n" in status
    assert f"Gid:\t{first}\t{first}\t{first}\t{first}\n" in status
    host = os.readlink("/proc/self/ns/user")
    assert os.readlink(f"/proc/{skiff.pid('box')}/ns/user") != host
    assert skiff.inspect("box")["HostConfig"]["UsernsMode"] == "auto"


def test_without_it_nothing_is_different(skiff):
    start(skiff, "box")
    assert os.readlink(f"/proc/{skiff.pid('box')}/ns/user") == os.readlink("/proc/self/ns/user")
    assert "user" not in [namespace["type"] for namespace in json.loads(
        (skiff.root / "containers" / skiff.full_id("box") / "config.json").read_text())
        ["linux"]["namespaces"]]


def test_files_belong_to_who_they_should(skiff, tmp_path):
    """Numbers are the same inside and on the disk: of the image, the container, binds, volumes."""
    (tmp_path / "given").write_text("text")
    os.chown(tmp_path / "given", 5, 6)
    start(skiff, "box", "--userns", "auto", "-v", f"{tmp_path}:/bind", "-v", "data:/data",
          command="touch /root/mine /bind/mine /data/mine; chown 7:8 /root/mine /bind/mine"
                  " /data/mine; echo done; sleep 1000")
    skiff.wait_for_output("box", "done")
    listing = skiff.run("exec", "box", "stat", "-c", "%u:%g %n", "/bin", "/bind/given", "/root/mine",
                        "/bind/mine", "/data/mine", "/etc/hosts").stdout
    assert listing.splitlines() == ["0:0 /bin", "5:6 /bind/given", "7:8 /root/mine",
                                    "7:8 /bind/mine", "7:8 /data/mine", "0:0 /etc/hosts"]
    upper = skiff.root / "containers" / skiff.full_id("box") / "upper"
    assert owner(tmp_path / "mine") == (7, 8)
    assert owner(upper / "root/mine") == (7, 8) and owner(upper) == (0, 0)
    assert owner(skiff.root / "volumes/data/_data/mine") == (7, 8)
    assert owner(tmp_path / "given") == (5, 6)


def test_a_volume_is_filled_from_the_image(skiff):
    inside(skiff, "true", "--userns", "auto", "-v", "data:/etc")
    assert owner(skiff.root / "volumes/data/_data/passwd") == (0, 0)
    assert "root:" in (skiff.root / "volumes/data/_data/passwd").read_text()
    # And serves another mapping, and none.
    for options in ("--userns", "auto"), ("--userns", "host"):
        assert inside(skiff, "stat -c %u /data/passwd && touch /data/new", *options,
                      "-v", "data:/data") == "0\n"


def test_everything_goes_on(skiff, tmp_path):
    """exec, cp both ways, diff, export, commit, logs, top: as without it."""
    (tmp_path / "file").write_text("text")
    os.chown(tmp_path / "file", 3, 4)
    start(skiff, "box", "--userns", "auto", "--init",
          command="touch /made; chown 5:6 /made; echo to the log > /dev/stdout; sleep 1000")
    skiff.wait_for_output("box", "to the log")
    assert skiff.run("exec", "-u", "33", "box", "id", "-u").stdout == "33\n"
    assert skiff.run("exec", "box", "sh", "-c", "echo again > /dev/stdout; touch /b").stdout == \
        "again\n"
    assert "CapEff:\t00000000a80425fb" in skiff.run("exec", "box", "cat",
                                                    "/proc/self/status").stdout
    skiff.run("cp", tmp_path / "file", "box:/copied")
    skiff.run("cp", "-a", tmp_path / "file", "box:/kept")
    skiff.run("cp", "-a", "box:/made", tmp_path / "made")
    assert owner(tmp_path / "made") == (5, 6)
    assert skiff.run("exec", "box", "stat", "-c", "%u:%g", "/copied", "/kept").stdout == \
        "3:4\n3:4\n"
    assert {"A /made", "A /copied", "A /b"} <= set(skiff.run("diff", "box").stdout.splitlines())
    top = skiff.run("top", "box").stdout.splitlines()
    assert {line.split()[3] for line in top[1:]} == {"root"}
    skiff.run("export", "-o", tmp_path / "tar", "box")
    listing = subprocess.run(["tar", "tvnf", tmp_path / "tar"], check=True, capture_output=True,
                             text=True).stdout
    assert any(line.split()[1] == "5/6" and line.endswith(" made") for line in listing.splitlines())
    skiff.run("commit", "box", "made")
    assert skiff.run("run", "--rm", "--network", "none", "made", "stat", "-c", "%u:%g %n", "/made",
                     "/copied", "/kept").stdout == "5:6 /made\n3:4 /copied\n3:4 /kept\n"
    skiff.run("stop", "-t", "0", "box")
    skiff.run("cp", tmp_path / "file", "box:/later")
    skiff.run("start", "box")
    assert skiff.run("exec", "box", "stat", "-c", "%u:%g", "/later").stdout == "3:4\n"


def test_terminal(skiff):
    shell = skiff.spawn("run", "--rm", "-it", "--network", "none", "--userns", "auto", "busybox",
                        "sh", "-c", "tty; stat -c 'pts %u:%g' $(tty); stat -c 'console %u'"
                        " /dev/console; [ -w /dev/tty ] && echo writable")
    shell.expect("/dev/pts/0")
    shell.expect("pts 0:5")
    shell.expect("console 0")
    shell.expect("writable")


def test_devices(skiff):
    script = ("stat -c '%u:%g %a %t:%T' /dev/null /dev/full; echo x > /dev/null; head -c 3"
              " /dev/zero | wc -c; stat -c '%F' /dev/loop-control; touch /dev/own; mknod /n c 1 3"
              " 2>&1; echo $?")
    lines = inside(skiff, script, "--userns", "auto", "--device", "/dev/loop-control").splitlines()
    assert lines[:4] == ["0:0 666 1:3", "0:0 666 1:7", "3", "character special file"]
    assert lines[-1] == "1" and "not permitted" in lines[-2]
    result = skiff.fails("run", "--rm", "--userns", "auto", "--device", "/dev/null:/other",
                         "busybox", "true", code=125)
    assert "only be in /dev" in result.stderr


def test_privileged_is_root_of_its_own_namespace_only(skiff):
    script = ("mkdir /m && mount -t tmpfs none /m && echo mounted; echo x > /proc/sys/kernel/core_pattern ||"
              " echo denied")
    assert inside(skiff, script, "--userns", "auto", "--privileged").split() == [
        "mounted", "denied"]


def test_namespaces_of_others(skiff):
    """Those of the host and of other containers, with the filesystems that show them."""
    start(skiff, "plain")
    start(skiff, "mapped", "--userns", "auto", "--ipc", "shareable")
    ours = "for n in net pid ipc user; do readlink /proc/self/ns/$n; done"

    def names(*options):
        return skiff.run("run", "--rm", *options, "busybox", "sh", "-c", ours).stdout.split()

    def of(pid):
        return [os.readlink(f"/proc/{pid}/ns/{name}") for name in ("net", "pid", "ipc", "user")]

    host, plain, mapped = of("self"), of(skiff.pid("plain")), of(skiff.pid("mapped"))
    found = names("--userns", "auto", "--network", "host", "--pid", "host", "--ipc", "host")
    assert found[:3] == host[:3] and found[3] != host[3]
    found = names("--userns", "auto", "--network", "container:plain", "--pid", "container:plain")
    assert found[:2] == plain[:2] and found[3] not in (plain[3], mapped[3])
    found = names("--userns", "container:mapped", "--network", "container:mapped", "--pid",
                  "container:mapped", "--ipc", "container:mapped")
    assert found == mapped
    interfaces = "ls /sys/class/net"
    assert inside(skiff, interfaces, "--userns", "auto").split() == ["lo"]
    assert set(skiff.run("run", "--rm", "--network", "host", "--userns", "auto", "busybox", "ls",
                         "/sys/class/net").stdout.split()) == set(os.listdir("/sys/class/net"))
    listing = skiff.run("run", "--rm", "--network", "none", "--userns", "container:mapped", "--pid",
                        "container:mapped", "busybox", "ps").stdout
    assert "sleep 1000" in listing


def test_with_a_network_of_its_own(networked):
    networked.start("--name", "server", "--userns", "auto",
                    command=("sh", "-c", "echo hello > /tmp/text; exec httpd -f -p 80 -h /tmp"))
    address = networked.inspect("server")["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    assert wait_until(lambda: networked.run(
        "run", "--rm", "--userns", "auto", "busybox", "wget", "-q", "-O", "-",
        f"http://{address}/text", check=False).stdout) == "hello\n"


def test_health(skiff):
    start(skiff, "box", "--userns", "auto", "--health-cmd", "test $(id -u) = 0",
          "--health-interval", "100ms")
    wait_until(lambda: skiff.inspect("box")["State"]["Health"]["Status"] == "healthy")


def test_ranges_do_not_overlap_and_come_back(skiff, tmp_path):
    configuration = tmp_path / "skiff.conf"
    configuration.write_text("userns_range = 2000000-2000029\n")
    env = {"SKIFF_CONFIG": str(configuration)}

    def create(name):
        return skiff.run("create", "--name", name, "--network", "none", "--userns", "auto:size=10",
                         "busybox", *SHOW_MAP.split(), env=env, check=False)

    for name in "one", "two", "three":
        create(name)
    assert "no 10 ids are left" in create("four").stderr
    maps = [skiff.run("start", "-a", name).stdout.split() for name in ("one", "two", "three")]
    assert maps == [["0", str(first), "10"] for first in (2000000, 2000010, 2000020)]
    # It is the container's for its whole life, and nobody's after it.
    assert skiff.run("start", "-a", "two").stdout.split() == maps[1]
    skiff.run("rm", "two")
    create("four")
    assert skiff.run("start", "-a", "four").stdout.split() == maps[1]


def test_single_ids_laid_over(skiff):
    text = inside(skiff, SHOW_MAP + " /proc/self/gid_map", "--userns",
                  "auto:size=100,uidmapping=7:1000:1")
    maps = id_map(text)
    assert (7, 1000, 1) in maps and [entry[0] for entry in maps] == [0, 8, 7, 0]
    assert maps[3][2] == 100


def test_chosen_maps(skiff):
    both = SHOW_MAP + " /proc/self/gid_map"
    assert id_map(inside(skiff, both, "--userns", "0:100000:10,10:200000:5")) == [
        (0, 100000, 10), (10, 200000, 5)] * 2
    assert id_map(inside(skiff, both, "--uidmap", "0:100000:10", "--gidmap", "0:300000:3")) == [
        (0, 100000, 10), (0, 300000, 3)]
    assert id_map(inside(skiff, both, "--uidmap", "0:100000:10")) == [(0, 100000, 10)] * 2
    start(skiff, "box", "--userns", "keep-id")
    assert id_map(skiff.run("exec", "box", *SHOW_MAP.split()).stdout) == [(0, 0, 4294967295)]
    assert os.readlink(f"/proc/{skiff.pid('box')}/ns/user") != os.readlink("/proc/self/ns/user")


@pytest.mark.parametrize("option, words", [
    (("--userns", "nomap"), "for users other than root"),
    (("--userns", "keep-id:uid=5"), "for users other than root"),
    (("--userns", "moon"), "'moon' is not supported"),
    (("--userns", "ns:/proc/self/ns/user"), "is not supported"),
    (("--userns", "auto:color=red"), "unknown option 'color=red'"),
    (("--userns", "auto:size=0"), "0 is no size"),
    (("--userns", "auto:size=x"), "x is no size"),
    (("--userns", "0:1"), ""),
    (("--userns", "1:100:5"), "without user 0"),
    (("--userns", "0:100:5,3:200:5"), "two ranges overlap"),
    (("--uidmap", "0:100:5", "--userns", "host"), "conflicting options"),
    (("--uidmap", "0:100:5", "--subuidname", "x"), "conflicting options"),
    (("--subuidname", "nobody-has-this-name"), "has no ids for"),
    (("--userns", "container:"), "names no container"),
    (("--userns", "container:missing"), "No such container"),
    (("--userns", "auto", "-v", "/proc:/host"), "has no id-mapped mounts"),
])
def test_refused_by_name(skiff, option, words):
    if words:
        result = skiff.fails("run", "--rm", "--network", "none", *option, "busybox", "true",
                             code=125)
        assert words in result.stderr
    else:
        assert id_map(inside(skiff, SHOW_MAP, *option)) == [(0, 1, 1)]


def test_configuration(skiff, tmp_path):
    configuration = tmp_path / "skiff.conf"
    configuration.write_text("userns = auto:size=10\nuserns_range = 3000000-3999999\n")
    env = {"SKIFF_CONFIG": str(configuration)}
    options = ("run", "--rm", "--network", "none")
    assert id_map(skiff.run(*options, "busybox", *SHOW_MAP.split(), env=env).stdout) == [
        (0, 3000000, 10)]
    assert id_map(skiff.run(*options, "--userns", "host", "busybox", *SHOW_MAP.split(),
                            env=env).stdout) == [(0, 0, 4294967295)]
    configuration.write_text("userns_remap = dockremap\n")
    (tmp_path / "ids").write_text("other:1:2\ndockremap:500000:65536\n")
    script = ('mount --bind "$0" /etc/subuid && mount --bind "$0" /etc/subgid && exec "$@"')
    result = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, tmp_path / "ids",
         *skiff.command(*options, "busybox", *SHOW_MAP.split())],
        env={**skiff.environment, **env}, capture_output=True, text=True, timeout=120)
    assert result.stderr == "" and id_map(result.stdout) == [(0, 500000, 65536)]


def test_a_layer_is_not_touched(skiff):
    """No copy and no chown: the image's directories are the same before and after."""
    layers = skiff.root / "layers"

    def look():
        return sorted((str(path), *owner(path), os.lstat(path).st_ino, os.lstat(path).st_ctime_ns)
                      for path in layers.rglob("*"))

    before = look()
    inside(skiff, "touch /bin/new; chown 5 /etc/passwd", "--userns", "auto")
    assert look() == before
