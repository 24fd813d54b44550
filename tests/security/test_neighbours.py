# SPDX-License-Identifier: Apache-2.0
"""THREATS.md: 2020-13401, 2021-20199, 2025-54388: what those on the same wire try.

An address from a stranger's advertisement, being taken for 127.0.0.1, and ports for this host only while
the rules are being flushed.
"""

from helpers.waiting import wait_until
from helpers.world import CLIENT4, HOST4, connect

ADVERTISER = r"""
import socket, struct, sys
link = sys.argv[1]
mac = bytes.fromhex("02deadbeef01")
source = socket.inet_pton(socket.AF_INET6, "fe80::dead")
group = socket.inet_pton(socket.AF_INET6, "ff02::1")
prefix = struct.pack("!BBBBIII16s", 3, 4, 64, 0xc0, 3600, 3600, 0,
                     socket.inet_pton(socket.AF_INET6, "2001:db8:bad::"))
body = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix + b"\1\1" + mac
pseudo = source + group + struct.pack("!II", len(body), 58)
words = struct.unpack(f"!{len(pseudo + body) // 2}H", pseudo + body)
total = sum(words)
while total >> 16:
    total = (total & 0xffff) + (total >> 16)
body = body[:2] + struct.pack("!H", ~total & 0xffff) + body[4:]
frame = (bytes.fromhex("333300000001") + mac + b"\x86\xdd"
         + struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + source + group + body)
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((link, 0))
out.send(frame)
"""


def advertise(machine, link):
    machine.run("/usr/bin/python3", "-c", ADVERTISER, link)


def attack(world, bridge):
    """Until a machine on the same bridge that believes them has got an address.

    The packet reaches all ports alike. The cables go again: a bridge with a port is somebody's.
    """
    victim = world.machine("victim")
    for machine, link in ((victim, "wire0"), (world.client, "evil0")):
        connect(world.host, link, machine, link)
        world.host.ip("link", "set", link, "master", bridge)
    victim.sysctl("net/ipv6/conf/wire0/accept_ra", 2)

    def believed():
        advertise(world.client, "evil0")
        return "2001:db8:bad:" in victim.ip("-6", "addr", "show", "dev", "wire0")
    wait_until(believed, what="nobody believes the advertisement")
    for link in ("wire0", "evil0"):
        world.host.ip("link", "del", link)


def test_advertisements_give_no_address(networked, world):
    """CVE-2020-13401: neither without IPv6 nor with it."""
    networked.idle(name="plain")
    attack(world, "skiff0")
    assert "2001:db8" not in networked.run("exec", "plain", "ip", "-6", "addr").stdout
    assert networked.run("exec", "plain", "ip", "-6", "route").stdout == ""
    assert "2001:db8" not in world.host.ip("-6", "addr", "show", "dev", "skiff0")


def test_advertisements_give_no_route(networked, world):
    networked.run("network", "create", "--ipv6", "--subnet", "fd08::/64",
                  "-o", "com.docker.network.bridge.name=six0", "six")
    networked.idle("--network", "six", name="box")
    before = networked.run("exec", "box", "ip", "-6", "route").stdout
    attack(world, "six0")
    assert "2001:db8" not in networked.run("exec", "box", "ip", "-6", "addr").stdout
    assert networked.run("exec", "box", "ip", "-6", "route").stdout == before
    assert "2001:db8" not in world.host.ip("-6", "addr", "show", "dev", "six0")
    networked.run("rm", "-f", "box")
    networked.run("network", "rm", "six")


def test_nobody_from_elsewhere_looks_like_localhost(networked, world):
    """2021-20199: a server that trusts 127.0.0.1 is asked from another machine."""
    networked.serve("-p", "8080:80", name="web")
    assert world.ask(world.client, "tcp", HOST4, 8080) == CLIENT4


def test_flushed_rules_open_nothing_for_long(networked, world):
    """2025-54388: ports for this host only, and what is not published, while rules go and come."""
    web = networked.serve("-p", "127.0.0.1:8080:80", ports=(80, 81), name="web")
    address = networked.address(web)
    world.client.ip("route", "add", "172.17.0.0/16", "via", HOST4)
    for _ in range(2):
        world.host.run("nft", "flush", "ruleset")
        assert world.ask(world.client, "tcp", HOST4, 8080) is None
        wait_until(lambda: world.host.elements("bridges"), what="the rules did not come back")
        assert world.ask(world.client, "tcp", address, 81) is None
        wait_until(lambda: world.ask(world.host, "tcp", "127.0.0.1", 8080),
                   what="the port did not come back")
