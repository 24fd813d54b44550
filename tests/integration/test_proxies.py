# SPDX-License-Identifier: Apache-2.0
"""Proxies: ours to registries, from the environment; and those that containers are told of."""


import pytest

from helpers.docker_registry import DockerRegistry
from helpers.home import Home
from helpers.proxy import Proxy


@pytest.fixture
def home(tmp_path, make_skiff):
    return Home(tmp_path / "home", make_skiff())


@pytest.fixture
def registry(tmp_path, home):
    """TLS, under a name that is not taken for loopback."""
    with DockerRegistry(tmp_path / "registry", tls=True) as started:
        home.certificates(started)
        started.put_image("app", "1")
        yield started


@pytest.fixture
def plain(tmp_path, home):
    with DockerRegistry(tmp_path / "plain") as started:
        started.put_image("app", "1")
        home.write(".config/containers/registries.conf",
                   f"[[registry]]\nlocation = '{started.name}'\ninsecure = true\n")
        yield started


# ---- to registries ----

@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_a_tunnel_for_https(home, registry, variable):
    with Proxy() as proxy:
        home.skiff.run("pull", f"{registry.name}/app:1", env={variable: proxy.url})
        assert set(proxy.seen) == {f"CONNECT {registry.name}"}
        home.skiff.run("push", f"{registry.name}/app:1", f"{registry.name}/copy:1",
                       env={variable: proxy.url})
    assert registry.manifest("copy", "1") == registry.manifest("app", "1")


def test_plain_requests(home, plain):
    with Proxy() as proxy:
        home.skiff.run("pull", f"{plain.name}/app:1", env={"http_proxy": proxy.url})
        assert any(line.startswith(f"GET http://{plain.name}/v2/app/blobs/") for line in proxy.seen)


def test_certificates_are_checked_through_the_tunnel(home, registry):
    (home.path / f".config/containers/certs.d/{registry.name}/ca.crt").unlink()
    with Proxy() as proxy:
        refused = home.skiff.fails("pull", f"{registry.name}/app:1",
                                   env={"https_proxy": proxy.url}, code=1)
        assert "certificate" in refused.stderr and proxy.seen


def test_no_proxy(home, registry):
    with Proxy() as proxy:
        environment = {"https_proxy": proxy.url, "no_proxy": "other.invalid,registry.localhost"}
        home.skiff.run("pull", f"{registry.name}/app:1", env=environment)
        assert proxy.seen == []


def test_this_machine_is_reached_without(home, plain):
    """As docker and podman do; or a registry on loopback would be lost behind a company's proxy."""
    with Proxy() as proxy:
        environment = {"http_proxy": proxy.url, "https_proxy": proxy.url}
        home.skiff.run("pull", f"{plain.domain}/app:1", env=environment)
        assert proxy.seen == []


def test_a_proxy_with_a_password(home, registry):
    with Proxy(password="me:secret") as proxy:
        with_password = proxy.url.replace("http://", "http://me:secret@")
        home.skiff.run("pull", f"{registry.name}/app:1", env={"https_proxy": with_password})
        proxy.seen.clear()
        wrong = proxy.url.replace("http://", "http://me:hunter2@")
        refused = home.skiff.fails("pull", f"{registry.name}/app:1", code=1,
                                   env={"https_proxy": wrong, "SKIFF_DEBUG": "all"})
        assert "the proxy refuses: status 407" in refused.stderr
        assert "hunter2" not in refused.stderr
        assert len(proxy.seen) == 1  # asking again is no use


def test_a_proxy_that_is_not_there(home, registry):
    refused = home.skiff.fails("pull", f"{registry.name}/app:1", code=1,
                               env={"https_proxy": "http://127.0.0.1:1",
                                    "SKIFF_REGISTRY_BACKOFF_MS": "1"})
    assert "127.0.0.1" in refused.stderr


# ---- of containers ----

PROXIES = {"httpProxy": "http://proxy:3128", "httpsProxy": "http://proxy:3129",
           "noProxy": "localhost,.example.com", "ftpProxy": "http://proxy:21",
           "allProxy": "socks5://proxy:1080"}
VARIABLES = {f"{name}_PROXY": PROXIES[f"{name.lower()}Proxy"]
             for name in ("HTTP", "HTTPS", "NO", "FTP", "ALL")}


def container_environment(skiff, *args, image="busybox"):
    out = skiff.run("run", "--rm", "--network", "none", *args, image, "env").stdout
    return dict(line.split("=", 1) for line in out.splitlines() if "proxy" in line.lower())


@pytest.fixture
def told(home, busybox):
    home.write(".docker/config.json", {"proxies": {"default": PROXIES}})
    home.skiff.load(busybox)
    return home.skiff


def test_containers_are_told(told):
    small = {name.lower(): value for name, value in VARIABLES.items()}
    assert container_environment(told) == {**VARIABLES, **small}
    told.run("create", "--name", "box", "busybox", "true")
    assert "HTTP_PROXY=http://proxy:3128" in told.inspect("box")["Config"]["Env"]


def test_what_is_typed_wins(told):
    seen = container_environment(told, "-e", "HTTP_PROXY=mine", "-e", "https_proxy=")
    assert seen["HTTP_PROXY"] == "mine" and seen["http_proxy"] == "http://proxy:3128"
    assert seen["https_proxy"] == "" and seen["HTTPS_PROXY"] == "http://proxy:3129"
    # A name alone, that is not set here, hides it.
    assert "NO_PROXY" not in container_environment(told, "-e", "NO_PROXY")


def test_an_image_gives_way(told, tmp_path, busybox):
    told.run("import", "--change", "ENV HTTP_PROXY=of-the-image", "--change", "CMD x", "-",
             "other", input=told.run("export", told.run("create", "busybox", "x").stdout.strip(),
                                     text=False).stdout)
    assert container_environment(told, image="other")["HTTP_PROXY"] == "http://proxy:3128"


def test_only_the_default_and_only_texts(home, busybox):
    home.skiff.load(busybox)
    home.write(".docker/config.json", {"proxies": {
        "tcp://elsewhere:2375": PROXIES, "default": {"httpProxy": 3128, "noProxy": ""}}})
    assert container_environment(home.skiff) == {}
    home.write(".docker/config.json", {"proxies": "none", "auths": {}})
    assert container_environment(home.skiff) == {}


def test_a_broken_file_is_a_warning(home, busybox):
    home.skiff.load(busybox)
    home.write(".docker/config.json", '{"auths": {"x": {"auth": "aHVudGVyMg=="}}')
    done = home.skiff.run("run", "--rm", "--network", "none", "busybox", "echo", "x")
    assert done.stdout == "x\n"
    assert done.stderr.startswith("WARNING: ") and "aHVudGVyMg" not in done.stderr


def test_our_own_proxy_is_none_of_the_container_s(home, busybox):
    home.skiff.load(busybox)
    home.skiff.environment["https_proxy"] = "http://me:secret@127.0.0.1:1"
    assert container_environment(home.skiff) == {}
