# SPDX-License-Identifier: Apache-2.0
"""network create, ls, inspect, connect, disconnect, rm, prune, reload; isolation between networks."""

import json

import pytest

from helpers.waiting import wait_until
from helpers.world import CLIENT4, CLIENT6, HOST4, HOST6


def inspect(networked, name):
    return json.loads(networked.run("network", "inspect", name).stdout)[0]


@pytest.mark.core
def test_create_ls_inspect_rm(networked, world):
    network = networked.run("network", "create", "--subnet", "10.8.0.0/24", "--gateway", "10.8.0.254",
                            "--ip-range", "10.8.0.128/25", "--aux-address", "me=10.8.0.128",
                            "--label", "a=b", "-o", "com.docker.network.driver.mtu=1400",
                            "net").stdout.strip()
    assert len(network) == 64
    names = networked.run("network", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}}").stdout
    assert names == "bridge bridge local\nhost host local\nnet bridge local\nnone null local\n"
    assert networked.run("network", "ls", "-q", "--filter", "label=a=b").stdout == network[:12] + "\n"
    facts = inspect(networked, network[:10])
    assert facts["Id"] == network and facts["Name"] == "net" and facts["Labels"] == {"a": "b"}
    assert facts["IPAM"]["Config"] == [{"Subnet": "10.8.0.0/24", "IPRange": "10.8.0.128/25",
                                        "Gateway": "10.8.0.254",
                                        "AuxiliaryAddresses": {"me": "10.8.0.128"}}]
    networked.idle("--network", "net", name="box")
    assert networked.address("box") == "10.8.0.129"
    assert "mtu 1400" in networked.run("exec", "box", "ip", "link", "show", "eth0").stdout
    assert inspect(networked, "net")["Containers"][networked.full_id("box")]["Name"] == "box"
    refused = networked.fails("network", "rm", "net", code=1)
    assert 'has active endpoints (name:"box"' in refused.stderr
    networked.run("rm", "-f", "box")
    link = f"sk-{network[:12]}"
    assert link in world.host.links()
    networked.run("network", "rm", "net")
    assert link not in world.host.links()
    for name in ("bridges", "loops", "nat4", "locals4"):
        assert not world.host.elements(name), name
    assert "network net not found" in networked.fails("network", "rm", "net", code=1).stderr
    assert "pre-defined" in networked.fails("network", "rm", "bridge", code=1).stderr


@pytest.mark.parametrize("options, message", [
    (["--subnet", "10.8.0.0/33", "n"], "invalid CIDR address: 10.8.0.0/33"),
    (["--subnet", "10.8.0.0/24", "--gateway", "10.9.0.1", "n"], "no matching subnet for gateway"),
    (["--subnet", "10.8.0.0/24", "--ip-range", "10.0.0.0/8", "n"], "no matching subnet for range"),
    (["-o", "nonsense=1", "n"], "is not supported"),
    (["-d", "overlay", "n"], "could not find plugin overlay"),
    (["-d", "macvlan", "n"], "-o parent=LINK"),
    (["-d", "host", "n"], "only one instance"),
    (["bridge"], "predefined bridge network"),
    (["a/b"], "invalid network name"),
])
def test_what_cannot_be_created(networked, options, message):
    assert message in networked.fails("network", "create", *options, code=1).stderr
    assert networked.run("network", "ls", "-q", "--filter", "type=custom").stdout == ""


def test_overlaps_and_taken_names_are_refused(networked, world):
    networked.run("network", "create", "--subnet", "10.8.0.0/16", "net")
    refused = networked.fails("network", "create", "--subnet", "10.8.3.0/24", "other", code=1)
    assert "Pool overlaps with other one" in refused.stderr and "net" in refused.stderr
    assert "network with name net already exists" in networked.fails(
        "network", "create", "net", code=1).stderr
    world.host.ip("route", "add", "172.17.0.0/16", "via", CLIENT4)
    networked.run("network", "create", "free")
    assert inspect(networked, "free")["IPAM"]["Config"][0]["Subnet"] == "172.18.0.0/16", (
        "what the host has a route to is not chosen")
    networked.run("network", "prune", "-f")
    assert networked.run("network", "ls", "-q", "--filter", "type=custom").stdout == ""


def test_static_addresses_and_an_exhausted_pool(networked):
    networked.run("network", "create", "--subnet", "10.8.0.0/29", "net")
    networked.idle("--network", "net", "--ip", "10.8.0.5", "--mac-address", "02:11:22:33:44:55",
                   name="fixed")
    endpoint = networked.inspect("fixed")["NetworkSettings"]["Networks"]["net"]
    assert endpoint["IPAddress"] == "10.8.0.5" and endpoint["MacAddress"] == "02:11:22:33:44:55"
    assert "02:11:22:33:44:55" in networked.run("exec", "fixed", "ip", "link").stdout
    assert "Address already in use" in networked.fails(
        "create", "--network", "name=net,ip=10.8.0.5", "busybox", code=1).stderr
    assert "no configured subnet contains" in networked.fails(
        "create", "--network", "net", "--ip", "10.7.0.5", "busybox", code=1).stderr
    assert "user specified IP address is supported on user defined networks only" in (
        networked.fails("create", "--ip", "172.17.0.9", "busybox", code=1).stderr)
    for _ in range(4):
        networked.run("create", "--network", "net", "busybox")
    refused = networked.fails("create", "--network", "net", "busybox", code=1)
    assert "has no free IPv4 address left" in refused.stderr
    networked.remove_all()
    networked.run("network", "rm", "net")


def test_two_that_allocate_at_once_never_get_the_same(networked):
    clients = [networked.popen("create", "--network", "bridge", "busybox") for _ in range(12)]
    for client in clients:
        client.communicate()
        assert client.returncode == 0
    import sqlite3
    with sqlite3.connect(networked.skiff.root / "skiff.db") as db:
        offsets = [row[0] for row in db.execute("SELECT offset4 FROM endpoint")]
    assert sorted(offsets) == list(range(2, 14))


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_ipv6_like_ipv4(networked, world, protocol):
    networked.run("network", "create", "--ipv6", "--subnet", "10.8.0.0/24", "--subnet", "fd08::/64",
                  "net")
    web = networked.serve("--network", "net", "-p", f"8080:80/{protocol}", name="web")
    assert world.ask(world.client, protocol, HOST6, 8080) == CLIENT6, "from another machine"
    assert world.ask(world.client, protocol, HOST4, 8080) == CLIENT4
    assert world.ask(world.host, protocol, HOST6, 8080) == HOST6, "from the host"
    other = networked.idle("--network", "net", name="other")
    assert networked.ask(other, protocol, "fd08::2", 80) == "fd08::3", "directly"
    assert networked.ask(other, protocol, HOST6, 8080) == "fd08::1", "through the host"
    assert networked.ask(web, protocol, HOST6, 8080) == "fd08::1", "itself through the host"
    world.client.start(world.netprobe, "serve", "7")
    assert networked.ask(other, protocol, CLIENT6, 7) == HOST6, "the way out"
    assert "[::]:8080" in networked.run("port", "web").stdout
    world.client.ip("route", "add", "fd08::/64", "via", HOST6)
    assert world.ask(world.client, "tcp", "fd08::2", 80) is None, "only what is published"
    assert world.host.sysctl(f"net/ipv6/conf/sk-{inspect(networked, 'net')['Id'][:12]}/accept_ra") == "0"
    assert networked.run("exec", "web", "cat", "/proc/sys/net/ipv6/conf/eth0/accept_ra").stdout == "0\n"
    networked.remove_all()
    networked.run("network", "rm", "net")


def test_networks_are_isolated(networked, world):
    """From inside, with real packets; by the host's address only what is published, from its true
    source."""
    for number in (1, 2):
        networked.run("network", "create", "--subnet", f"10.{number}.0.0/24", f"net{number}")
    web = networked.serve("--network", "net1", "-p", "8080:80", ports=(80, 81), name="web")
    box = networked.idle("--network", "net2", name="box")
    for protocol in ("tcp", "udp"):
        assert networked.ask(box, protocol, networked.address(web), 80) is None
    assert networked.ask(box, "tcp", HOST4, 8080) == networked.address(box)
    networked.run("network", "connect", "net1", "box")
    assert networked.ask(box, "tcp", networked.address(web), 80) == "10.1.0.3"
    networked.run("network", "disconnect", "net1", "box")
    assert networked.ask(box, "tcp", networked.address(web), 80) is None
    assert networked.run("exec", "box", "ls", "/sys/class/net").stdout == "eth0\nlo\n"
    networked.remove_all()
    networked.run("network", "prune", "-f")


def test_internal_networks_have_no_way_out(networked, world):
    networked.run("network", "create", "--internal", "--subnet", "10.8.0.0/24", "net")
    web = networked.serve("--network", "net", "-p", "8080:80", name="web")
    box = networked.idle("--network", "net", name="box")
    assert networked.ask(box, "tcp", networked.address(web), 80), "inside they see each other"
    assert networked.run("exec", box, "ip", "route").stdout.count("default") == 0
    networked.run("exec", "--privileged", box, "ip", "route", "add", "default", "via", "10.8.0.1")
    world.client.start(world.netprobe, "serve", "7")
    assert networked.ask(box, "tcp", CLIENT4, 7) is None, "also with a route of their own making"
    assert world.ask(world.client, "tcp", HOST4, 8080) is None
    networked.remove_all()
    networked.run("network", "rm", "net")


def test_icc_false_keeps_containers_apart(networked, world):
    networked.run("network", "create", "-o", "com.docker.network.bridge.enable_icc=false", "net")
    web = networked.serve("--network", "net", "-p", "8080:80", name="web")
    box = networked.idle("--network", "net", name="box")
    assert networked.ask(box, "tcp", networked.address(web), 80) is None
    world.client.start(world.netprobe, "serve", "7")
    assert networked.ask(box, "tcp", CLIENT4, 7) == HOST4
    networked.remove_all()
    networked.run("network", "rm", "net")


def test_flushed_rules_come_back_by_themselves(networked, world):
    networked.serve("-p", "8080:80", name="web")
    for _ in range(5):
        world.host.run("nft", "flush", "ruleset")
        wait_until(lambda: world.ask(world.client, "tcp", HOST4, 8080) == CLIENT4,
                   what="the published port did not come back")
    wait_until(lambda: world.host.elements("nat4"))
    box = networked.idle(name="box")
    world.client.start(world.netprobe, "serve", "7")
    assert networked.ask(box, "tcp", CLIENT4, 7) == HOST4


def test_reload_repairs_what_an_orphan_has_lost(networked, world):
    import os
    import signal
    networked.serve("-p", "8080:80", name="web")
    os.kill(networked.monitor_pid("web"), signal.SIGKILL)
    world.host.run("nft", "flush", "ruleset")
    assert world.ask(world.client, "tcp", HOST4, 8080) is None
    assert networked.full_id("web") in networked.run("network", "reload").stdout
    assert world.ask(world.client, "tcp", HOST4, 8080) == CLIENT4


def test_a_default_drop_host_still_decides(networked, world):
    networked.serve("-p", "8080:80", name="web")
    world.host.nft("table inet mine { chain forward { type filter hook forward priority 10; "
                   "policy drop; ct state established,related accept\n}\n}\n")
    assert world.ask(world.client, "tcp", HOST4, 8080) is None
    world.host.nft("add rule inet mine forward ct status dnat accept")
    assert world.ask(world.client, "tcp", HOST4, 8080) == CLIENT4


def test_publish_address_is_the_users_choice(networked, world):
    (networked.skiff.directory / "skiff.conf").write_text("publish_address = 127.0.0.1\n")
    networked.serve("-p", "8080:80", "-p", f"{HOST4}:8081:80", name="web")
    assert world.ask(world.host, "tcp", "127.0.0.1", 8080)
    assert world.ask(world.client, "tcp", HOST4, 8080) is None
    assert world.ask(world.client, "tcp", HOST4, 8081) == CLIENT4


def test_several_networks_and_a_restart(networked):
    for number in (1, 2):
        networked.run("network", "create", "--subnet", f"10.{number}.0.0/24", f"net{number}")
    networked.idle("--network", "net2", "--network", "name=net1,ip=10.1.0.77,alias=x", name="box")
    def shown():
        return networked.run("exec", "box", "ip", "-4", "-o", "addr").stdout
    assert "10.2.0.2/24" in shown() and "10.1.0.77/24" in shown()
    assert networked.run("exec", "box", "ip", "route").stdout.startswith("default via 10.1.0.1"), (
        "the first by name is the way out")
    networked.run("restart", "-t", "0", "box")
    assert "10.2.0.2/24" in shown() and "10.1.0.77/24" in shown()
    networked.remove_all()
    networked.run("network", "prune", "-f")


def test_macvlan_is_a_machine_of_its_own(networked, world):
    networked.run("network", "create", "-d", "macvlan", "--subnet", "192.0.2.0/24", "--gateway",
                  CLIENT4, "-o", "parent=up0", "lan")
    networked.serve("--network", "lan", "--ip", "192.0.2.50", name="web")
    assert world.ask(world.client, "tcp", "192.0.2.50", 80) == CLIENT4
    assert networked.run("exec", "web", "ip", "route").stdout.startswith(f"default via {CLIENT4}")
    networked.remove_all()
    networked.run("network", "rm", "lan")
    assert "up0" in world.host.links(), "the parent is the user's"


def test_names_for_the_host_and_the_domain(networked):
    networked.idle("--add-host", "me:host-gateway", "--hostname", "alpha", "--domainname",
                   "example.org", name="box")
    hosts = networked.run("exec", "box", "cat", "/etc/hosts").stdout
    assert "172.17.0.1\tme\n" in hosts and hosts.endswith("172.17.0.2\talpha.example.org alpha\n")
