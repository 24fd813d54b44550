# SPDX-License-Identifier: Apache-2.0
"""Devices, privileges, namespaces and confinement: what each option opens or closes, from inside."""

import json
import os
import stat

import pytest

from helpers.features import cgroup_mounts
from helpers.waiting import wait_until


def inside(skiff, script, *args):
    return skiff.run("run", "--rm", *args, "busybox", "sh", "-c", script).stdout


def refused(skiff, *args):
    result = skiff.fails("run", *args, "busybox", "true", code=125)
    assert skiff.containers() == []
    return result.stderr


# ---- devices ----

@pytest.mark.parametrize("permissions, reading, writing", [
    ("r", "ok", "EPERM"), ("w", "EPERM", "ok"), ("rw", "ok", "ok"), ("rwm", "ok", "ok")])
def test_permissions_of_a_device(skiff, probe, loop_device, permissions, reading, writing):
    got = inside(skiff, "/probe open /dev/disk r; /probe open /dev/disk w", "-v",
                 f"{probe}:/probe", "--device", f"{loop_device}:/dev/disk:{permissions}")
    assert got.split() == [reading, writing]


def test_making_a_node_needs_the_permission(skiff, probe, loop_device):
    number = os.stat(loop_device).st_rdev
    make = f"/probe mknod /node b {os.major(number)} {os.minor(number)}; /probe open /node r"
    run = ("-v", f"{probe}:/probe")
    assert inside(skiff, make, *run).split() == ["ok", "EPERM"]
    assert inside(skiff, make, *run, "--device", f"{loop_device}:r").split() == ["ok", "ok"]


def test_a_device_below_new_directories_and_a_link_to_one(skiff, loop_device, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(loop_device)
    got = inside(skiff, "stat -c %t:%T:%F /dev/new/dir/disk", "--device",
                 f"{link}:/dev/new/dir/disk")
    number = os.stat(loop_device).st_rdev
    assert got == f"{os.major(number):x}:{os.minor(number):x}:block special file\n"


def test_a_directory_of_devices(skiff, tmp_path):
    os.mkdir(tmp_path / "below")
    for name, minor in (("zero", 5), ("below/full", 7)):
        os.mknod(tmp_path / name, 0o640 | stat.S_IFCHR, os.makedev(1, minor))
    os.chown(tmp_path / "zero", 12, 34)
    (tmp_path / "file").write_text("no device")
    got = inside(skiff, "cd /dev/many; find . -type c | sort; stat -c %u:%g:%a zero; ls",
                 "--device", f"{tmp_path}:/dev/many")
    assert got.split() == ["./below/full", "./zero", "12:34:640", "below", "zero"]


BAD_DEVICES = [
    ("/nothing/there", 'error gathering device information while adding custom device '
                       '"/nothing/there": '),
    ("/etc/passwd", "not a device node"),
    ("null", "invalid device specification: null"),
    ("/dev/null:/dev/null:rx", "invalid device mode: rx"),
    ("/dev/null:relative:r", "is not an absolute path"),
]


def test_bad_devices(skiff):
    for device, message in BAD_DEVICES:
        assert message in refused(skiff, "--rm", "--device", device)


def test_device_cgroup_rules(skiff, probe, loop_device):
    number = os.stat(loop_device).st_rdev
    make = f"/probe mknod /node b {os.major(number)} {os.minor(number)}; /probe open /node r"
    run = ("-v", f"{probe}:/probe", "--device-cgroup-rule")
    for rule in (f"b {os.major(number)}:* r", "a *:* rwm", f"b *:{os.minor(number)} rwm"):
        assert inside(skiff, make, *run, rule).split() == ["ok", "ok"], rule
    assert inside(skiff, make, *run, f"c {os.major(number)}:* r").split() == ["ok", "EPERM"]
    skiff.run("create", "--name", "box", "--device-cgroup-rule", "c 42:* rwm", "busybox")
    assert skiff.inspect("box")["HostConfig"]["DeviceCgroupRules"] == ["c 42:* rwm"]


def test_bad_device_cgroup_rules(skiff):
    for rule in ("", "c 1:3", "d 1:3 r", "c 1 r", "c 1:3 rr", "c 1:x r", "c 1:3 r w", "c -1:3 r"):
        message = refused(skiff, "--device-cgroup-rule", rule)
        assert f"invalid device cgroup format '{rule}'" in message


# ---- privileged ----

def test_privileged_opens_everything(skiff, loop_device):
    got = inside(skiff, f"""
        head -c 1 /proc/interrupts | wc -c
        grep Seccomp: /proc/self/status
        grep ' /sys ' /proc/mounts | cut -d' ' -f4 | cut -d, -f1
        grep -c ' /sys/fs/cgroup[^ ]* [^ ]* ro' /proc/mounts
        head -c 4 {loop_device} | wc -c
        test -w /proc/sys/kernel/domainname && echo writable""", "--privileged")
    # The view of v1 groups is a read-only tmpfs with writable groups in it.
    lines = got.split("\n")
    assert lines[0:3] == ["1", "Seccomp:\t0", "rw"]
    assert lines[4:6] == ["4", "writable"]


def test_privileged_can_make_groups(skiff):
    got = inside(skiff, "for d in /sys/fs/cgroup/*/; do mkdir $d/own && rmdir $d/own && echo ok;"
                        "done 2>&1 | sort -u", "--privileged")
    if any("/sys/fs/cgroup/" in mount for mount in cgroup_mounts()):
        assert got == "ok\n"


# ---- capabilities ----

def effective(skiff, *args):
    return int(inside(skiff, "grep CapEff /proc/self/status", *args).split()[1], 16)


def test_capability_names_in_every_spelling(skiff):
    alone = effective(skiff, "--cap-drop", "all", "--cap-add", "cap_net_raw")
    assert alone == 1 << 13
    assert effective(skiff, "--cap-drop", "ALL", "--cap-add", "Net_Raw") == alone
    without = effective(skiff, "--cap-add", "ALL", "--cap-drop", "NET_RAW")
    assert not without & alone and without & 1 << 21
    assert effective(skiff, "--cap-drop", "NET_RAW", "--cap-add", "NET_RAW") & alone
    assert effective(skiff, "--privileged", "--cap-drop", "ALL") & 1 << 21


def test_bad_capabilities(skiff):
    for name in ("", "13", "CAP_", "NOTHING", "CAP_CAP_KILL", "KILL,CHOWN", "kill=ep"):
        assert "unknown capability" in refused(skiff, f"--cap-add={name}"), name


# ---- security options ----

def test_seccomp_profiles(skiff, tmp_path):
    profile = tmp_path / "profile.json"
    profile.write_text(json.dumps({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO",
                      "errnoRet": 95}]}))
    assert "not supported" in skiff.fails(
        "run", "--rm", "--security-opt", f"seccomp={profile}", "busybox", "mkdir", "/x").stderr
    # What was read at create is what counts.
    skiff.run("create", "--name", "box", "--security-opt", f"seccomp={profile}", "busybox",
              "mkdir", "/x")
    profile.unlink()
    skiff.run("start", "-a", "box", check=False)
    assert skiff.inspect("box")["State"]["ExitCode"] == 1
    assert inside(skiff, "grep Seccomp: /proc/self/status", "--security-opt",
                  "seccomp=builtin") == "Seccomp:\t2\n"


@pytest.mark.parametrize("text, message", [
    ("{", "seccomp profile"), ("[]", "no seccomp profile"), ("{}", "no seccomp profile"),
    ('{"defaultAction": "SCMP_ACT_NOTHING"}', "SCMP_ACT_NOTHING"),
])
def test_bad_seccomp_profiles(skiff, tmp_path, text, message):
    profile = tmp_path / "profile.json"
    profile.write_text(text)
    result = skiff.fails("run", "--rm", "--security-opt", f"seccomp={profile}", "busybox", "true",
                         code=125)
    assert message in result.stderr
    assert skiff.containers() == []


def test_a_seccomp_profile_that_is_not_there(skiff):
    assert "opening seccomp profile (/nothing.json) failed" in refused(
        skiff, "--security-opt", "seccomp=/nothing.json")


@pytest.mark.parametrize("option, value", [
    ("no-new-privileges", "1"), ("no-new-privileges:true", "1"), ("no-new-privileges=true", "1"),
    ("no-new-privileges=false", "0"), ("no-new-privileges:false", "0")])
def test_no_new_privileges(skiff, option, value):
    assert inside(skiff, "grep NoNewPrivs /proc/self/status", "--security-opt",
                  option).split() == ["NoNewPrivs:", value]


def test_mask_and_unmask(skiff):
    assert inside(skiff, "cat /proc/version | wc -c; ls /etc/ssl 2>/dev/null | wc -l",
                  "--security-opt", "mask=/proc/version:/etc") == "0\n0\n"
    assert inside(skiff, "head -c 1 /proc/interrupts | wc -c; ls /proc/scsi | wc -l",
                  "--security-opt", "unmask=/proc/int*") == "1\n0\n"
    assert inside(skiff, "test -w /proc/sys/kernel/domainname && echo open", "--security-opt",
                  "unmask=/proc/sys") == "open\n"
    # All of it, but for what is named.
    assert inside(skiff, "head -c 1 /proc/interrupts | wc -c; head -c 1 /proc/version | wc -c",
                  "--security-opt", "unmask=ALL", "--security-opt",
                  "mask=/proc/version") == "1\n0\n"
    skiff.run("create", "--name", "box", "--security-opt", "mask=/proc/version", "--security-opt",
              "unmask=/proc/kcore:/proc/sys", "busybox")
    host = skiff.inspect("box")["HostConfig"]
    assert "/proc/version" in host["MaskedPaths"]
    assert "/proc/kcore" not in host["MaskedPaths"]
    assert "/proc/sys" not in host["ReadonlyPaths"]


def test_bad_security_options(skiff):
    for option in ("mask=relative", "unmask=/x/../y", "nothing", "no-new=1", "seccomp=",
                   "systempaths=confined", "mask="):
        assert "invalid --security-opt" in refused(skiff, "--security-opt", option), option


def test_labels_that_this_machine_has_not(skiff):
    for option in ("apparmor=docker-default", "label=type:thing_t"):
        assert "is not supported" in refused(skiff, "--security-opt", option)
    for option in ("apparmor=unconfined", "label=disable", "label:disable"):
        assert inside(skiff, "echo ok", "--security-opt", option) == "ok\n"


# ---- namespaces ----

def test_shared_ipc(skiff):
    skiff.start("--name", "owner", "--ipc", "shareable", "--shm-size", "3m")
    skiff.run("exec", "owner", "sh", "-c", "echo hello > /dev/shm/file")
    queue = skiff.run("exec", "owner", "readlink", "/proc/self/ns/ipc").stdout
    got = inside(skiff, "readlink /proc/self/ns/ipc; cat /dev/shm/file; echo back > /dev/shm/two;"
                        "df -k /dev/shm | tail -1 | awk '{print $2}'", "--ipc", "container:owner")
    assert got == f"{queue}hello\n3072\n"
    assert skiff.run("exec", "owner", "cat", "/dev/shm/two").stdout == "back\n"
    assert skiff.inspect("owner")["HostConfig"]["IpcMode"] == "shareable"
    # Its own is another one, and the shared one outlives who joined it.
    assert inside(skiff, "ls /dev/shm") == ""


def test_ipc_outlives_its_owner_in_those_that_joined(skiff):
    skiff.start("--name", "owner", "--ipc", "shareable")
    skiff.start("--name", "guest", "--ipc", "container:owner")
    skiff.run("exec", "owner", "sh", "-c", "echo kept > /dev/shm/file")
    skiff.run("rm", "-f", "owner")
    assert skiff.run("exec", "guest", "cat", "/dev/shm/file").stdout == "kept\n"


def test_ipc_that_is_not_shared(skiff):
    skiff.start("--name", "private")
    result = skiff.fails("run", "--rm", "--ipc", "container:private", "busybox", "true", code=125)
    assert "non-shareable IPC (hint: use IpcMode:shareable" in result.stderr
    skiff.run("create", "--name", "owner", "--ipc", "shareable", "busybox")
    result = skiff.fails("run", "--rm", "--ipc", "container:owner", "busybox", "true", code=125)
    assert "non running container" in result.stderr
    assert "No such container: nobody" in skiff.fails(
        "run", "--rm", "--ipc", "container:nobody", "busybox", "true", code=125).stderr


def test_the_hosts_user_namespace(skiff):
    assert inside(skiff, "cat /proc/self/uid_map", "--userns", "host").split() == [
        "0", "0", "4294967295"]


def test_domainname(skiff):
    assert inside(skiff, "cat /proc/sys/kernel/domainname", "--domainname",
                  "example.org") == "example.org\n"
    skiff.run("create", "--name", "box", "--domainname", "example.org", "busybox")
    assert skiff.inspect("box")["Config"]["Domainname"] == "example.org"
    assert "conflicting options" in skiff.fails(
        "run", "--uts", "host", "--domainname", "x", "busybox", code=125).stderr


# ---- the rest ----

def test_annotations(skiff):
    identity = skiff.start("--name", "box", "--annotation", "org.example.a=1", "--annotation",
                           "b=two=2")
    expected = {"org.example.a": "1", "b": "two=2"}
    assert skiff.inspect("box")["HostConfig"]["Annotations"] == expected
    with open(skiff.root / "containers" / identity / "config.json", encoding="utf-8") as file:
        assert json.load(file)["annotations"] == expected


def test_runtime(skiff):
    assert inside(skiff, "echo ok", "--runtime", "skiff") == "ok\n"
    assert "unknown or invalid runtime name: kata" in refused(skiff, "--runtime", "kata")


CANNOT_BE = [
    (("--storage-opt", "size=1g"), "--storage-opt size cannot be enforced"),
    (("--storage-opt", "color=red"), "Unknown option color=red"),
    (("--isolation", "hyperv"), "Windows containers only"),
    (("--cpu-count", "2"), "Windows containers only"),
    (("--cpu-percent", "2"), "Windows containers only"),
    (("--io-maxiops", "2"), "Windows containers only"),
    (("--io-maxbandwidth", "2"), "Windows containers only"),
    (("--use-api-socket",), "there is no daemon"),
    (("--annotation", "x"), "must be KEY=VALUE"),
]


def test_what_cannot_be(skiff):
    for options, message in CANNOT_BE:
        assert message in refused(skiff, *options)


def test_words_that_mean_nothing(skiff):
    result = skiff.run("run", "--rm", "--isolation", "default", "--kernel-memory", "64m", "busybox",
                       "echo", "ok")
    assert result.stdout == "ok\n"
    assert "--kernel-memory has been deprecated" in result.stderr


@pytest.mark.parametrize("parent, path", [
    ("skiff-test-own", "/skiff-test-own"),
    ("/skiff-test-own/below/", "/skiff-test-own/below"),
    ("skifft-est.slice", "/skifft.slice/skifft-est.slice"),
])
def test_cgroup_parent(skiff, parent, path):
    identity = skiff.start("--name", "box", "--cgroup-parent", parent)
    with open(f"/proc/{skiff.pid('box')}/cgroup", encoding="utf-8") as file:
        assert all(line.rstrip().endswith(f":{path}/skiff-{identity}") for line in file)
    skiff.run("rm", "-f", "box")
    wait_until(lambda: not any(os.path.isdir(f"{mount}{path}/skiff-{identity}")
                               for mount in cgroup_mounts()))
    for mount in cgroup_mounts():  # they may stay: they are the user's to name
        for directory in (path, os.path.dirname(path)):
            if directory != "/" and os.path.isdir(f"{mount}{directory}"):
                os.rmdir(f"{mount}{directory}")

