# SPDX-License-Identifier: Apache-2.0
"""Whom a server in a container sees: {tcp, udp} x {v4, v6} x {outside, host, same, other network}."""

import pytest

from helpers.effort import effort
from helpers.world import CLIENT4, CLIENT6, HOST4, HOST6

GATEWAY = {4: "10.61.0.1", 6: "fd61::1"}
OTHER_GATEWAY = {4: "10.62.0.1", 6: "fd62::1"}
HOST = {4: HOST4, 6: HOST6}
CLIENT = {4: CLIENT4, 6: CLIENT6}
KEY = {4: "IPAddress", 6: "GlobalIPv6Address"}
MANY = effort(40, 1000)


@pytest.fixture
def two_networks(networked):
    for name, number in (("here", 61), ("there", 62)):
        networked.run("network", "create", "--subnet", f"10.{number}.0.0/16", "--ipv6", "--subnet",
                      f"fd{number}::/64", name)
    networked.serve("--network", "here", "-p", "8080:80", "-p", "8080:80/udp", name="web")
    networked.idle("--network", "here", name="same")
    networked.idle("--network", "there", name="other")
    return networked


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_the_source_that_the_server_sees(two_networks, world, protocol, family):
    net, host = two_networks, HOST[family]
    web, same = (net.address(name, key=KEY[family]) for name in ("web", "same"))
    other = net.address("other", key=KEY[family])
    # Through a port of the host.
    assert world.ask(world.client, protocol, host, 8080) == CLIENT[family], "outside: its own"
    assert world.ask(world.host, protocol, host, 8080) == host, "the host: the address it asked"
    assert net.ask("same", protocol, host, 8080) == GATEWAY[family], "the answer must come back"
    assert net.ask("web", protocol, host, 8080) == GATEWAY[family], "hairpin"
    assert net.ask("other", protocol, host, 8080) == other, "another network: its own"
    # Directly.
    assert world.ask(world.host, protocol, web, 80) == GATEWAY[family]
    assert net.ask("same", protocol, web, 80) == same
    assert net.ask("other", protocol, web, 80) is None, "networks are apart"
    assert world.ask(world.client, protocol, web, 80) is None


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_localhost_is_seen_as_the_bridge(two_networks, world, protocol):
    assert world.ask(world.host, protocol, "127.0.0.1", 8080) == GATEWAY[4]


@pytest.mark.parametrize("protocol, family", [("tcp", 6), ("udp", 4)])
def test_a_default_drop_host(two_networks, world, protocol, family):
    """Ours accepts, its own drops, and then it makes an exception for what was published."""
    web = two_networks.address("web", key=KEY[family])
    world.host.nft("table inet own { chain through { type filter hook forward priority 0; "
                   "policy drop; ct state established accept; }; }")
    assert world.ask(world.client, protocol, HOST[family], 8080) is None
    assert two_networks.ask("other", protocol, HOST[family], 8080) is None
    assert world.ask(world.host, protocol, HOST[family], 8080) == HOST[family]
    world.host.nft("add rule inet own through ct status dnat accept")
    assert world.ask(world.client, protocol, HOST[family], 8080) == CLIENT[family]
    assert world.ask(world.client, protocol, web, 80) is None


@pytest.mark.parametrize("mode", ["l2", "l3"])
def test_ipvlan_is_a_machine_of_its_own(networked, world, mode):
    """It has the parent's hardware address, and an address of its own."""
    tried = world.host.run("ip", "link", "add", "try0", "link", "up0", "type", "ipvlan",
                           check=False)
    if tried.returncode != 0:
        pytest.skip(f"this kernel makes no ipvlan: {tried.stderr.strip()}")
    world.host.ip("link", "del", "try0")
    networked.run("network", "create", "--driver", "ipvlan", "--subnet", "192.0.2.0/24",
                  "-o", "parent=up0", "-o", f"ipvlan_mode={mode}", "lan")
    networked.serve("--network", "lan", "--ip", "192.0.2.77", name="web")
    if mode == "l3":  # it answers no ARP: others need a route
        world.client.ip("route", "add", "192.0.2.77", "via", HOST4)
    for protocol in ("tcp", "udp"):
        assert world.ask(world.client, protocol, "192.0.2.77", 80) == CLIENT4
        assert world.ask(world.host, protocol, "192.0.2.77", 80) is None, "parents do not see them"


def test_many_on_one_bridge(networked, world):
    """All of them answer, each with an address of its own, and nothing is left of any."""
    networked.run("network", "create", "--subnet", "10.61.0.0/16", "here")
    starts = []
    for first in range(0, MANY, 8):
        starts = [networked.popen("run", "-d", "--name", f"c{i}", "--network", "here",
                                  "-p", f"{10000 + i}:80", "-v",
                                  f"{world.netprobe}:/netprobe:ro", "busybox", "/netprobe",
                                  "serve", "80") for i in range(first, min(first + 8, MANY))]
        for process in starts:
            _, errors = process.communicate(timeout=300)
            assert process.returncode == 0, errors
    addresses = {networked.address(f"c{i}") for i in range(0, MANY, effort(1, 10))}
    assert len(addresses) == len(range(0, MANY, effort(1, 10)))
    assert len(world.host.elements("ports4")) == MANY
    for i in range(0, MANY, effort(4, 50)):
        networked.wait_for_output(f"c{i}", "ready")
        assert world.ask(world.client, "tcp", HOST4, 10000 + i) == CLIENT4
    networked.run("rm", "-f", *(f"c{i}" for i in range(MANY)))
    networked.assert_nothing_left()
    assert networked.run("network", "inspect", "-f", "{{len .Containers}}", "here").stdout == "0\n"
    assert networked.run("ps", "-aq").stdout == ""
