# SPDX-License-Identifier: Apache-2.0
"""--link: private names in networks of the user's, lines and variables on the predefined bridge."""

import json

import pytest

from integration.test_network_names import addresses


@pytest.fixture
def net(networked):
    networked.run("network", "create", "--ipv6", "--subnet", "10.9.0.0/24", "--subnet",
                  "fd09::/64", "net")
    yield networked
    networked.remove_all()
    networked.run("network", "rm", "net")


def inspected(skiff, container, path):
    return json.loads(skiff.run("inspect", "--format", "{{json ." + path + "}}", container).stdout)


# ---- in a network of the user's ----

@pytest.mark.core
def test_an_alias_that_only_the_linking_container_knows(net):
    net.idle("--network", "net", name="db")
    net.idle("--network", "net", "--link", "db:Database", "--link", "db", name="web")
    net.idle("--network", "net", name="other")
    for name in ("database", "DATABASE", "db"):
        assert addresses(net, "web", name) == ["10.9.0.2"], name
        assert addresses(net, "web", name, "AAAA") == ["fd09::2"], name
    assert addresses(net, "web", "database", "A", "tcp") == ["10.9.0.2"]
    assert addresses(net, "other", "database") == []
    assert addresses(net, "db", "database") == []
    assert inspected(net, "web", "NetworkSettings.Networks.net.Links") == ["db:Database", "db:db"]
    assert inspected(net, "web", "HostConfig.Links") is None
    assert "DATABASE_NAME" not in net.run("exec", "web", "env").stdout


def test_it_follows_whoever_has_the_name(net):
    net.idle("--network", "net", "--link", "db:database", name="web")
    assert addresses(net, "web", "database") == [], "nobody has it yet"
    net.idle("--network", "net", "--ip", "10.9.0.77", name="db")
    assert addresses(net, "web", "database") == ["10.9.0.77"]
    net.run("rm", "-f", "db")
    assert addresses(net, "web", "database") == []
    net.idle("--network", "net", "--ip", "10.9.0.78", "--network-alias", "db", name="another")
    assert addresses(net, "web", "database") == ["10.9.0.78"]


def test_a_link_goes_before_a_name_of_others(net):
    net.idle("--network", "net", name="db")
    net.idle("--network", "net", "--network-alias", "cache", name="real")
    net.idle("--network", "net", "--link", "db:cache", name="web")
    assert addresses(net, "web", "cache") == ["10.9.0.2"]
    net.run("rm", "-f", "db")
    assert addresses(net, "web", "cache") == ["10.9.0.3"], "the link leads nowhere"


def test_by_id(net):
    net.idle("--network", "net", name="db")
    whole = net.full_id("db")
    net.idle("--network", "net", "--link", whole + ":whole", "--link", whole[:12] + ":short",
             name="web")
    assert addresses(net, "web", "whole") == addresses(net, "web", "short") == ["10.9.0.2"]


def test_connect_with_a_link_while_it_runs(net):
    net.idle("--network", "net", name="db")
    net.idle(name="web")
    net.run("network", "connect", "--link", "db:database", "net", "web")
    assert addresses(net, "web", "database") == ["10.9.0.2"]
    net.run("restart", "-t", "0", "web")
    assert addresses(net, "web", "database") == ["10.9.0.2"], "it is still there after a restart"
    net.run("network", "disconnect", "net", "web")
    net.run("network", "connect", "net", "web")
    assert addresses(net, "web", "database") == []


def test_a_link_is_of_its_network(net):
    """Of what is called so in another network it tells nothing."""
    net.run("network", "create", "second")
    net.idle("--network", "second", name="db")
    net.idle("--network", "net", "--link", "db:database", name="web")
    net.run("network", "connect", "second", "web")
    assert addresses(net, "web", "database") == []
    assert addresses(net, "web", "db") == [net.address("db", "second")]
    net.remove_all()
    net.run("network", "rm", "second")


# ---- on the predefined bridge ----

def environment(skiff, container):
    out = skiff.run("exec", container, "env").stdout
    return dict(line.split("=", 1) for line in out.splitlines())


@pytest.mark.core
def test_lines_and_variables(networked):
    networked.idle("--hostname", "dbhost", "--expose", "5432", "-p", "9000:80/udp",
                   "-e", "KEY=a value=b", "-e", "HOME=/nowhere", name="db")
    networked.idle("--link", "db:my-Database", "-e", "MY_DATABASE_NAME=mine", name="web")
    address = networked.address("db")
    hosts = networked.run("exec", "web", "cat", "/etc/hosts").stdout.splitlines()
    assert f"{address}\tmy-Database dbhost db" in hosts
    mine = {key: value for key, value in environment(networked, "web").items()
            if key.startswith("MY_DATABASE")}
    tcp, udp = "MY_DATABASE_PORT_5432_TCP", "MY_DATABASE_PORT_80_UDP"
    assert mine == {
        "MY_DATABASE_PORT": f"tcp://{address}:5432",
        tcp: f"tcp://{address}:5432", tcp + "_ADDR": address, tcp + "_PORT": "5432",
        tcp + "_PROTO": "tcp",
        udp: f"udp://{address}:80", udp + "_ADDR": address, udp + "_PORT": "80",
        udp + "_PROTO": "udp",
        "MY_DATABASE_NAME": "mine", "MY_DATABASE_ENV_KEY": "a value=b",
    }
    networked.run("exec", "web", "ping", "-c", "1", "-W", "5", "my-Database")
    assert inspected(networked, "web", "HostConfig.Links") == ["/db:/web/my-Database"]
    assert inspected(networked, "web", "NetworkSettings.Networks.bridge.Links") is None


def test_it_outlives_a_rename_and_a_restart(networked):
    networked.idle(name="db")
    networked.idle("--link", "db:database", name="web")
    networked.run("rename", "db", "renamed")
    for name in ("renamed", "web"):
        networked.run("restart", "-t", "0", name)
    hosts = networked.run("exec", "web", "cat", "/etc/hosts").stdout
    assert networked.address("renamed") + "\tdatabase " in hosts and " renamed\n" in hosts
    assert inspected(networked, "web", "HostConfig.Links") == ["/renamed:/web/database"]
    networked.run("rm", "-f", "renamed")
    networked.run("restart", "-t", "0", "web")
    assert "database" not in networked.run("exec", "web", "cat", "/etc/hosts").stdout
    assert inspected(networked, "web", "HostConfig.Links") is None


def test_who_is_linked_must_run(networked):
    networked.run("create", "--name", "db", "busybox", "true")
    networked.run("create", "--name", "web", "--link", "db:database", "busybox", "true")
    failed = networked.fails("start", "web", code=1)
    assert "cannot link to a non running container: /db AS /web/database" in failed.stderr


def test_who_is_linked_must_be_on_the_bridge(networked):
    networked.idle("--network", "none", name="alone")
    networked.idle("--network", "host", name="hosted")
    failed = networked.fails("run", "--rm", "--link", "alone", "busybox", "true", code=125)
    assert "does not belong to the default network" in failed.stderr
    failed = networked.fails("run", "--rm", "--link", "hosted", "busybox", "true", code=125)
    assert "host type networking can't be used with links" in failed.stderr


@pytest.mark.parametrize("link", ["", "a:b:c", ":x", "x:", "db:two words", "db:.x", "db:a/b"])
def test_bad_links(networked, link):
    networked.idle(name="db")
    networked.fails("run", "--rm", "--link", link, "busybox", "true", code=125)


def test_refusals(net):
    net.idle(name="db")
    failed = net.fails("run", "--rm", "--link", "nobody:x", "busybox", "true", code=125)
    assert "could not get container for nobody" in failed.stderr
    for mode in ("host", "none", "container:db"):
        failed = net.fails("run", "--rm", "--network", mode, "--link", "db", "busybox", "true",
                           code=125)
        assert "can't be used with links" in failed.stderr, mode
    net.idle(name="two")
    failed = net.fails("run", "--link", "db:x", "--link", "two:x", "busybox", "true", code=125)
    assert "cannot both be linked as 'x'" in failed.stderr
    net.idle("--network", "net", name="three")
    failed = net.fails("network", "connect", "--link", "db", "bridge", "three", code=1)
    assert "are made with the container" in failed.stderr
