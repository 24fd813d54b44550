# SPDX-License-Identifier: Apache-2.0
"""The predefined bridge and our rules are on the host only while a container runs on it."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers.world import CLIENT4, HOST4, WorldSkiff


def tables(world):
    return {item["table"]["name"] for item in world.host.ruleset() if "table" in item}


def bridges(world):
    return {name for name in world.host.links() if name.startswith("skiff")}


def assert_untouched(world):
    assert world.host.links() == {"lo", "up0"}
    assert not tables(world)


@pytest.fixture
def another_store(networked, make_skiff, busybox):
    """A second store on the same host."""
    skiff = make_skiff()
    skiff.__class__ = WorldSkiff
    skiff.machine = networked.world.host
    (skiff.directory / "skiff.conf").write_text("network = bridge\n")
    skiff.load(busybox)
    yield skiff
    skiff.close()
    skiff.remove_all()


@pytest.mark.core
def test_a_run_leaves_neither_link_nor_rule(networked, world):
    for options in ((), ("-p", "8080:80"), ("-p", "9000-9100:9000-9100/udp")):
        networked.run("run", "--rm", *options, "busybox", "true")
        assert_untouched(world)
    networked.fails("run", "--rm", "-p", "8080:80", "busybox", "/no-such-program", code=127)
    assert_untouched(world)


@pytest.mark.core
def test_the_last_one_takes_the_bridge_down(networked, world):
    first, second = networked.idle(), networked.serve("-p", "8080:80")
    networked.run("stop", "-t", "0", first)
    assert bridges(world) == {"skiff0"} and tables(world) == {"skiff"}
    assert world.ask(world.client, "tcp", HOST4, 8080) == CLIENT4
    networked.run("stop", "-t", "0", second)
    assert_untouched(world)
    networked.run("start", first)
    assert networked.address(first) == "172.17.0.2", "its address was kept"
    networked.run("rm", "-f", first, second)
    assert_untouched(world)


def test_a_network_that_was_made_stays_until_it_is_removed(networked, world):
    networked.run("network", "create", "mine")
    box = networked.idle("--network", "mine")
    networked.run("network", "connect", "bridge", box)
    assert bridges(world) == {"skiff0"}
    networked.run("network", "disconnect", "bridge", box)
    assert not bridges(world)
    networked.run("rm", "-f", box)
    assert tables(world) == {"skiff"}
    networked.run("network", "rm", "mine")
    assert_untouched(world)


def test_two_stores_on_one_host(networked, world, another_store):
    """Each has its own bridge and subnet, and the end of one does not harm the other."""
    web = networked.serve("-p", "8080:80")
    other = another_store.start()
    assert bridges(world) == {"skiff0", "skiff1"}
    seen = another_store.run("exec", other, "ip", "-4", "-o", "addr", "show", "eth0").stdout
    assert "172.18.0.2/16" in seen
    another_store.run("rm", "-f", other)
    assert bridges(world) == {"skiff0"}
    assert world.ask(world.host, "tcp", "127.0.0.1", 8080)
    networked.run("rm", "-f", web)
    assert_untouched(world)


def test_what_somebody_took_meanwhile_is_chosen_anew(networked, world, another_store):
    """The name and the subnet of a bridge that was not there."""
    box = networked.idle(name="box")
    networked.run("stop", "-t", "0", box)
    other = another_store.start()
    assert bridges(world) == {"skiff0"}, "the other store's now"
    networked.run("start", box)
    assert bridges(world) == {"skiff0", "skiff1"}
    assert networked.address(box) == "172.18.0.2"
    assert networked.run("exec", box, "ping", "-c", "1", "-W", "5", "172.18.0.1").code == 0
    another_store.run("rm", "-f", other)
    networked.run("rm", "-f", box)
    assert_untouched(world)


def test_reload_makes_no_bridge_that_nobody_uses(networked, world):
    networked.run("run", "--rm", "busybox", "true")
    networked.run("network", "reload")
    assert_untouched(world)


def test_a_killed_monitor_leaves_it_to_the_next_command(networked, world):
    box = networked.idle("-p", "8080:80")
    os.kill(networked.monitor_pid(box), signal.SIGKILL)
    networked.run("rm", "-f", box)
    assert_untouched(world)


def test_many_come_and_go_at_once(networked, world, another_store):
    """Whoever ends takes down nothing that somebody else is about to use."""
    ping = ("run", "--rm", "busybox", "sh", "-c",
            "ping -c 1 -W 20 $(ip route | sed -n 's/default via \\([^ ]*\\).*/\\1/p') >/dev/null")

    # Both running once, they know that they need different names.
    for skiff, box in [(skiff, skiff.start()) for skiff in (networked, another_store)]:
        skiff.run("rm", "-f", box)
    assert_untouched(world)

    def go(skiff):
        for _ in range(4):
            skiff.run(*ping)

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(go, skiff) for skiff in [networked, another_store] * 3]:
            done.result()
    assert_untouched(world)
