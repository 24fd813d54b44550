# SPDX-License-Identifier: Apache-2.0
"""What `events` says of volumes, copies, commits, imports and prunes, with docker's attributes."""

import json


def history(skiff, *args):
    out = skiff.run("events", "--since", "1h", "--until", "0s", "--format", "json", *args).stdout
    return [json.loads(line) for line in out.splitlines()]


def volume_events(skiff):
    return [(each["Action"], each["Actor"]["ID"], each["Actor"]["Attributes"])
            for each in history(skiff, "--filter", "type=volume")]


def test_the_life_of_a_volume(skiff):
    skiff.run("volume", "create", "data")
    skiff.run("volume", "create", "data")
    container = skiff.run("create", "-v", "data:/data:ro", "busybox", "true").stdout.strip()
    skiff.run("start", "-a", container)
    skiff.run("rm", container)
    skiff.run("volume", "rm", "data")
    assert volume_events(skiff) == [
        ("create", "data", {"driver": "local"}),
        ("mount", "data", {"driver": "local", "container": container, "destination": "/data",
                           "read/write": "false", "propagation": ""}),
        ("unmount", "data", {"driver": "local", "container": container}),
        ("destroy", "data", {"driver": "local"}),
    ]
    order = [(each["Type"], each["Action"]) for each in history(skiff)]
    assert order.index(("volume", "mount")) < order.index(("container", "start"))
    assert order.index(("container", "die")) < order.index(("volume", "unmount"))


def test_anonymous_volume(skiff):
    skiff.run("run", "--rm", "-v", "/data", "busybox", "true")
    assert [each[0] for each in volume_events(skiff)] == ["create", "mount", "unmount", "destroy"]


def test_prunes(skiff):
    skiff.run("volume", "create")
    skiff.run("create", "busybox", "true")
    skiff.run("volume", "prune", "-f")
    skiff.run("container", "prune", "-f")
    skiff.run("image", "prune", "-f")
    pruned = [each for each in history(skiff) if each["Action"] == "prune"]
    assert [each["Type"] for each in pruned] == ["volume", "container", "image"]
    for each in pruned:
        assert each["Actor"]["ID"] == "" and int(each["Actor"]["Attributes"]["reclaimed"]) >= 0


def test_copy_commit_export_import(skiff):
    skiff.run("create", "--name", "one", "busybox", "true")
    skiff.run("cp", "one:/etc/passwd", skiff.directory / "passwd")
    skiff.run("cp", skiff.directory / "passwd", "one:/tmp/")
    image = skiff.run("commit", "-m", "why", "one", "made:1").stdout.strip()
    skiff.run("export", "-o", skiff.directory / "tree.tar", "one")
    skiff.run("import", skiff.directory / "tree.tar", "imported:1")
    events = history(skiff, "--filter", "type=container")
    assert [each["Action"] for each in events] == [
        "create", "archive-path", "extract-to-dir", "commit", "export"]
    commit = events[3]["Actor"]["Attributes"]
    assert (commit["comment"], commit["imageID"], commit["imageRef"]) == ("why", image, "made:1")
    images = [(each["Action"], each["Actor"]["Attributes"]["name"])
              for each in history(skiff, "--filter", "type=image")]
    assert ("tag", "made:1") in images and ("tag", "imported:1") in images
    assert [each[0] for each in images if each[0] not in ("load", "tag")] == ["create", "import"]
