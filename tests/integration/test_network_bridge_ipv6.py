# SPDX-License-Identifier: Apache-2.0
"""IPv6 on the predefined bridge, when the configuration asks for it."""

import pytest

from helpers.world import CLIENT6, HOST6


def configure(networked, *lines):
    text = "\n".join(["network = bridge", *lines, ""])
    (networked.skiff.directory / "skiff.conf").write_text(text)


def address6(networked, container):
    return networked.address(container, "bridge", "GlobalIPv6Address")


def ping(networked, container, address):
    networked.run("exec", container, "ping", "-6", "-c", "1", "-W", "5", address)


@pytest.mark.core
def test_a_subnet_of_ones_own(networked, world):
    configure(networked, "bridge_subnet6 = fd77:1::/64")
    networked.serve("-p", "8080:80", name="web")
    networked.idle(name="other")
    assert address6(networked, "web") == "fd77:1::2"
    ping(networked, "other", "fd77:1::2")
    assert world.ask(world.client, "tcp", HOST6, 8080) == CLIENT6, "published, with the true source"
    assert networked.ask("other", "tcp", CLIENT6, 80) is None, "nobody listens there"
    ping(networked, "other", CLIENT6)
    networked.remove_all()
    networked.assert_nothing_left()


def test_a_subnet_that_is_chosen(networked):
    configure(networked, "bridge_ipv6 = true")
    networked.idle(name="one")
    first = address6(networked, "one")
    assert first.startswith("fd") and first.endswith("::2")
    networked.run("restart", "-t", "0", "one")
    assert address6(networked, "one") == first


def test_asked_for_while_the_bridge_is_there(networked):
    networked.idle(name="old")
    assert address6(networked, "old") == ""
    configure(networked, "bridge_subnet6 = fd77:1::/64")
    networked.idle(name="new")
    assert address6(networked, "new") == "fd77:1::2"
    ping(networked, "new", "fd77:1::1")
    assert address6(networked, "old") == ""
    configure(networked, "bridge_subnet6 = fd77:2::/64")
    networked.run("restart", "-t", "0", "new")
    assert address6(networked, "new") == "fd77:2::2"
    ping(networked, "new", "fd77:2::1")


def test_and_no_longer(networked):
    configure(networked, "bridge_ipv6 = true")
    networked.idle(name="one")
    first = address6(networked, "one")
    configure(networked)
    networked.run("restart", "-t", "0", "one")
    assert address6(networked, "one") == ""
    assert "inet6" not in networked.run("exec", "one", "ip", "addr", "show", "eth0").stdout
    configure(networked, "bridge_ipv6 = true")
    networked.run("restart", "-t", "0", "one")
    assert address6(networked, "one") == first


def test_a_subnet_that_another_network_has(networked):
    networked.run("network", "create", "--ipv6", "--subnet", "fd77:1::/64", "net")
    configure(networked, "bridge_subnet6 = fd77:1::/48")
    failed = networked.fails("run", "--rm", "busybox", "true", code=125)
    assert "Pool overlaps" in failed.stderr
    networked.run("network", "rm", "net")
    networked.run("run", "--rm", "busybox", "true")
