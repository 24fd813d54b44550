# SPDX-License-Identifier: Apache-2.0
"""`volume create inspect ls prune rm`, and what containers have to do with it."""

import json

import pytest


def names(skiff, *options):
    return skiff.run("volume", "ls", "-q", *options).stdout.split()


def test_create_use_remove(skiff):
    assert skiff.run("volume", "create", "data").stdout == "data\n"
    assert skiff.run("volume", "create", "data").stdout == "data\n"
    skiff.run("run", "--rm", "-v", "data:/data", "busybox", "sh", "-c", "echo kept > /data/file")
    assert skiff.run("run", "--rm", "-v", "data:/data", "busybox", "cat",
                     "/data/file").stdout == "kept\n"
    assert (skiff.root / "volumes/data/_data/file").read_text() == "kept\n"
    assert skiff.run("volume", "rm", "data").stdout == "data\n"
    assert names(skiff) == [] and not (skiff.root / "volumes/data").exists()


def test_without_a_name(skiff):
    name = skiff.run("volume", "create").stdout.strip()
    assert len(name) == 64 and names(skiff) == [name]
    skiff.run("volume", "prune", "-f")
    assert names(skiff) == []


def test_inspect(skiff):
    skiff.run("volume", "create", "--label", "a=b", "--label", "alone", "data")
    found = json.loads(skiff.run("volume", "inspect", "data").stdout)
    created = found[0].pop("CreatedAt")
    assert created.endswith("Z") and "." not in created
    assert found == [{
        "Driver": "local", "Labels": {"a": "b", "alone": ""},
        "Mountpoint": str(skiff.root / "volumes/data/_data"), "Name": "data", "Options": None,
        "Scope": "local"}]
    assert skiff.run("volume", "inspect", "-f", "{{.Name}} {{.Labels.a}}", "data").stdout == \
        "data b\n"
    failed = skiff.fails("volume", "inspect", "data", "missing", code=1)
    assert "no such volume" in failed.stderr and json.loads(failed.stdout)[0]["Name"] == "data"


def test_ls(skiff):
    skiff.run("volume", "create", "--label", "team=red", "second")
    skiff.run("volume", "create", "first")
    skiff.run("create", "--name", "one", "-v", "first:/data", "busybox", "true")
    lines = skiff.run("volume", "ls").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["DRIVER", "VOLUME", "NAME"], ["local", "first"], ["local", "second"]]
    assert names(skiff, "-f", "dangling=true") == ["second"]
    assert names(skiff, "-f", "dangling=false") == ["first"]
    assert names(skiff, "-f", "label=team") == ["second"]
    assert names(skiff, "-f", "label=team=blue") == []
    assert names(skiff, "-f", "name=sec") == ["second"]
    assert names(skiff, "-f", "driver=other") == []
    assert skiff.run("volume", "ls", "--format", '{{.Name}}:{{.Label "team"}}').stdout == \
        "first:\nsecond:red\n"
    assert "invalid filter" in skiff.fails("volume", "ls", "-f", "x=y", code=1).stderr


def test_in_use(skiff):
    """Also by a container that does not run."""
    container = skiff.run("create", "-v", "data:/data", "busybox", "true").stdout.strip()
    failed = skiff.fails("volume", "rm", "data", code=1)
    assert f"remove data: volume is in use - [{container}]" in failed.stderr
    assert "volume is in use" in skiff.fails("volume", "rm", "-f", "data", code=1).stderr
    skiff.run("rm", container)
    skiff.run("volume", "rm", "data")


def test_rm_of_what_is_not_there(skiff):
    assert "No such volume: data" in skiff.fails("volume", "rm", "data", code=1).stderr
    skiff.run("volume", "rm", "-f", "data")


def test_prune(skiff):
    """Anonymous ones; with --all the others; never one that a container refers to."""
    skiff.run("create", "--name", "one", "-v", "used:/used", "-v", "/anonymous", "busybox", "true")
    skiff.run("volume", "create", "named")
    skiff.run("volume", "create", "--label", "keep=1", "kept")
    anonymous = skiff.run("volume", "create").stdout.strip()
    done = skiff.run("volume", "prune", "-f").stdout
    assert anonymous in done and "Total reclaimed space:" in done
    assert {"named", "used", "kept"} < set(names(skiff)) and len(names(skiff)) == 4
    done = skiff.run("volume", "prune", "-f", "-a", "--filter", "label!=keep").stdout
    assert "named" in done and "kept" not in done
    assert {"used", "kept"} < set(names(skiff)) and len(names(skiff)) == 3


def test_prune_asks(skiff):
    skiff.run("volume", "create")
    done = skiff.run("volume", "prune", input="n\n").stdout
    assert "WARNING! This will remove anonymous local volumes" in done
    assert len(names(skiff)) == 1


def test_anonymous_ones_go_with_their_container(skiff):
    skiff.run("run", "--rm", "-v", "/data", "busybox", "true")
    skiff.run("create", "--name", "one", "-v", "/data", "-v", "named:/named", "busybox", "true")
    assert len(names(skiff)) == 2
    skiff.run("rm", "-v", "one")
    assert names(skiff) == ["named"]


@pytest.mark.parametrize("args, message", [
    (["create", "a/b"], "only [a-zA-Z0-9]"),
    (["create", "x"], "is not valid"),
    (["create", "--driver", "nfs", "data"], "there is no volume driver 'nfs'"),
    (["create", "--name", "one", "two"], "conflicting options"),
    (["create", "-o", "size=10m", "data"], "quota size requested but no quota support"),
    (["create", "-o", "size=much", "data"], "invalid size: 'much'"),
    (["create", "-o", "colour=red", "data"], 'create data: invalid option: "colour"'),
    (["create", "-o", "type=tmpfs", "data"], 'missing required option: "device"'),
    (["create", "-o", "device=/x", "data"], 'missing required option: "type"'),
    (["create", "-o", "type=none", "-o", "device=x", "-o", "o=bind", "data"], "absolute path"),
    (["update", "data"], "no such volume"),
])
def test_errors(skiff, args, message):
    assert message in skiff.fails("volume", *args).stderr
    assert names(skiff) == []


def test_update(skiff):
    """Of cluster volumes only, as docker says outside of a swarm."""
    skiff.run("volume", "create", "data")
    assert "volume update only valid for cluster volumes" in skiff.fails(
        "volume", "update", "data", code=1).stderr


def test_system_prune(skiff):
    """With --volumes anonymous ones go, those of containers that go with them too; named ones stay."""
    skiff.run("create", "-v", "/data", "-v", "named:/named", "busybox", "true")
    skiff.run("system", "prune", "-f")
    assert len(names(skiff)) == 2
    assert "anonymous volumes not used" in skiff.run("system", "prune", "--volumes", input="n\n").stdout
    done = skiff.run("system", "prune", "--volumes", "-f").stdout
    assert "Deleted Volumes:" in done and names(skiff) == ["named"]
    failed = skiff.fails("system", "prune", "--volumes", "--filter", "until=1h", "-f")
    assert 'the "until" filter is not supported with "--volumes"' in failed.stderr
