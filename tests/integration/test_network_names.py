# SPDX-License-Identifier: Apache-2.0
"""Names in a user's network: the resolver at 127.0.0.11."""

import ast
import sys
from pathlib import Path

import pytest

from helpers.waiting import wait_until
from helpers.world import Machine

DNS = Path(__file__).resolve().parents[1] / "helpers" / "dns.py"


class Inside(Machine):
    """The network namespace of a container."""

    def __init__(self, pid):
        self._pid = pid

    name = "container"

    @property
    def pid(self):
        return self._pid


def lookup(networked, container, name, kind="A", *how):
    """(code, truncated, values) as a program inside the container would get it."""
    inside = Inside(networked.pid(container))
    out = inside.run(sys.executable, DNS, "ask", name, kind, *how).stdout
    code, truncated, values = out.split(" ", 2)
    return int(code), truncated == "True", ast.literal_eval(values)


def addresses(networked, container, name, kind="A", *how):
    return sorted(lookup(networked, container, name, kind, *how)[2])


@pytest.fixture
def net(networked):
    networked.run("network", "create", "--ipv6", "--subnet", "10.9.0.0/24", "--subnet",
                  "fd09::/64", "net")
    yield networked
    networked.remove_all()
    networked.run("network", "rm", "net")


@pytest.mark.core
@pytest.mark.parametrize("how", ["udp", "tcp"])
def test_containers_find_each_other(net, how):
    net.idle("--network", "net", "--network-alias", "Other", "--hostname", "host1", name="one")
    net.idle("--network", "net", name="two")
    short = net.full_id("one")[:12]
    for name in ("one", "other", "OTHER.", "host1", short):
        assert addresses(net, "two", name, "A", how) == ["10.9.0.2"], name
        assert addresses(net, "two", name, "AAAA", how) == ["fd09::2"], name
    assert addresses(net, "two", "2.0.9.10.in-addr.arpa", "PTR", how) == ["one"]
    reverse = ".".join(reversed("fd09000000000000" + "0000000000000002")) + ".ip6.arpa"
    assert addresses(net, "two", reverse, "PTR", how) == ["one"]
    assert net.run("exec", "two", "cat", "/etc/resolv.conf").stdout.startswith(
        "nameserver 127.0.0.11\n")
    net.run("rm", "-f", "one")
    assert addresses(net, "two", "one", "A", how) == []


def test_a_shared_alias_is_answered_in_turn(net):
    for name in ("one", "two", "three"):
        net.idle("--network", "net", "--network-alias", "all", name=name)
    net.idle("--network", "net", name="asker")
    first = [lookup(net, "asker", "all")[2][0] for _ in range(3)]
    assert sorted(first) == ["10.9.0.2", "10.9.0.3", "10.9.0.4"], "each comes first in its turn"


def forwarding(net, world):
    """The name server on the host's loopback, and a container whose questions go there."""
    server = world.host.start(sys.executable, DNS, "serve", "127.0.0.53")
    net.idle("--network", "net", "--dns", "127.0.0.53", name="asker")
    return server


def test_other_names_are_forwarded(net, world):
    """Also to a server on the host's loopback, which no container could reach by itself."""
    forwarding(net, world)
    assert lookup(net, "asker", "www.example") == (0, False, ["198.51.100.7"])
    assert lookup(net, "asker", "www.example", "A", "tcp") == (0, False, ["198.51.100.7"])
    assert lookup(net, "asker", "www.nowhere")[0] == 3
    assert lookup(net, "asker", "long.example")[1], "too long for UDP without EDNS: truncated"
    assert len(lookup(net, "asker", "long.example", "A", "edns")[2]) == 40
    assert len(lookup(net, "asker", "long.example", "A", "tcp")[2]) == 40


def test_a_server_that_is_not_there_is_said(net):
    net.idle("--network", "net", "--dns", "127.0.0.54", name="asker")
    assert lookup(net, "asker", "www.example")[0] == 2, "server failure"
    assert lookup(net, "asker", "www.example", "A", "tcp")[0] == 2


def test_internal_networks_ask_nobody(networked, world):
    """Not a byte leaves for the host's servers (CVE-2024-29018)."""
    networked.run("network", "create", "--internal", "closed")
    server = world.host.start(sys.executable, DNS, "serve", "127.0.0.53")
    networked.idle("--network", "closed", "--dns", "127.0.0.53", name="one")
    networked.idle("--network", "closed", "--dns", "127.0.0.53", name="two")
    assert addresses(networked, "two", "one") != []
    assert lookup(networked, "two", "secret.example")[0] == 3
    assert lookup(networked, "two", "secret.example", "A", "tcp")[0] == 3
    server.kill()
    assert server.stdout.read() == "", "the server was asked"
    networked.remove_all()
    networked.run("network", "rm", "closed")


def test_a_name_server_of_the_containers_own_can_have_port_53(net):
    net.idle("--network", "net", name="box")
    inside = Inside(net.pid("box"))
    server = inside.start
    process = __import__("subprocess").Popen(
        inside.command(sys.executable, DNS, "serve", "0.0.0.0"), stdout=-1, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        assert addresses(net, "box", "box") == ["10.9.0.2"], "and ours still answers"
    finally:
        process.kill()
        process.communicate()
    assert server


def test_connect_makes_names_known_and_disconnect_forgets_them(net):
    net.idle("--network", "net", name="one")
    net.idle(name="two")
    net.run("network", "connect", "--alias", "zwei", "net", "two")
    assert addresses(net, "one", "zwei") == ["10.9.0.3"]
    wait_until(lambda: "127.0.0.11" in net.run("exec", "two", "cat", "/etc/resolv.conf").stdout)
    wait_until(lambda: Inside(net.pid("two")).run("ss", "-lnu", check=False).stdout.count(
        "127.0.0.11:"), what="no resolver in the container that was connected")
    assert addresses(net, "two", "one") == ["10.9.0.2"]
    net.run("network", "disconnect", "net", "two")
    assert addresses(net, "one", "zwei") == []


def test_renamed_is_found_by_the_new_name_only(net):
    net.idle("--network", "net", "--network-alias", "also", name="one")
    net.idle("--network", "net", name="two")
    net.run("rename", "one", "uno")
    assert addresses(net, "two", "uno") == ["10.9.0.2"]
    assert addresses(net, "two", "one") == []
    assert addresses(net, "two", "also") == ["10.9.0.2"]
    assert addresses(net, "two", "2.0.9.10.in-addr.arpa", "PTR") == ["uno"]
    assert net.inspect("uno")["NetworkSettings"]["Networks"]["net"]["DNSNames"][0] == "uno"
    # A name that is taken stays whose it is.
    net.fails("rename", "uno", "two", code=1)
    assert addresses(net, "two", "uno") == ["10.9.0.2"]
    assert addresses(net, "uno", "two") == ["10.9.0.3"]


def test_hostile_questions_are_survived(net):
    """Whatever comes, the next question is answered."""
    net.idle("--network", "net", name="box")
    program = (
        "import socket, os, random; random.seed(1)\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('127.0.0.11', 53))\n"
        "for n in range(2000): s.send(os.urandom(random.randrange(0, 300)))\n"
        "s.send(b'\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0\\xc0\\x0c\\0\\1\\0\\1')\n"
        "t = socket.create_connection(('127.0.0.11', 53)); t.send(b'\\xff\\xff' + b'x' * 1000)\n")
    Inside(net.pid("box")).run(sys.executable, "-c", program)
    assert addresses(net, "box", "box") == ["10.9.0.2"]


def test_nothing_is_left_of_names(networked):
    networked.run("network", "create", "net")
    networked.idle("--network", "net", name="one")
    names = list((networked.skiff.state / "networks").glob("*/names/*"))
    assert {path.name for path in names} >= {"one"}
    networked.run("rm", "-f", "one")
    assert not list((networked.skiff.state / "networks").glob("*/*/*"))
    networked.run("network", "rm", "net")
    assert not list((networked.skiff.state / "networks").glob("*"))
