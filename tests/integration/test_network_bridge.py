# SPDX-License-Identifier: Apache-2.0
"""The default bridge: the way out, published ports, who is seen by whom."""

import pytest

from helpers.waiting import wait_until
from helpers.world import CLIENT4, HOST4

GATEWAY4 = "172.17.0.1"


@pytest.mark.core
def test_the_default_network_is_a_bridge_with_a_way_out(networked, world):
    """An address, a default route, and the host's address as seen by others."""
    box = networked.idle(name="box")
    seen = networked.run("exec", box, "ip", "-4", "addr", "show", "eth0").stdout
    assert "inet 172.17.0.2/16" in seen
    assert networked.run("exec", box, "ip", "route").stdout.startswith(f"default via {GATEWAY4}")
    world.client.start(world.netprobe, "serve", "7")
    for protocol in ("tcp", "udp"):
        assert networked.ask(box, protocol, CLIENT4, 7) == HOST4, "it leaves with our address"


@pytest.mark.core
def test_inspect_ps_and_port_tell_of_it(networked):
    networked.serve("-p", "8080:80", name="web")
    facts = networked.inspect("web")
    assert facts["HostConfig"]["NetworkMode"] == "bridge"
    assert facts["HostConfig"]["PortBindings"] == {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}
    settings = facts["NetworkSettings"]
    assert settings["Ports"] == {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}
    endpoint = settings["Networks"]["bridge"]
    assert endpoint["IPAddress"] == "172.17.0.2" and endpoint["IPPrefixLen"] == 16
    assert endpoint["Gateway"] == GATEWAY4 and endpoint["MacAddress"] == "02:42:ac:11:00:02"
    assert networked.run("port", "web").stdout == "80/tcp -> 0.0.0.0:8080\n"
    assert networked.run("port", "web", "80").stdout == "0.0.0.0:8080\n"
    assert "No public port '81'" in networked.fails("port", "web", "81", code=1).stderr
    assert networked.run("ps", "--format", "{{.Ports}}").stdout == "0.0.0.0:8080->80/tcp\n"
    networked.run("stop", "-t", "0", "web")
    assert networked.inspect("web")["NetworkSettings"]["Networks"]["bridge"]["IPAddress"] == ""
    assert networked.run("ps", "-a", "--format", "{{.Ports}}").stdout == "\n"


@pytest.mark.core
@pytest.mark.parametrize("bridge_filters", [0, 1])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_published_port_answers_everybody_with_the_true_source(networked, world, protocol,
                                                                 bridge_filters):
    """Also where bridged packets go through the filters of routed ones (br_netfilter)."""
    if world.host.run("test", "-d", "/proc/sys/net/bridge", check=False).returncode == 0:
        world.host.sysctl("net/bridge/bridge-nf-call-iptables", bridge_filters)
    web = networked.serve("-p", f"8080:80/{protocol}", name="web")
    assert world.ask(world.client, protocol, HOST4, 8080) == CLIENT4, "from another machine"
    assert world.ask(world.host, protocol, HOST4, 8080) == HOST4, "from the host"
    assert world.ask(world.host, protocol, "127.0.0.1", 8080) == GATEWAY4, "from localhost"
    other = networked.idle(name="other")
    own = networked.address(other)
    assert networked.ask(other, protocol, networked.address(web), 80) == own, "directly"
    # Its answer comes back through us only if the question seems to come from us.
    assert networked.ask(other, protocol, HOST4, 8080) == GATEWAY4, "through the host's address"
    assert networked.ask(web, protocol, HOST4, 8080) == GATEWAY4, "itself through the host"


def test_what_is_not_published_cannot_be_reached_from_elsewhere(networked, world):
    """Neither by its own address, with a route to it, nor by a port of the host."""
    web = networked.serve(ports=(80, 81), name="web")
    world.client.ip("route", "add", "172.17.0.0/16", "via", HOST4)
    assert world.ask(world.host, "tcp", networked.address(web), 80), "the host may"
    assert world.ask(world.client, "tcp", networked.address(web), 80) is None
    assert world.ask(world.client, "tcp", HOST4, 80) is None


def test_loopback_ports_are_for_this_host_only(networked, world):
    """A neighbour that sends packets for 127.0.0.1 to us gets nowhere (CVE-2020-8558)."""
    networked.serve("-p", "127.0.0.1:8080:80", name="web")
    assert world.ask(world.host, "tcp", "127.0.0.1", 8080) == GATEWAY4
    assert world.ask(world.host, "tcp", HOST4, 8080) is None
    world.client.sysctl("net/ipv4/conf/all/route_localnet", 1)
    world.client.ip("addr", "del", "127.0.0.1/8", "dev", "lo")
    world.client.ip("route", "add", "127.0.0.1", "via", HOST4, "src", CLIENT4)
    assert world.ask(world.client, "tcp", "127.0.0.1", 8080) is None
    # The same from inside a container, over the bridge where route_localnet is on.
    box = networked.idle("--cap-add", "NET_ADMIN", "--privileged", name="box")
    networked.run("exec", "--privileged", box, "sh", "-c",
                  "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet; ip addr del 127.0.0.1/8 "
                  f"dev lo; ip route add 127.0.0.1 via {GATEWAY4}")
    assert networked.ask(box, "tcp", "127.0.0.1", 8080) is None


def test_addresses_are_given_out_anew_only_when_free(networked):
    first = networked.idle(name="first")
    networked.idle(name="second")
    assert networked.address("second") == "172.17.0.3"
    networked.run("stop", "-t", "0", "first")
    networked.idle(name="third")
    assert networked.address("third") == "172.17.0.4", "the first keeps its own"
    networked.run("rm", first)
    networked.idle(name="fourth")
    assert networked.address("fourth") == "172.17.0.2"


def test_names_of_the_container(networked):
    box = networked.idle("--hostname", "alpha", name="box")
    hosts = networked.run("exec", box, "cat", "/etc/hosts").stdout
    assert hosts.endswith("172.17.0.2\talpha\n")


def test_a_taken_port_is_refused_with_its_reason(networked, world):
    networked.serve("-p", "8080:80", name="web")
    refused = networked.fails("run", "-d", "--name", "again", "-p", "8080:80", "busybox", "true",
                              code=125)
    assert "Bind for 0.0.0.0:8080 failed: port is already allocated" in refused.stderr
    world.host.start(world.netprobe, "hold", "tcp", "0.0.0.0", "9090")
    refused = networked.fails("run", "--rm", "-p", "9090:80", "busybox", "true", code=125)
    assert "Bind for 0.0.0.0:9090 failed: address already in use" in refused.stderr
    networked.run("run", "--rm", "-p", "9090:80/udp", "busybox", "true")
    networked.run("run", "--rm", "-p", "127.0.0.1:8081:80", "busybox", "true")
    networked.run("rm", "-f", "web")
    networked.run("start", "again")


def test_ports_that_are_chosen(networked, world):
    networked.serve("-p", "80", "-p", "127.0.0.1::81", "-p", "7000-7010:82", "-P", "--expose", "83",
                    ports=(80, 81, 82, 83), name="web")
    lines = dict(line.split(" -> ") for line in networked.run("port", "web").stdout.splitlines())
    assert set(lines) == {"80/tcp", "81/tcp", "82/tcp", "83/tcp"}
    assert lines["81/tcp"].startswith("127.0.0.1:") and lines["82/tcp"] == "0.0.0.0:7000"
    for inside, outside in lines.items():
        address, port = outside.split(":")
        done = world.host.run(world.netprobe, "ask", "tcp", "127.0.0.1", port)
        assert done.stdout.split()[2] == inside.split("/")[0], (inside, address)


def test_a_range_keeps_its_numbers_or_moves_them(networked, world):
    networked.serve("-p", "7000-7002:7000-7002", "-p", "8000-8002:9000-9002",
                    ports=(7000, 7002, 9000, 9002), name="web")
    assert world.host.elements("port_ranges4"), "one element for a range that keeps its numbers"
    for outside, inside in ((7000, 7000), (7002, 7002), (8000, 9000), (8002, 9002)):
        done = world.client.run(world.netprobe, "ask", "tcp", HOST4, outside)
        assert done.stdout.split()[2] == str(inside)
    refused = networked.fails("run", "--rm", "-p", "7001:80", "busybox", "true")
    assert "port is already allocated" in refused.stderr


def test_everything_goes_with_the_container(networked, world):
    web = networked.serve("-p", "8080:80", name="web")
    assert len(world.host.elements("ports4")) == 1
    networked.run("rm", "-f", web)
    networked.assert_nothing_left()
    assert world.ask(world.host, "tcp", "127.0.0.1", 8080) is None


def test_a_crash_leaks_nothing(networked, world):
    """The monitor and the container's process are killed: the next command cleans up."""
    import os
    import signal
    networked.serve("-p", "8080:80", name="web")
    pid, monitor = networked.pid("web"), networked.monitor_pid("web")
    os.kill(monitor, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: networked.run("ps", "-q").stdout == "")
    networked.serve("-p", "8080:80", name="next")
    assert world.ask(world.client, "tcp", HOST4, 8080) == CLIENT4
    networked.run("rm", "-f", "web")
    assert world.ask(world.client, "tcp", HOST4, 8080) == CLIENT4, "the next one's port is its own"
