# SPDX-License-Identifier: Apache-2.0
"""Ports that are published and taken back while a container runs; ports that many want at once."""

import sys

import pytest

from helpers.world import CLIENT4, CLIENT6, HOST4, HOST6


def ports(networked, container):
    return networked.run("port", container).stdout.splitlines()


@pytest.mark.core
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_update_publishes_and_takes_back_at_once(networked, world, protocol):
    networked.serve(ports=(80, 81), name="web")
    assert world.ask(world.client, protocol, HOST4, 8080) is None
    networked.run("update", "-p", f"8080:80/{protocol}", "--publish", f"8081:81/{protocol}", "web")
    assert world.ask(world.client, protocol, HOST4, 8080) == CLIENT4
    assert world.ask(world.client, protocol, HOST4, 8081) == CLIENT4
    assert ports(networked, "web") == [f"80/{protocol} -> 0.0.0.0:8080",
                                       f"81/{protocol} -> 0.0.0.0:8081"]
    networked.run("update", "--publish-rm", f"80/{protocol}", "web")
    assert world.ask(world.client, protocol, HOST4, 8080) is None
    assert world.ask(world.client, protocol, HOST4, 8081) == CLIENT4, "the other is left alone"
    assert ports(networked, "web") == [f"81/{protocol} -> 0.0.0.0:8081"]
    bindings = networked.inspect("web")["HostConfig"]["PortBindings"]
    assert bindings == {f"81/{protocol}": [{"HostIp": "", "HostPort": "8081"}]}


def test_it_survives_a_restart_and_a_flush(networked, world):
    networked.serve("-p", "8080:80", name="web")
    networked.run("update", "-p", "9000:80", "--publish-rm", "8080:80", "web")
    world.host.nft("flush ruleset")
    networked.run("network", "reload")
    assert world.ask(world.client, "tcp", HOST4, 9000) == CLIENT4
    assert world.ask(world.client, "tcp", HOST4, 8080) is None, "the monitor has the new plan too"
    networked.run("restart", "-t", "0", "web")
    networked.wait_for_output("web", "ready\nready")
    assert world.ask(world.client, "tcp", HOST4, 9000) == CLIENT4
    assert world.ask(world.client, "tcp", HOST4, 8080) is None


def test_a_number_moves_from_one_port_to_another_in_one_command(networked, world):
    networked.serve("-p", "8080:80", ports=(80, 81), name="web")
    networked.run("update", "--publish-rm", "80", "-p", "8080:81", "web")
    assert ports(networked, "web") == ["81/tcp -> 0.0.0.0:8080"]
    assert world.ask(world.client, "tcp", HOST4, 8080) == CLIENT4


def test_what_is_refused_changes_nothing(networked, world):
    networked.serve("-p", "8080:80", name="web")
    networked.serve("-p", "9090:80", name="other")
    networked.run("create", "--name", "alone", "--network", "none", "busybox", "true")
    before = world.host.elements("ports4")
    for options, message in (
            (("-p", "9090:80", "web"), "Bind for 0.0.0.0:9090 failed: port is already allocated"),
            (("-p", "8080:81", "web"), "port is already allocated"),
            (("-p", "9091:80", "-p", "x:80", "web"), "invalid hostPort"),
            (("--publish-rm", "81", "web"), "port 81 is not published"),
            (("--publish-rm", "80/udp", "web"), "port 80/udp is not published"),
            (("--publish-rm", "8081:80", "web"), "port 8081:80 is not published"),
            (("-p", "80:80", "alone"), "its network is 'none'")):
        assert message in networked.fails("update", *options, code=1).stderr
    assert world.host.elements("ports4") == before
    assert ports(networked, "web") == ["80/tcp -> 0.0.0.0:8080"]
    networked.run("rm", "-f", "other")
    networked.run("update", "-p", "9090:80", "web")
    assert world.ask(world.client, "tcp", HOST4, 9090) == CLIENT4


def test_a_stopped_container_has_them_when_it_is_started(networked, world):
    networked.run("create", "--name", "web", "-v", f"{world.netprobe}:/netprobe:ro", "busybox",
                  "/netprobe", "serve", "80")
    networked.run("update", "-p", "127.0.0.1:8000-8001:80-81", "-p", "8080:80", "web")
    networked.run("update", "--publish-rm", "80-81", "web")
    networked.run("start", "web")
    networked.wait_for_output("web", "ready")
    assert ports(networked, "web") == ["80/tcp -> 0.0.0.0:8080"]
    assert world.ask(world.client, "tcp", HOST4, 8080) == CLIENT4


def test_the_ipv6_loopback_is_refused_at_once(networked, world):
    """It cannot be redirected; who asks for localhost must not wait there before it goes on to 127.0.0.1."""
    networked.run("network", "create", "--ipv6", "--subnet", "fd77::/64", "six")
    networked.serve("--network", "six", "-p", "8080:80", name="web")
    assert world.ask(world.host, "tcp", HOST6, 8080) is not None
    assert world.ask(world.host, "tcp", "127.0.0.1", 8080) is not None
    client = "import socket; socket.create_connection(('::1', 8080), 60)"
    failed = world.host.run(sys.executable, "-c", client, check=False)
    assert "ConnectionRefusedError" in failed.stderr
    for refused in (("run", "--rm", "--network", "six", "-p", "[::1]:8081:80", "busybox", "true"),
                    ("create", "-p", "[::1]::80/udp", "busybox", "true")):
        assert "cannot publish" in networked.fails(*refused, code=125 if refused[0] == "run" else 1
                                                   ).stderr
    failed = networked.fails("update", "-p", "[::1]:8081:80", "web", code=1)
    assert "the kernel does not redirect what goes there" in failed.stderr


def test_chosen_ports_and_ipv6(networked, world):
    networked.run("network", "create", "--ipv6", "--subnet", "fd77::/64", "six")
    networked.serve("--network", "six", name="web")
    networked.run("update", "-p", "80", "web")
    port = networked.run("port", "web", "80").stdout.split()[0].rsplit(":", 1)[1]
    assert world.ask(world.client, "tcp", HOST4, port) == CLIENT4
    assert world.ask(world.client, "tcp", HOST6, port) == CLIENT6
    networked.run("update", "--publish-rm", "80", "web")
    assert world.ask(world.client, "tcp", HOST6, port) is None


def test_many_that_choose_at_once_get_one_each(networked):
    """Whoever is slower chooses again: nobody fails."""
    for i in range(6):
        networked.run("create", "--name", f"c{i}", "-p", "80", "-p", "41000-41020:81", "busybox",
                      "sleep", "1000")
    started = [networked.popen("start", f"c{i}") for i in range(6)]
    for process in started:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    taken = [line.rsplit(":", 1)[1] for i in range(6) for line in ports(networked, f"c{i}")]
    assert len(taken) == len(set(taken)) == 12


def test_a_container_that_was_removed_meanwhile_leaves_no_port(networked, world):
    networked.serve(name="web")
    networked.run("update", "-p", "20000-29999:20000-29999", "-p", "8080:80", "web")
    assert len(world.host.elements("port_ranges4")) == 1, "one element, however long"
    networked.run("rm", "-f", "web")
    networked.assert_nothing_left()
