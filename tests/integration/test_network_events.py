# SPDX-License-Identifier: Apache-2.0
"""What `events` says of networks, with docker's attributes."""

import json

import pytest

from helpers.waiting import wait_until


def history(skiff, *filters):
    args = [word for each in filters for word in ("--filter", each)]
    out = skiff.run("events", "--since", "1h", "--until", "0s", "--format", "json", *args).stdout
    return [json.loads(line) for line in out.splitlines()]


def network_events(skiff, *filters):
    return [(each["Action"], each["Actor"]["ID"], each["Actor"]["Attributes"])
            for each in history(skiff, "type=network", *filters)]


@pytest.fixture
def net(networked):
    networked.net_id = networked.run("network", "create", "net").stdout.strip()
    yield networked
    networked.remove_all()
    networked.run("network", "rm", "-f", "net")


@pytest.mark.core
def test_the_life_of_a_network(net):
    container = net.run("create", "--network", "net", "busybox", "true").stdout.strip()
    net.run("start", "-a", container)
    net.run("rm", container)
    net.run("network", "rm", "net")
    itself = {"name": "net", "type": "bridge"}
    its = {**itself, "container": container}
    assert network_events(net) == [
        ("create", net.net_id, itself), ("connect", net.net_id, its),
        ("disconnect", net.net_id, its), ("destroy", net.net_id, itself)]
    order = [(each["Type"], each["Action"]) for each in history(net)]
    assert order.index(("network", "connect")) < order.index(("container", "start"))
    assert order.index(("container", "die")) < order.index(("network", "disconnect"))


def test_connected_while_it_runs(net):
    container = net.full_id(net.idle())
    net.run("network", "connect", "net", container)
    net.run("network", "disconnect", "net", container)
    net.run("rm", "-f", container)
    events = [(action, attributes["name"], attributes.get("container"))
              for action, _, attributes in network_events(net)]
    assert events == [("create", "net", None), ("connect", "bridge", container),
                      ("connect", "net", container), ("disconnect", "net", container),
                      ("disconnect", "bridge", container)]


def test_one_that_is_stopped_is_connected_when_it_starts(net):
    container = net.run("create", "--network", "net", "busybox", "true").stdout.strip()
    net.run("network", "connect", "bridge", container)
    assert [each[0] for each in network_events(net)] == ["create"]
    net.run("network", "disconnect", "bridge", container)
    assert [each[0] for each in network_events(net)] == ["create", "disconnect"]
    net.run("start", "-a", container)
    wait_until(lambda: len(network_events(net)) == 4)
    assert [each[2]["name"] for each in network_events(net)] == ["net", "bridge", "net", "net"]


def test_filters(net):
    net.run("run", "--rm", "busybox", "true")
    for value in ("net", net.net_id, net.net_id[:12]):
        assert [each[0] for each in network_events(net, f"network={value}")] == ["create"]
    assert {each[2]["name"] for each in network_events(net, "network=bridge")} == {"bridge"}
    assert [each[0] for each in network_events(net, "event=disconnect")] == ["disconnect"]
    assert network_events(net, "network=other") == []


def test_a_start_that_fails_connects_nothing_for_good(net):
    net.fails("run", "--rm", "--network", "net", "busybox", "/no-such-program", code=127)
    actions = [each[0] for each in network_events(net)]
    assert actions.count("connect") == actions.count("disconnect")
