# SPDX-License-Identifier: Apache-2.0
"""A small world of machines: network namespaces that tests make, with links between them.

The machine's own network is never touched. A namespace is held by a process that only waits, not by a
mount (`ip netns` would show in the mount table that other tests look at), so it is gone with the test.

    world.host       where skiff runs: 192.0.2.1 and 2001:db8::1 on "up0"
    world.client     another machine next to it: 192.0.2.9 and 2001:db8::9
"""

import ctypes
import json
import os
import subprocess

import pytest

from helpers.skiff_command import Skiff, TIMEOUT
from helpers.waiting import wait_until

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)

HOST4, HOST6 = "192.0.2.1", "2001:db8::1"
CLIENT4, CLIENT6 = "192.0.2.9", "2001:db8::9"


class Machine:
    """One network namespace."""

    def __init__(self, name):
        self.name = name
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.started = []
        ours = os.readlink("/proc/self/ns/net")
        wait_until(lambda: self._link() not in (None, ours), what=f"no namespace for {name}")
        self.ip("link", "set", "lo", "up")

    def _link(self):
        try:
            return os.readlink(f"/proc/{self.holder.pid}/ns/net")
        except OSError:
            return None

    @property
    def pid(self):
        return self.holder.pid

    def command(self, *args):
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", "--", *map(str, args)]

    def run(self, *args, check=True, input=None):
        done = subprocess.run(self.command(*args), stdin=None if input else subprocess.DEVNULL,
                              input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=TIMEOUT, check=False)
        if check:
            assert done.returncode == 0, f"{self.name}: {args}: {done.stdout}{done.stderr}"
        return done

    def ip(self, *args):
        return self.run("ip", *args).stdout

    def nft(self, text):
        return self.run("nft", "-f", "-", input=text).stdout

    def ruleset(self):
        return json.loads(self.run("nft", "-j", "list", "ruleset").stdout)["nftables"]

    def elements(self, name, table="skiff"):
        """Keys of one of our sets or maps, as nft shows them."""
        for item in self.ruleset():
            one = item.get("set") or item.get("map")
            if one and one["name"] == name and one["table"] == table:
                return [element[0] if isinstance(element, list) else element
                        for element in one.get("elem", [])]
        return None

    def links(self):
        return {link["ifname"] for link in json.loads(self.run("ip", "-j", "link").stdout)}

    def sysctl(self, key, value=None):
        path = f"/proc/sys/{key}"
        if value is not None:
            self.run("sh", "-c", f"echo {value} > {path}")
        return self.run("cat", path).stdout.strip()

    def start(self, *args, ready="ready"):
        """A program in the background, once it has said that it is ready."""
        process = subprocess.Popen(self.command(*args), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, text=True)
        self.started.append(process)
        if ready:
            assert process.stdout.readline().strip() == ready
        return process

    def close(self):
        for process in [*self.started, self.holder]:
            process.kill()
            process.communicate()


def connect(left, left_link, right, right_link):
    """A cable between two machines; both ends are up."""
    left.run("ip", "link", "add", left_link, "type", "veth", "peer", "name", right_link, "netns",
             str(right.pid))
    left.ip("link", "set", left_link, "up")
    right.ip("link", "set", right_link, "up")


def add_address(machine, link, address):
    machine.ip("addr", "add", address, "dev", link, *(["nodad"] if ":" in address else []))


class WorldSkiff(Skiff):
    """skiff, run on one of the machines."""

    machine = None

    def command(self, *args):
        return self.machine.command(*super().command(*args))


class World:
    def __init__(self, netprobe):
        self.netprobe = netprobe
        self.machines = []
        self.host = self.machine("host")
        self.client = self.machine("client")
        connect(self.host, "up0", self.client, "up0")
        for machine, addresses in ((self.host, (HOST4, HOST6)), (self.client, (CLIENT4, CLIENT6))):
            add_address(machine, "up0", addresses[0] + "/24")
            add_address(machine, "up0", addresses[1] + "/64")

    def machine(self, name):
        machine = Machine(name)
        self.machines.append(machine)
        return machine

    def ask(self, machine, protocol, address, port):
        """What the server says our address is, or None with the reason when it does not answer."""
        done = machine.run(self.netprobe, "ask", protocol, address, port, check=False)
        return done.stdout.split()[0] if done.returncode == 0 else None

    def close(self):
        for machine in self.machines:
            machine.close()


@pytest.fixture(scope="session")
def netprobe(helper_directory):
    return helper_directory / "netprobe"


@pytest.fixture
def world(netprobe):
    world = World(netprobe)
    yield world
    world.close()


class Networked:
    """skiff on world.host with bridges as its default, and servers that say who asks."""

    def __init__(self, skiff, world):
        self.skiff = skiff
        self.world = world

    def __getattr__(self, name):
        return getattr(self.skiff, name)

    def serve(self, *options, ports=(80,), name=None):
        """A container that answers on these ports; its id."""
        named = ["--name", name] if name else []
        container = self.skiff.start(*named, "-v", f"{self.world.netprobe}:/netprobe:ro", *options,
                                     command=("/netprobe", "serve", *map(str, ports)))
        self.skiff.wait_for_output(container, "ready")
        return container

    def ask(self, container, protocol, address, port):
        """Asks from inside a container."""
        done = self.skiff.run("exec", container, "/netprobe", "ask", protocol, address, port,
                              check=False)
        return done.stdout.split()[0] if done.code == 0 else None

    def idle(self, *options, name=None):
        """A container that only asks."""
        named = ["--name", name] if name else []
        return self.skiff.start(*named, "-v", f"{self.world.netprobe}:/netprobe:ro", *options)

    def assert_nothing_left(self):
        """No link of a container, no bridge that nobody made, and no port, once all containers are
        gone."""
        host = self.world.host
        left = {name for name in host.links() if name.startswith("sk") and name[2] != "-"}
        assert not left, f"links are left: {left}"
        for name in ("ports4", "ports6", "hosts4", "hosts6", "port_ranges4", "port_ranges6"):
            assert not host.elements(name), f"ports are left in {name}: {host.elements(name)}"

    def address(self, container, network=None, key="IPAddress"):
        networks = self.skiff.inspect(container)["NetworkSettings"]["Networks"]
        return networks[network or next(iter(networks))][key]


@pytest.fixture
def networked(world, make_skiff, busybox):
    skiff = make_skiff()
    skiff.__class__ = WorldSkiff
    skiff.machine = world.host
    (skiff.directory / "skiff.conf").write_text("network = bridge\n")
    skiff.load(busybox)
    networked = Networked(skiff, world)
    yield networked
    skiff.close()
    skiff.remove_all()
    networked.assert_nothing_left()
