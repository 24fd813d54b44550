# SPDX-License-Identifier: Apache-2.0
"""events: what is said about containers and images, history, following, filters and formats."""

import json
import re
import select
import subprocess
import time

import pytest

from helpers.waiting import wait_until


def history(skiff, *args):
    """Past events as objects."""
    out = skiff.run("events", "--since", "1h", "--until", "0s", "--format", "json", *args).stdout
    return [json.loads(line) for line in out.splitlines()]


def actions(skiff, *args):
    return [event["Action"] for event in history(skiff, *args)]


@pytest.mark.core
def test_the_life_of_a_container(skiff):
    result = skiff.run("run", "--rm", "--name", "web", "-l", "app=x", "busybox", "sh", "-c", "exit 3",
                       check=False)
    assert result.code == 3
    events = history(skiff, "--filter", "type=container", "--filter", "container=web")
    assert [event["Action"] for event in events] == ["create", "attach", "start", "die", "destroy"]
    for event in events:
        assert event["status"] == event["Action"] and event["from"] == "busybox"
        assert event["id"] == event["Actor"]["ID"] and event["scope"] == "local"
        attributes = event["Actor"]["Attributes"]
        assert (attributes["image"], attributes["name"], attributes["app"]) == ("busybox", "web", "x")
        assert event["time"] == event["timeNano"] // 10**9
    assert events[3]["Actor"]["Attributes"]["exitCode"] == "3"
    assert list(events[0]) == ["status", "id", "from", "Type", "Action", "Actor", "scope", "time",
                               "timeNano"]


def test_what_is_done_to_a_container(skiff):
    skiff.start("--name", "web")
    skiff.run("exec", "web", "sh", "-c", "true")
    skiff.run("pause", "web")
    skiff.run("unpause", "web")
    skiff.run("kill", "-s", "WINCH", "web")
    skiff.run("top", "web")
    skiff.run("rename", "web", "new")
    skiff.run("stop", "-t", "0", "new")
    skiff.run("rm", "new")
    found = actions(skiff, "--filter", "type=container")
    assert [each for each in found if each not in ("create", "start")] == [
        "exec_create: sh -c true", "exec_start: sh -c true", "exec_die", "pause", "unpause", "kill",
        "top", "rename", "kill", "kill", "die", "stop", "destroy"]
    kills = history(skiff, "--filter", "event=kill")
    assert [each["Actor"]["Attributes"]["signal"] for each in kills] == ["28", "15", "9"]
    (died,) = history(skiff, "--filter", "event=die")
    assert died["Actor"]["Attributes"]["name"] == "new"
    (renamed,) = history(skiff, "--filter", "event=rename")
    assert renamed["Actor"]["Attributes"]["oldName"] == "/web"


def test_images(skiff):
    skiff.run("tag", "busybox", "other:1")
    skiff.run("rmi", "other:1")
    ident = skiff.run("images", "-q", "--no-trunc", "busybox").stdout.strip()
    skiff.run("rmi", "busybox")
    events = history(skiff, "--filter", "type=image")
    assert [each["Action"] for each in events][-4:] == ["tag", "untag", "untag", "delete"]
    assert {each["Actor"]["ID"] for each in events} == {ident}
    assert events[-4]["Actor"]["Attributes"] == {"name": "other:1"}
    assert "from" not in events[-1] and events[-1]["status"] == "delete"


def test_filters(skiff):
    skiff.run("create", "--name", "one", "-l", "app=x", "busybox")
    skiff.run("create", "--name", "two", "busybox")
    skiff.run("rm", "one", "two")

    def named(*filters):
        args = [part for text in filters for part in ("-f", text)]
        return [(each["Action"], each["Actor"]["Attributes"].get("name"))
                for each in history(skiff, *args) if each["Type"] == "container"]
    assert named("container=one") == [("create", "one"), ("destroy", "one")]
    # They are removed side by side.
    assert sorted(named("event=destroy")) == [("destroy", "one"), ("destroy", "two")]
    assert named("event=create", "event=destroy", "container=two") == [
        ("create", "two"), ("destroy", "two")]
    assert named("label=app") == named("label=app=x") == named("container=one")
    assert named("image=busybox", "event=create") == [("create", "one"), ("create", "two")]
    assert named("image=none") == named("volume=x") == named("type=network") == []
    assert "skiff: invalid filter 'color'\n" == skiff.fails("events", "-f", "color=red").stderr
    skiff.fails("events", "-f", "color", code=125)


def test_texts_and_templates(skiff):
    ident = skiff.run("create", "--name", "web", "busybox").stdout.strip()
    past = ["events", "--since", "1h", "--until", "0s", "-f", "event=create"]
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{9}}(Z|[+-]\d\d:\d\d) container create "
                        rf"{ident} \(image=busybox, name=web\)\n", skiff.run(*past).stdout)
    template = "{{.Type}} {{.Action}} {{.Actor.ID}} {{.Actor.Attributes.name}} {{.From}} {{.Status}}"
    assert skiff.run(*past, "--format", template).stdout == (
        f"container create {ident} web busybox create\n")
    result = skiff.fails("events", "--format", "{{", code=64)
    assert result.stderr == "skiff: template parsing error: template: :1: unclosed action\n"
    skiff.fails("events", "--since", "yesterday", code=1)


def test_following(skiff):
    """What happens while somebody listens arrives at once, and only that."""
    skiff.run("create", "--name", "before", "busybox")
    listener = skiff.popen("events", "--filter", "event=create", "--format",
                           "{{.Actor.Attributes.name}}", stdout=subprocess.PIPE, text=True)
    try:
        for number in range(3):
            # It may not listen yet when the first is made.
            wait_until(lambda: listener_hears(skiff, listener, f"c{number}"), 30)
    finally:
        listener.terminate()
        listener.wait()


def listener_hears(skiff, listener, name):
    skiff.run("create", "--name", name, "busybox", check=False)
    ready, _, _ = select.select([listener.stdout], [], [], 1)
    if not ready:
        skiff.run("rm", name)
        return False
    assert listener.stdout.readline() == f"{name}\n"
    return True


def test_until_in_the_future_ends(skiff):
    until = time.time() + 0.5
    assert skiff.run("events", "--until", str(until), timeout=60).stdout == ""
    assert time.time() >= until
    out = skiff.run("events", "--since", "1h", "--until", "2000-01-01T00:00:00Z").stdout
    assert out == ""
