# SPDX-License-Identifier: Apache-2.0
"""registries.conf with real registries: mirrors, rewrites, short names, and whose password goes where."""

import json

import pytest

from helpers.docker_registry import DockerRegistry
from helpers.home import Home

CONF = ".config/containers/registries.conf"
NOBODY = "127.0.0.1:1"


@pytest.fixture
def home(tmp_path, make_skiff):
    return Home(tmp_path / "home", make_skiff())


@pytest.fixture
def make_registry(tmp_path):
    started = []

    def make(name, **options):
        started.append(DockerRegistry(tmp_path / name, **options).__enter__())
        return started[-1]
    yield make
    for one in started:
        one.__exit__()


def tags(home, name):
    return json.loads(home.skiff.run("image", "inspect", name).stdout)[0]["RepoTags"]


def test_the_first_mirror_that_has_it(home, make_registry):
    """A mirror that nobody answers for, one that has not got it, one that has; the name stays."""
    empty, full = make_registry("empty"), make_registry("full")
    full.put_image("copies/app", "1")
    home.write(CONF, f"""
[[registry]]
location = "vendor.invalid"
[[registry.mirror]]
location = "{NOBODY}"
[[registry.mirror]]
location = "{empty.domain}"
[[registry.mirror]]
location = "{full.domain}/copies"
""")
    home.skiff.run("pull", "vendor.invalid/app:1", env={"SKIFF_REGISTRY_BACKOFF_MS": "1"})
    assert tags(home, "vendor.invalid/app:1") == ["vendor.invalid/app:1"]


def test_mirrors_for_digests_only(home, make_registry):
    mirror, origin = make_registry("mirror"), make_registry("origin")
    digest = origin.put_image("app", "1", {"a": "origin"})
    mirror.put_image("app", "1", {"a": "another image under the same tag"})
    assert mirror.put_image("app", "same", {"a": "origin"}) == digest
    home.write(CONF, f"""
[[registry]]
prefix = "vendor.invalid"
location = "{origin.domain}"
mirror-by-digest-only = true
[[registry.mirror]]
location = "{mirror.domain}"
""")
    shown = home.skiff.run("pull", "vendor.invalid/app:1").stdout
    assert f"Digest: {digest}" in shown
    origin.__exit__()
    home.skiff.run("pull", f"vendor.invalid/app@{digest}")


def test_blocked(home, make_registry):
    registry = make_registry("registry")
    registry.put_image("app", "1")
    home.write(CONF, f'[[registry]]\nlocation = "{registry.domain}"\nblocked = true\n')
    for command in ("pull", "run"):
        refused = home.skiff.fails(command, f"{registry.domain}/app:1")
        assert "blocked by registries.conf" in refused.stderr


def test_short_names(home, make_registry):
    one, two = make_registry("one"), make_registry("two")
    two.put_image("tool", "1")
    two.put_image("deep/place", "1")
    home.write(CONF, f"""
unqualified-search-registries = ["{one.domain}", "{two.domain}"]
[aliases]
"short" = "{two.domain}/deep/place"
""")
    home.skiff.run("pull", "tool:1")
    assert tags(home, f"{two.domain}/tool:1") == [f"{two.domain}/tool:1"]
    home.skiff.run("pull", "short:1")
    assert tags(home, f"{two.domain}/deep/place:1")
    home.write(CONF, f'short-name-mode = "enforcing"\nunqualified-search-registries = '
                     f'["{one.domain}", "{two.domain}"]\n')
    assert "could be any of" in home.skiff.fails("pull", "other:1", code=1).stderr


def test_a_file_that_is_not_understood_stops_everything(home, make_registry):
    registry = make_registry("registry")
    registry.put_image("app", "1")
    for text in ("[[registry]", "[[registry]]\ninsecure = true\n",
                 '[[registry]]\nlocation = "https://x"\n', "blocked = 2026-11-23\n"):
        home.write(CONF, text)
        assert "registries.conf" in home.skiff.fails(
            "pull", f"{registry.domain}/app:1", code=1).stderr


# ---- CVE-2020-15157: whose password goes where ----

def test_a_mirror_gets_its_own_credentials_only(home, make_registry):
    """The password for the vendor never reaches the mirror, nor the other way round."""
    mirror = make_registry("mirror", users={"mirror": "m-secret"})
    origin = make_registry("origin", users={"origin": "o-secret"})
    mirror.put_image("app", "1")
    origin.put_image("app", "1")
    origin.put_image("app", "only", {"a": "only the origin has it"})
    home.write(CONF, f"""
[[registry]]
prefix = "vendor.invalid"
location = "{origin.domain}"
[[registry.mirror]]
location = "{mirror.domain}"
""")
    for registry, pair in ((mirror, "mirror:m-secret"), (origin, "origin:o-secret")):
        user, password = pair.split(":")
        home.skiff.run("login", "-u", user, "--password-stdin", registry.domain, input=password)
    home.skiff.run("pull", "vendor.invalid/app:1")
    home.skiff.run("pull", "vendor.invalid/app:only")
    # What is typed is for the registry that is named, and not for a mirror of it.
    home.skiff.run("logout", mirror.domain)
    home.skiff.run("logout", origin.domain)
    home.skiff.fails("pull", "--creds", "mirror:m-secret", "vendor.invalid/app:1", code=1)
    home.skiff.run("pull", "--creds", "origin:o-secret", "vendor.invalid/app:1")


def test_credentials_of_a_similar_name_are_not_sent(home, make_registry):
    registry = make_registry("registry", users={"u": "p"})
    registry.put_image("app", "1")
    for key in (registry.domain.split(":")[0], f"{registry.domain}0", f"x{registry.domain}",
                f"https://{registry.domain}.evil.example/v1/", f"{registry.domain}/application"):
        home.write(".docker/config.json", {"auths": {key: {"auth": "dTpw"}}}, 0o600)
        home.skiff.fails("pull", f"{registry.domain}/app:1", code=1)
    home.write(".docker/config.json",
               {"auths": {f"https://{registry.domain}/v1/": {"auth": "dTpw"}}}, 0o600)
    home.skiff.run("pull", f"{registry.domain}/app:1")
