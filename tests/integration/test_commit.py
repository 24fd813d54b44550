# SPDX-License-Identifier: Apache-2.0
"""`commit` where docker is no measure. What it makes of files and of --change is compared with
docker in test_files_like_docker.py."""

import json
import subprocess

import pytest


def test_history_and_author(skiff):
    skiff.run("run", "--name", "one", "busybox", "sh", "-c", "echo x > /new")
    done = skiff.run("commit", "-a", "Me", "-m", "the reason", "one", "made:1")
    image = json.loads(skiff.run("image", "inspect", "made:1").stdout)[0]
    assert done.stdout.strip() == image["Id"]
    assert image["Author"] == "Me"
    history = skiff.run("history", "--no-trunc", "--format", "{{.CreatedBy}}|{{.Comment}}",
                        "made:1").stdout.splitlines()
    assert history[0] == "sh -c echo x > /new|the reason"
    assert skiff.run("run", "--rm", "made:1", "cat", "/new").stdout == "x\n"


def test_without_a_name(skiff):
    skiff.run("create", "--name", "one", "busybox", "true")
    image = skiff.run("commit", "one").stdout.strip()
    assert image.startswith("sha256:") and len(image) == 71
    assert skiff.run("run", "--rm", image, "echo", "runs").stdout == "runs\n"


def test_nothing_written_adds_no_layer(skiff):
    skiff.run("create", "--name", "one", "busybox", "true")
    skiff.run("commit", "one", "same:1")
    layers = [json.loads(skiff.run("image", "inspect", name).stdout)[0]["RootFS"]["Layers"]
              for name in ("busybox", "same:1")]
    assert layers[0] == layers[1]


def test_the_same_files_make_the_same_layer(skiff):
    script = "mkdir /d; echo 1 > /d/1; echo 2 > /d/2; ln /d/1 /d/3; touch -d @5 /d/* /d"
    tops = []
    for name in ("one", "two"):
        skiff.run("run", "--name", name, "busybox", "sh", "-c", script)
        skiff.run("commit", name, f"{name}:1")
        tops.append(json.loads(skiff.run("image", "inspect", f"{name}:1").stdout)[0]
                    ["RootFS"]["Layers"][-1])
    assert tops[0] == tops[1]


@pytest.mark.parametrize("options, frozen", [([], True), (["--pause=false"], False),
                                             (["--no-pause"], False)])
def test_pause(skiff, options, frozen):
    """It writes all the time; while it is read it does not, and afterwards it goes on."""
    skiff.start("--name", "one", command=("sh", "-c", "i=0; while :; do i=$((i + 1)); echo $i > "
                                          "/a; echo $i > /b; done"))
    skiff.run("commit", *options, "one", "made:1")
    assert skiff.status("one") == "running"
    said = skiff.run("events", "--since", "1h", "--until", "0s", "--filter", "type=container",
                     "--filter", "container=one", "--format", "{{.Action}}").stdout.split()
    assert said == ["create", "start", *(["pause", "unpause"] if frozen else []), "commit"]
    assert skiff.run("run", "--rm", "made:1", "ls", "/bin/busybox").stdout
    skiff.run("exec", "one", "true")


def test_what_the_machine_adds_is_not_in_it(skiff):
    """No volume, no tmpfs, no /etc/hosts of the container."""
    skiff.run("run", "--name", "one", "-v", "vol:/vol", "--tmpfs", "/scratch", "busybox", "sh",
              "-c", "echo secret > /vol/file; echo secret > /scratch/file")
    skiff.run("commit", "one", "made:1")
    found = skiff.run("run", "--rm", "made:1", "find", "/vol", "/scratch").stdout.split()
    assert sorted(found) == ["/scratch", "/vol"]
    assert skiff.run("diff", "one").stdout.splitlines() == ["A /scratch", "A /vol"]


def test_attributes(skiff, probe):
    """Capabilities and other attributes, owners, setuid, times, devices, all survive."""
    skiff.run("run", "--name", "one", "--cap-add", "ALL", "-v", f"{probe}:/probe:ro", "busybox",
              "sh", "-c", "echo x > /f; chown 65536:70000 /f; chmod 6755 /f; touch -d @7 /f; "
              "mknod /n b 7 9; mkfifo /p; echo y > /cap")
    skiff.run("commit", "one", "made:1")
    found = skiff.run("run", "--rm", "made:1", "stat", "-c", "%n %u:%g %a %Y %t:%T %F", "/f", "/n",
                      "/p").stdout
    assert "/f 65536:70000 6755 7 " in found
    assert ":9 block special file" in found and "fifo" in found


@pytest.mark.parametrize("args, message", [
    (["missing"], "No such container: missing"),
    (["one", "Bad:Name:x"], "invalid reference format"),
    (["--change", "RUN x", "one"], "RUN is not a valid change command"),
    (["--change", "ENV", "one"], "argument"),
])
def test_errors(skiff, args, message):
    skiff.run("create", "--name", "one", "busybox", "true")
    before = skiff.run("images", "-q").stdout
    assert message.lower() in skiff.fails("commit", *args, code=1).stderr.lower()
    assert skiff.run("images", "-q").stdout == before


def test_interrupted(skiff):
    """The container is not left paused, and nothing is left in the store."""
    skiff.start("--name", "one", command=("sh", "-c", "dd if=/dev/zero of=/big bs=1M count=300 "
                                          "2>/dev/null; echo ready; sleep 1000"))
    skiff.wait_for_output("one", "ready")
    process = skiff.popen("commit", "one", "made:1", stdin=subprocess.DEVNULL)
    process.send_signal(2)
    process.communicate(timeout=60)
    assert skiff.status("one") == "running"
