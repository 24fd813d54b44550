# SPDX-License-Identifier: Apache-2.0
"""`system doctor`: what it says of published ports is what a client finds, and it changes nothing."""

import json

import pytest

from helpers.world import CLIENT4, CLIENT6, HOST4, HOST6


def examine(skiff, code=0):
    done = skiff.run("system", "doctor", "--format", "json", check=False)
    assert done.code == code, done
    return [json.loads(line) for line in done.stdout.splitlines()]


def ports(findings):
    """(container, address, port, target): reach"""
    return {(one["Container"], one["Address"], one["Port"], one["Target"]): one["Reach"]
            for one in findings if one["Area"] == "ports" and one["Port"]}


def of(findings, area, check):
    return [one for one in findings if one["Area"] == area and one["Check"] == check]


def with_status(findings, status):
    return [(one["Area"], one["Check"], one["Detail"]) for one in findings
            if one["Status"] == status]


@pytest.mark.core
def test_a_host_on_which_nothing_runs(networked, world):
    before = world.host.ruleset()
    findings = examine(networked)
    assert {one["Area"] for one in findings} == {"kernel", "cgroups", "store", "firewall", "ports"}
    assert with_status(findings, "broken") == []
    assert of(findings, "firewall", "inet skiff")[0]["Status"] == "ok"
    assert of(findings, "ports", "containers")[0]["Detail"] == "nothing can be reached from outside"
    assert world.host.ruleset() == before, "looking makes no table"
    table = networked.run("system", "doctor").stdout.splitlines()
    assert table[0].split() == ["AREA", "CHECK", "STATUS", "DETAIL"]
    assert len(table) == len(findings) + 1
    lines = networked.run("system", "doctor", "--format", "{{.Area}}/{{.Status}}").stdout
    assert "kernel/ok\n" in lines


def test_what_it_says_of_ports_is_what_a_client_finds(networked, world):
    networked.run("network", "create", "--ipv6", "--subnet", "fd77::/64", "six")
    networked.serve("-p", "8080:80", "-p", "127.0.0.1:8081:80", "-p", f"{HOST4}:8082:80/udp",
                    "-p", "9000-9009:9000-9009", name="web")
    networked.serve("--network", "six", "-p", "8090:80", name="dual")
    findings = examine(networked)
    assert with_status(findings, "broken") == []
    assert ports(findings) == {
        ("web", "0.0.0.0", "8080", "80/tcp"): "outside",
        ("web", "127.0.0.1", "8081", "80/tcp"): "host",
        ("web", HOST4, "8082", "80/udp"): "outside",
        ("web", "0.0.0.0", "9000-9009", "9000-9009/tcp"): "outside",
        ("dual", "0.0.0.0", "8090", "80/tcp"): "outside",
        ("dual", "::", "8090", "80/tcp"): "outside"}
    assert world.ask(world.client, "tcp", HOST4, 8080) == CLIENT4
    assert world.ask(world.client, "tcp", HOST4, 8081) is None
    assert world.ask(world.host, "tcp", "127.0.0.1", 8081)
    assert world.ask(world.client, "udp", HOST4, 8082) == CLIENT4
    assert world.ask(world.client, "tcp", HOST6, 8090) == CLIENT6
    networked.run("stop", "-t", "0", "dual")
    assert {key[0] for key in ports(examine(networked))} == {"web"}


@pytest.mark.parametrize("family", ["inet", "ip"])
def test_a_host_that_drops_what_is_forwarded(networked, world, family):
    """Its own rules decide; the doctor names the chain, and the client agrees."""
    networked.serve("-p", "8080:80", name="web")
    world.host.nft(f"table {family} own {{ chain onward {{ type filter hook forward priority 0; "
                   "policy drop; }; }")
    findings = examine(networked)
    assert ports(findings) == {("web", "0.0.0.0", "8080", "80/tcp"): "host"}
    assert of(findings, "firewall", f"{family} own onward")[0]["Status"] == "warning"
    assert f"{family} own onward drops it" in of(findings, "ports", "0.0.0.0:8080")[0]["Detail"]
    assert of(findings, "firewall", "other tables")[0]["Detail"] == f"{family} own"
    assert world.ask(world.client, "tcp", HOST4, 8080) is None
    assert world.ask(world.host, "tcp", "127.0.0.1", 8080), "this host may"

    world.host.nft(f"add rule {family} own onward ct status dnat accept\n"
                   f"add rule {family} own onward ct state established accept")
    findings = examine(networked)
    assert ports(findings) == {("web", "0.0.0.0", "8080", "80/tcp"): "unsure"}
    assert of(findings, "firewall", f"{family} own onward")[0]["Status"] == "note"
    assert world.ask(world.client, "tcp", HOST4, 8080) == CLIENT4


@pytest.mark.parametrize("chain, rule, reach", [
    ("type filter hook forward priority 0; policy accept;", "counter accept", "outside"),
    ("type filter hook forward priority 0; policy accept;", "reject", "unsure"),
    ("type filter hook forward priority 0; policy accept;", "jump other", "unsure"),
    ("type filter hook forward priority 0; policy accept;",
     "tcp dport vmap { 22 : drop }", "unsure"),
    ("type filter hook prerouting priority -300; policy accept;", "tcp dport 8080 drop", "unsure"),
    ("type filter hook input priority 0; policy drop;", "iifname lo accept", "outside"),
])
def test_rules_of_others_on_the_way_and_elsewhere(networked, world, chain, rule, reach):
    networked.serve("-p", "8080:80", name="web")
    world.host.nft(f"table inet own {{ chain other {{ }}; chain one {{ {chain} {rule}; }}; }}")
    assert ports(examine(networked)) == {("web", "0.0.0.0", "8080", "80/tcp"): reach}


def test_other_families_do_not_concern_ipv4(networked, world):
    networked.serve("-p", "8080:80", name="web")
    for family in ("ip6", "bridge"):
        world.host.nft(f"table {family} own {{ chain onward {{ type filter hook forward priority 0; "
                       "policy drop; }; }")
    assert ports(examine(networked)) == {("web", "0.0.0.0", "8080", "80/tcp"): "outside"}


def test_rules_that_are_gone_are_broken_until_reload(networked, world):
    networked.serve("-p", "8080:80", "-p", "9000-9001:9000-9001", "-p", "7000-7001:80-81",
                    name="web")
    for damage, said in (
            ("delete element inet skiff ports4 { tcp . 8080 }", "0.0.0.0:8080"),
            ("flush map inet skiff port_ranges4", "0.0.0.0:9000-9001"),
            ("delete element inet skiff ports4 { tcp . 7001 }", "0.0.0.0:7000-7001"),
            ("flush set inet skiff bridges", "skiff0")):
        world.host.nft(damage)
        broken = with_status(examine(networked, code=1), "broken")
        assert [check for _, check, _ in broken] == [said]
        assert "network reload" in broken[0][2]
        networked.run("network", "reload")
        assert with_status(examine(networked), "broken") == []


def test_a_chain_without_its_rules(networked, world):
    networked.serve("-p", "8080:80", name="web")
    world.host.nft("flush chain inet skiff forward")
    broken = with_status(examine(networked, code=1), "broken")
    assert [one[:2] for one in broken] == [("firewall", "inet skiff")]
    assert "the chain forward has 0 rules instead of 6; " in broken[0][2]
    world.host.nft("delete table inet skiff")
    networked.run("network", "reload")
    assert with_status(examine(networked), "broken") == []
    assert world.ask(world.client, "tcp", HOST4, 8080) == CLIENT4


def test_a_host_that_stopped_forwarding(networked, world):
    networked.serve("-p", "8080:80", name="web")
    world.host.sysctl("net/ipv4/ip_forward", 0)
    findings = examine(networked, code=1)
    assert ("firewall", "forwarding") in [one[:2] for one in with_status(findings, "broken")]
    assert ports(findings) == {("web", "0.0.0.0", "8080", "80/tcp"): "host"}
    assert world.ask(world.client, "tcp", HOST4, 8080) is None
    world.host.sysctl("net/ipv4/ip_forward", 1)


def test_ways_in_that_are_no_ports(networked, world):
    networked.run("network", "create", "--driver", "macvlan", "--subnet", "192.0.2.0/24",
                  "-o", "parent=up0", "lan")
    networked.run("network", "create", "--internal", "inner")
    networked.idle("--network", "lan", "--ip", "192.0.2.77", name="neighbour")
    networked.idle("--network", "host", name="guest")
    networked.serve("--network", "inner", "-p", "8080:80", name="hidden")
    findings = examine(networked)
    open_ways = {one["Container"]: one["Detail"] for one in findings
                 if one["Area"] == "ports" and not one["Port"]}
    assert "network of up0 (macvlan)" in open_ways.pop("neighbour")
    assert "shares this host's network" in open_ways.pop("guest")
    assert not open_ways
    assert world.ask(world.client, "tcp", HOST4, 8080) is None
    assert ports(findings) == {}, "an internal network publishes nothing"


def test_a_store_with_a_hole(skiff):
    container = skiff.run("create", "busybox", "true").stdout.strip()
    directory = skiff.root / "containers" / container
    moved = skiff.directory / "moved"
    directory.rename(moved)
    broken = with_status(examine(skiff, code=1), "broken")
    assert len(broken) == 1 and container in broken[0][2] and broken[0][0] == "store"
    moved.rename(directory)
    assert with_status(examine(skiff), "broken") == []


def test_a_format_that_is_none(skiff):
    assert "template parsing error" in skiff.fails("system", "doctor", "--format",
                                                   "{{.Nonsense").stderr
