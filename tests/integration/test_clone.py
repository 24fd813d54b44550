# SPDX-License-Identifier: Apache-2.0
"""container clone: another container like one that is there."""

from helpers.features import has_controller, require

LIMIT = "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null"


def test_clone_is_as_the_original_was_made(skiff):
    skiff.run("create", "--name", "box", "-e", "A=1", "-w", "/tmp", "--label", "k=v", "--hostname", "h",
              "--cap-drop", "ALL", "--tmpfs", "/scratch", "-v", "named:/data", "busybox", "sh", "-c",
              "echo $A $PWD $(hostname); grep CapEff /proc/self/status; grep -c /scratch /proc/mounts")
    clone = skiff.run("container", "clone", "box").stdout.strip()
    ours, theirs = skiff.inspect("box"), skiff.inspect(clone)
    assert theirs["Name"] == "/box-clone" and theirs["Id"] == clone != ours["Id"]
    assert theirs["State"]["Status"] == "created"
    assert theirs["Config"] == ours["Config"]
    assert theirs["HostConfig"] == ours["HostConfig"]
    assert theirs["Image"] == ours["Image"]
    assert skiff.run("start", "-a", clone).stdout == skiff.run("start", "-a", "box").stdout
    assert skiff.run("logs", clone).stdout.startswith("1 /tmp h\n")


def test_names_of_clones(skiff):
    skiff.run("create", "--name", "box", "busybox")
    for expected in ("box-clone", "box-clone1", "box-clone2"):
        clone = skiff.run("container", "clone", "box").stdout.strip()
        assert skiff.inspect(clone)["Name"] == f"/{expected}"
    clone = skiff.run("container", "clone", "box-clone1").stdout.strip()
    assert skiff.inspect(clone)["Name"] == "/box-clone3"
    skiff.run("container", "clone", "box", "argument")
    skiff.run("container", "clone", "--name", "option", "box")
    assert {"argument", "option"} < set(skiff.run("ps", "-a", "--format", "{{.Names}}").stdout.splitlines())


def test_what_a_clone_refuses(skiff):
    skiff.run("create", "--name", "box", "busybox")
    for args, words in ((("nobody",), "No such container: nobody"),
                        (("box", "box"), "is already in use"),
                        (("box", "a b"), "Invalid container name"),
                        (("--name", "x", "box", "y"), "cannot set --name"),
                        (("--force", "box"), "cannot set --force without --destroy"),
                        (("--cpus", "9999", "box"), "CPUs")):
        assert words in skiff.fails("container", "clone", *args, code=1).stderr
    assert skiff.run("ps", "-a", "--format", "{{.Names}}").stdout.splitlines() == ["box"]


def test_clone_has_its_own_host_name_and_nothing_that_was_written(skiff):
    skiff.run("run", "--name", "box", "busybox", "sh", "-c", "hostname; ls /made 2>&1; touch /made")
    clone = skiff.run("container", "clone", "box").stdout.strip()
    lines = skiff.run("start", "-a", clone).stdout.splitlines()
    assert lines[0] == clone[:12] and "No such file" in lines[1]


def test_limits_of_a_clone(skiff):
    require(has_controller("pids"), "no pids controller")
    skiff.run("create", "--name", "box", "--pids-limit", "50", "busybox", "sh", "-c", LIMIT)
    skiff.run("container", "clone", "--pids-limit", "31", "box", "less")
    assert skiff.run("start", "-a", "less", check=False).stdout == "31\n"
    assert skiff.run("start", "-a", "box", check=False).stdout == "50\n"


def test_volumes_of_a_clone(skiff):
    skiff.run("run", "--name", "box", "-v", "/anonymous", "-v", "named:/named", "busybox",
              "touch", "/anonymous/file", "/named/file")
    skiff.run("container", "clone", "box", "copy")
    sources = {name: {mount["Destination"]: mount["Name"] for mount in skiff.inspect(name)["Mounts"]}
               for name in ("box", "copy")}
    assert sources["copy"]["/named"] == sources["box"]["/named"] == "named"
    assert sources["copy"]["/anonymous"] != sources["box"]["/anonymous"]
    skiff.run("rm", "-v", "copy")
    assert set(skiff.run("volume", "ls", "-q").stdout.splitlines()) == {"named", sources["box"]["/anonymous"]}


def test_clone_in_the_place_of_what_runs(skiff):
    container = skiff.start("--name", "box", "-v", "/data", command=("sh", "-c", "date +%N > /data/x; sleep 1000"))
    volume = skiff.inspect(container)["Mounts"][0]["Name"]
    refused = skiff.fails("container", "clone", "--destroy", "box", code=1)
    assert "container is running" in refused.stderr
    assert skiff.run("ps", "-a", "--format", "{{.Names}}").stdout.splitlines() == ["box"]
    clone = skiff.run("container", "clone", "--destroy", "--force", "--run", "box", "next").stdout.strip()
    assert skiff.run("ps", "-a", "--format", "{{.Names}} {{.State}}").stdout.splitlines() == ["next running"]
    assert skiff.inspect(clone)["Mounts"][0]["Name"] == volume
    assert skiff.run("volume", "ls", "-q").stdout.splitlines() == [volume]
    skiff.run("rm", "-f", "-v", clone)
    assert skiff.run("volume", "ls", "-q").stdout.splitlines() == []


def test_network_of_a_clone(networked):
    networked.run("network", "create", "--subnet", "10.8.0.0/24", "net")
    networked.run("create", "--name", "box", "--network", "net", "--ip", "10.8.0.9", "--network-alias", "other",
                  "busybox", "ip", "-4", "-o", "addr", "show", "eth0")
    networked.run("container", "clone", "box", "copy")
    assert "10.8.0.9/24" in networked.run("start", "-a", "box").stdout
    assert "10.8.0.2/24" in networked.run("start", "-a", "copy").stdout
    ends = [networked.inspect(name)["NetworkSettings"]["Networks"]["net"] for name in ("box", "copy")]
    assert ends[0]["Aliases"] == ends[1]["Aliases"] and "other" in ends[0]["Aliases"]
    networked.run("rm", "box", "copy")
    networked.run("network", "rm", "net")


def test_secrets_of_a_clone(skiff):
    skiff.run("secret", "create", "word", input="hush")
    skiff.run("create", "--name", "box", "--secret", "word", "busybox", "cat", "/run/secrets/word")
    skiff.run("container", "clone", "box")
    assert skiff.run("start", "-a", "box-clone").stdout == "hush"
