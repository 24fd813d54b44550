# SPDX-License-Identifier: Apache-2.0
"""Options of one container's place in a network: --driver-opt and --link-local-ip."""

import json

import pytest

IFNAME = "com.docker.network.endpoint.ifname"
SYSCTLS = "com.docker.network.endpoint.sysctls"


@pytest.fixture
def net(networked):
    networked.run("network", "create", "--ipv6", "--subnet", "10.9.0.0/24", "--subnet",
                  "fd09::/64", "net")
    yield networked
    networked.remove_all()
    networked.run("network", "rm", "net")


def links(skiff, container):
    out = skiff.run("exec", container, "ls", "/sys/class/net").stdout
    return sorted(set(out.split()) - {"lo"})


def addresses(skiff, container, link):
    out = skiff.run("exec", container, "ip", "-o", "addr", "show", "dev", link).stdout
    return {line.split()[3] for line in out.splitlines()}


def sysctl(skiff, container, key):
    return skiff.run("exec", container, "cat", "/proc/sys/net/" + key).stdout.strip()


def endpoint(skiff, container, network):
    text = "{{json (index .NetworkSettings.Networks \"" + network + "\")}}"
    return json.loads(skiff.run("inspect", "--format", text, container).stdout)


# ---- addresses ----

@pytest.mark.core
def test_link_local_addresses(net):
    for name, number in (("one", 1), ("two", 2)):
        net.idle("--network", "net", "--link-local-ip", f"169.254.7.{number}",
                 "--link-local-ip", f"fe80::7:{number}", name=name)
    assert {"10.9.0.2/24", "169.254.7.1/16", "fe80::7:1/64"} <= addresses(net, "one", "eth0")
    net.run("exec", "one", "ping", "-c", "1", "-W", "5", "169.254.7.2")
    net.run("exec", "one", "ping", "-6", "-c", "1", "-W", "5", "-I", "eth0", "fe80::7:2")
    ipam = endpoint(net, "one", "net")["IPAMConfig"]
    assert ipam == {"LinkLocalIPs": ["169.254.7.1", "fe80::7:1"]}


def test_on_the_predefined_bridge_and_when_connected_later(net):
    net.idle("--link-local-ip", "169.254.7.1", name="one")
    assert "169.254.7.1/16" in addresses(net, "one", "eth0")
    net.run("network", "connect", "--link-local-ip", "169.254.8.1", "net", "one")
    assert "169.254.8.1/16" in addresses(net, "one", "eth1")
    net.run("restart", "-t", "0", "one")
    assert "169.254.7.1/16" in addresses(net, "one", "eth0")
    assert "169.254.8.1/16" in addresses(net, "one", "eth1")


def test_an_ipv6_one_alone_brings_no_other(networked):
    networked.idle("--link-local-ip", "fe80::7", name="one")
    assert "fe80::7/64" in addresses(networked, "one", "eth0")
    assert sysctl(networked, "one", "ipv6/conf/eth0/accept_ra") == "0"


# ---- names and settings ----

@pytest.mark.core
def test_names_and_settings_of_interfaces(net):
    net.run("network", "create", "second")
    net.idle("--network", f"name=net,driver-opt={IFNAME}=front", "--network",
             f'name=second,"driver-opt={SYSCTLS}=net.ipv4.conf.IFNAME.log_martians=1,'
             'net.ipv4.neigh.IFNAME.retrans_time_ms=2000"', name="one")
    assert links(net, "one") == ["eth1", "front"]
    assert sysctl(net, "one", "ipv4/conf/eth1/log_martians") == "1"
    assert sysctl(net, "one", "ipv4/neigh/eth1/retrans_time_ms") == "2000"
    assert sysctl(net, "one", "ipv4/conf/front/log_martians") == "0"
    assert "10.9.0.2/24" in addresses(net, "one", "front")
    assert endpoint(net, "one", "net")["DriverOpts"] == {IFNAME: "front"}
    net.remove_all()
    net.run("network", "rm", "second")


def test_connect_with_options(net, world):
    before = world.host.sysctl("net/ipv4/conf/all/log_martians")
    net.idle(name="one")
    net.run("network", "connect", "--driver-opt", IFNAME + "=back.0", "--driver-opt",
            SYSCTLS + "=net.ipv6.conf.IFNAME.hop_limit=33", "net", "one")
    for _ in range(2):
        assert links(net, "one") == ["back.0", "eth0"]
        assert sysctl(net, "one", "ipv6/conf/back.0/hop_limit") == "33"
        net.run("restart", "-t", "0", "one")
    net.run("network", "disconnect", "net", "one")
    assert links(net, "one") == ["eth0"]
    assert world.host.sysctl("net/ipv4/conf/all/log_martians") == before


def test_a_name_that_was_taken_is_left_out(net):
    net.idle("--network", f"name=net,driver-opt={IFNAME}=eth1", name="one")
    net.run("network", "connect", "bridge", "one")
    assert links(net, "one") == ["eth1", "eth2"]
    net.run("network", "create", "second")
    failed = net.fails("network", "connect", "--driver-opt", IFNAME + "=eth2", "second", "one",
                       code=1)
    assert "has an interface 'eth2' already" in failed.stderr
    net.run("network", "rm", "second")


@pytest.mark.parametrize("option,message", [
    ("unknown=1", "option unknown of an endpoint is not supported"),
    ("nothing", "must be KEY=VALUE"),
    (IFNAME + "=", "invalid name of an interface"),
    (IFNAME + "=lo", "invalid name of an interface"),
    (IFNAME + "=sixteen-letters-", "invalid name of an interface"),
    (IFNAME + "=../x", "invalid name of an interface"),
    (SYSCTLS + "=net.ipv4.ip_forward=1", "invalid setting of an interface"),
    (SYSCTLS + "=kernel.a.b.IFNAME.c=1", "invalid setting of an interface"),
    (SYSCTLS + "=net.ipv4.conf.eth0.log_martians=1", "invalid setting of an interface"),
    (SYSCTLS + "=net.ipv4./../IFNAME.x=1", "invalid setting of an interface"),
    (SYSCTLS + "=net.ipv4.conf.IFNAME.no_such_key=1", "no_such_key"),
])
def test_bad_options_change_nothing(net, option, message):
    net.idle(name="one")
    failed = net.fails("network", "connect", "--driver-opt", option, "net", "one", code=1)
    assert message in failed.stderr
    assert links(net, "one") == ["eth0"]
    net.run("network", "connect", "net", "one")


@pytest.mark.parametrize("address", ["", "x", "0.0.0.0", "127.0.0.1", "::1", "ff02::1",
                                     "224.0.0.1", "169.254.1.1/16"])
def test_bad_addresses(networked, address):
    networked.fails("run", "--rm", "--link-local-ip", address, "busybox", "true", code=125)


def test_not_without_a_network_of_its_own(networked):
    for network in ("none", "host"):
        failed = networked.fails("run", "--rm", "--network", network, "--link-local-ip",
                                 "169.254.1.1", "busybox", "true", code=125)
        assert "only with a network of the container's own" in failed.stderr
