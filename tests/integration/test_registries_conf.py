# SPDX-License-Identifier: Apache-2.0
"""registries.conf with real registries: mirrors, rewrites, short names, and whose password goes where."""

import json

import pexpect
import pytest

from helpers.docker_registry import DockerRegistry
from helpers.features import require_tool
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
    two.put_image("tool", "2")
    home.skiff.run("pull", "--all-tags", "tool")
    assert tags(home, f"{two.domain}/tool:2")
    assert home.skiff.run("search", "--list-tags", "short").stdout == "1\n"
    home.write(CONF, f'short-name-mode = "enforcing"\nunqualified-search-registries = '
                     f'["{one.domain}", "{two.domain}"]\n')
    assert "could be any of" in home.skiff.fails("pull", "other:1", code=1).stderr


# ---- asking what a short name means ----

IN_PRIVATE = 'mount --bind "$1" /var/cache && shift && exec "$@"'


@pytest.fixture
def asked(home, tmp_path, monkeypatch):
    """`home`, whose skiff sees a /var/cache of its own: aliases are the whole machine's for root."""
    cache = tmp_path / "cache"
    cache.mkdir()
    command = home.skiff.command
    monkeypatch.setattr(home.skiff, "command", lambda *args: [
        require_tool("unshare"), "-m", "sh", "-c", IN_PRIVATE, "sh", str(cache), *command(*args)])
    home.aliases = cache / "containers/short-name-aliases.conf"
    return home


@pytest.fixture
def both(make_registry):
    """Two registries that have tool:1."""
    registries = make_registry("one"), make_registry("two")
    for number, registry in enumerate(registries):
        registry.put_image("tool", "1", {"which": str(number)})
    return registries


def search_list(home, registries, mode=None):
    names = ", ".join(f'"{registry.domain}"' for registry in registries)
    home.write(CONF, (f'short-name-mode = "{mode}"\n' if mode else "") +
               f"unqualified-search-registries = [{names}]\n")


def finish(child, status):
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == status


@pytest.mark.parametrize("mode", [None, "permissive", "enforcing"])
def test_somebody_at_a_terminal_is_asked(asked, both, mode):
    names = [f"{registry.domain}/tool:1" for registry in both]
    search_list(asked, both, mode)
    child = asked.skiff.spawn("pull", "tool:1")
    for number, name in enumerate(names):
        child.expect_exact(f"{number + 1}  {name}")
    for answer in ("", "0", "3", "x", "2"):
        child.expect_exact("Number: ")
        child.sendline(answer)
    finish(child, 0)
    assert tags(asked, names[1]) == [names[1]]
    # From now on it is known, and nobody needs to be asked.
    assert f'"tool" = "{both[1].domain}/tool"' in asked.aliases.read_text()
    asked.skiff.run("rmi", names[1])
    asked.skiff.run("pull", "tool:1")
    assert tags(asked, names[1]) == [names[1]]
    asked.skiff.fails("image", "inspect", names[0])


def test_nobody_is_asked_when_it_is_disabled(asked, both):
    search_list(asked, both, "disabled")
    finish(asked.skiff.spawn("pull", "tool:1"), 0)
    assert tags(asked, f"{both[0].domain}/tool:1")
    assert not asked.aliases.exists()


def test_only_what_could_be_pulled_is_remembered(asked, both):
    search_list(asked, both)
    child = asked.skiff.spawn("pull", "nothing:1")
    child.expect_exact("Number: ")
    child.sendline("1")
    finish(child, 1)
    assert not asked.aliases.exists()


def test_no_answer_is_no_pull(asked, both):
    search_list(asked, both)
    child = asked.skiff.spawn("pull", "tool:1")
    child.expect_exact("Number: ")
    child.sendeof()
    child.expect_exact("names no registry, and none was chosen")
    finish(child, 1)
    assert asked.skiff.run("images", "-q").stdout == ""


def test_create_asks_too(asked, both):
    search_list(asked, both)
    child = asked.skiff.spawn("create", "tool:1", "x")
    child.expect_exact("Number: ")
    child.sendline("2")
    finish(child, 0)
    assert tags(asked, f"{both[1].domain}/tool:1")


def test_what_is_in_the_store_needs_no_answer(home, both):
    search_list(home, both, "enforcing")
    home.skiff.run("pull", f"{both[1].domain}/tool:1")
    home.skiff.run("create", "tool:1", "x")
    assert "could be any of" in home.skiff.fails("create", "other:1", "x", code=1).stderr


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
