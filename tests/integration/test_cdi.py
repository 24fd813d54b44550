# SPDX-License-Identifier: Apache-2.0
"""Devices by name: CDI specifications of our own, in a directory that skiff.conf names."""

import json
import os

import pytest

SPEC = {
    "cdiVersion": "0.6.0",
    "kind": "vendor.example/thing",
    "containerEdits": {"env": ["THINGS=yes"]},
    "devices": [
        {"name": "one", "containerEdits": {
            "deviceNodes": [{"path": "/dev/thing0", "hostPath": "/dev/zero", "permissions": "r"}],
            "env": ["ONE=1"]}},
        {"name": "two", "containerEdits": {
            "deviceNodes": [{"path": "/dev/deep/thing1", "type": "c", "major": 1, "minor": 7,
                             "fileMode": 384, "uid": 7, "gid": 8}],
            "additionalGids": [4242]}},
    ],
}


@pytest.fixture
def directories(skiff):
    found = [skiff.directory / "cdi-low", skiff.directory / "cdi-high"]
    (skiff.directory / "skiff.conf").write_text(
        "network = none\n" + "".join(f"cdi_spec_dir = {one}\n" for one in found))
    for one in found:
        one.mkdir()
    return found


def write(directory, name, spec):
    path = directory / name
    path.write_text(spec if isinstance(spec, str) else json.dumps(spec))
    return path


def with_edits(**edits):
    return {"cdiVersion": "0.6.0", "kind": "vendor.example/thing",
            "devices": [{"name": "one", "containerEdits": edits}]}


def inside(skiff, script, *args):
    return skiff.run("run", "--rm", *args, "busybox", "sh", "-c", script).stdout


def refused(skiff, *devices):
    args = [word for device in devices for word in ("--device", device)]
    result = skiff.fails("run", *args, "busybox", "true", code=125)
    assert skiff.containers() == []
    return result.stderr


@pytest.mark.core
def test_nodes_variables_and_groups(skiff, probe, directories):
    write(directories[0], "thing.json", SPEC)
    got = inside(skiff, "stat -c '%F %t:%T %a' /dev/thing0; stat -c '%t:%T %a %u:%g' /dev/deep/*;"
                        "echo $THINGS $ONE; id -G; /probe open /dev/thing0 r;"
                        "/probe open /dev/thing0 w",
                 "-v", f"{probe}:/probe", "--device", "vendor.example/thing=one", "--device",
                 "vendor.example/thing=two", "--device", "/dev/null:/dev/plain", "-e", "ONE=own")
    mode = f"{os.stat('/dev/zero').st_mode & 0o7777:o}"
    # /dev/zero may be written by every container, whatever the file says.
    lines = got.splitlines()
    assert "4242" in lines.pop(3).split()
    assert lines == [f"character special file 1:5 {mode}", "1:7 600 7:8", "yes 1", "ok", "ok"]
    skiff.run("create", "--name", "box", "--device", "vendor.example/thing=one", "busybox")
    assert skiff.inspect("box")["HostConfig"]["DeviceRequests"] == [
        {"Driver": "cdi", "Count": 0, "DeviceIDs": ["vendor.example/thing=one"],
         "Capabilities": None, "Options": None}]


def test_rules_of_the_devices_cgroup(skiff, probe, directories, loop_device):
    write(directories[0], "thing.json", with_edits(
        deviceNodes=[{"path": "/dev/disk", "hostPath": loop_device, "permissions": "r"}]))
    got = inside(skiff, "/probe open /dev/disk r; /probe open /dev/disk w", "-v",
                 f"{probe}:/probe", "--device", "vendor.example/thing=one")
    assert got.split() == ["ok", "EPERM"]


def test_mounts(skiff, directories, tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/file").write_text("library\n")
    write(directories[0], "thing.json", with_edits(mounts=[
        {"hostPath": str(tmp_path / "lib"), "containerPath": "/usr/lib/thing",
         "options": ["ro", "nosuid", "bind"]}]))
    got = inside(skiff, "cat /usr/lib/thing/file; touch /usr/lib/thing/x 2>&1 | wc -l",
                 "--device", "vendor.example/thing=one")
    assert got == "library\n1\n"


def test_yaml(skiff, directories):
    write(directories[0], "thing.yaml", """
cdiVersion: "0.5.0"
kind: vendor.example/thing
devices:
- name: "0"
  containerEdits:
    env:
    - FROM=yaml
    deviceNodes:
    - path: /dev/thing
      type: c
      major: 1
      minor: 7
      fileMode: 0640
    additionalGids: [77]
""")
    assert inside(skiff, "echo $FROM; stat -c %t:%T:%a /dev/thing; id -G", "--device",
                  "vendor.example/thing=0").split()[:2] == ["yaml", "1:7:640"]


def test_a_later_directory_wins_and_one_may_not_say_it_twice(skiff, directories):
    write(directories[0], "a.json", with_edits(env=["FROM=low"]))
    write(directories[1], "a.json", with_edits(env=["FROM=high"]))
    run = ("echo $FROM", "--device", "vendor.example/thing=one")
    assert inside(skiff, *run) == "high\n"
    write(directories[1], "b.json", with_edits(env=["FROM=other"]))
    assert "is described by both" in refused(skiff, "vendor.example/thing=one")


def test_what_a_start_finds_is_what_counts(skiff, directories):
    path = write(directories[0], "a.json", with_edits(env=["FROM=first"]))
    skiff.run("create", "--name", "box", "--device", "vendor.example/thing=one", "busybox", "sh",
              "-c", "echo $FROM")
    write(directories[0], "a.json", with_edits(env=["FROM=second"]))
    assert skiff.run("start", "-a", "box").stdout == "second\n"
    path.unlink()
    assert "unresolvable CDI devices vendor.example/thing=one" in skiff.fails("start", "box").stderr


def test_devices_that_nobody_describes(skiff, directories):
    write(directories[0], "thing.json", SPEC)
    broken = write(directories[0], "broken.json", "{")
    message = refused(skiff, "vendor.example/thing=three", "other.example/x=1")
    assert ("CDI device injection failed: unresolvable CDI devices vendor.example/thing=three, "
            "other.example/x=1") in message
    assert str(broken) in message
    # A broken file is in nobody's way.
    inside(skiff, "true", "--device", "vendor.example/thing=one")


BAD_EDITS = [
    ({"hooks": [{"hookName": "createContainer", "path": "/bin/true"}]},
     "containerEdits.hooks is not supported"),
    ({"intelRdt": {"closID": "x"}}, "containerEdits.intelRdt is not supported"),
    ({"surprise": []}, "containerEdits.surprise is not supported"),
    ({"env": ["NOTHING"]}, "KEY=value"),
    ({"env": "A=b"}, "must be a short list"),
    ({"deviceNodes": [{"path": "dev/x"}]}, "'path' must be an absolute path"),
    ({"deviceNodes": [{"path": "/dev/x", "hostPath": "/etc/passwd"}]}, "is no device"),
    ({"deviceNodes": [{"path": "/dev/x"}]}, "CDI device node '/dev/x'"),
    ({"deviceNodes": [{"path": "/dev/x", "type": "c", "major": "many"}]}, "must be a number"),
    ({"deviceNodes": [{"path": "/dev/null", "permissions": "x"}]}, "is not valid"),
    ({"mounts": [{"hostPath": "/etc", "containerPath": "etc"}]}, "must be an absolute path"),
    ({"mounts": [{"hostPath": "/etc", "containerPath": "/x", "type": "overlay"}]},
     "type 'overlay' is not supported"),
    ({"additionalGids": [-1]}, "must be numbers of groups"),
]


def test_edits_that_cannot_be_made(skiff, directories):
    for edits, message in BAD_EDITS:
        write(directories[0], "thing.json", with_edits(**edits))
        result = skiff.fails("run", "--rm", "--device", "vendor.example/thing=one", "busybox",
                             "true", code=125)
        assert message in result.stderr, (edits, result.stderr)
    assert skiff.containers() == []


def test_files_that_others_can_change_are_not_believed(skiff, directories):
    path = write(directories[0], "thing.json", SPEC)
    os.chmod(path, 0o666)
    assert "it is not root's alone" in refused(skiff, "vendor.example/thing=one")
    os.chmod(path, 0o644)
    os.chown(path, 65534, 65534)
    assert "it is not root's alone" in refused(skiff, "vendor.example/thing=one")


def test_nothing_but_the_option_chooses_a_device(skiff, directories):
    """CVE-2026-53489 and its kin: annotations and labels are nobody's commands."""
    write(directories[0], "thing.json", SPEC)
    key = "cdi.k8s.io/thing"
    got = inside(skiff, "ls /dev | grep thing; echo $THINGS.", "--annotation",
                 f"{key}=vendor.example/thing=one", "--label", f"{key}=vendor.example/thing=one",
                 "-e", "CDI=vendor.example/thing=one")
    assert got == ".\n"


def test_gpus(skiff, directories):
    names = ["all", "0", "1", "GPU-8"]
    write(directories[0], "nvidia.yaml", json.dumps({
        "cdiVersion": "0.5.0", "kind": "nvidia.com/gpu",
        "devices": [{"name": name, "containerEdits": {"env": [f"GPU_{name[-1]}=yes"]}}
                    for name in names]}))
    def given(value):
        text = inside(skiff, "env | grep ^GPU_ | sort", "--gpus", value)
        return [line[4] for line in text.splitlines()]
    assert given("all") == ["l"]
    assert given("2") == given('"device=0,1"') == given("device=0,1") == ["0", "1"]
    assert given("device=GPU-8,capabilities=utility") == ["8"]
    assert given("count=1,driver=nvidia") == ["0"]
    assert given("capabilities=gpu") == ["l"]
    for value in ("many", "color=red", "driver=other", "device=../x"):
        assert skiff.fails("run", "--gpus", value, "busybox", code=125).stderr
    assert "unresolvable CDI devices nvidia.com/gpu=2" in skiff.fails(
        "run", "--gpus", "3", "busybox", code=125).stderr
    assert skiff.containers() == []
