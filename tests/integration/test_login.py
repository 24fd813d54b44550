# SPDX-License-Identifier: Apache-2.0
"""login, logout, and the credentials that others have left: docker's registry with TLS and passwords."""

import base64
import json
import os
import stat
import termios

import pytest

from helpers.docker_registry import DockerRegistry
from helpers.home import Home

USER, PASSWORD = "alice", "s3cret:with colon"


@pytest.fixture
def home(tmp_path, make_skiff):
    return Home(tmp_path / "home", make_skiff())


@pytest.fixture
def registry(tmp_path, home):
    """With TLS by an authority that `home` trusts, and passwords; it has the image app:1."""
    with DockerRegistry(tmp_path / "registry", tls=True,
                        users={USER: PASSWORD, "bob": "other"}) as started:
        started.put_image("app", "1")
        home.certificates(started)
        yield started


def login(home, registry, *args, user=USER, password=PASSWORD, **options):
    return home.skiff.run("login", "-u", user, "--password-stdin", *args, registry.domain,
                          input=password + "\n", **options)


def config(home, name=".docker/config.json"):
    return json.loads((home.path / name).read_text())


def auth(user=USER, password=PASSWORD):
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def pull(home, registry, *args, **options):
    return home.skiff.run("pull", *args, f"{registry.domain}/app:1", check=False, **options)


# ---- login ----

def test_login_pull_logout(home, registry):
    assert pull(home, registry).code == 1
    done = login(home, registry)
    assert done.stdout == "Login Succeeded\n"
    assert f"stored unencrypted in '{home.path}/.docker/config.json'" in done.stderr
    assert config(home) == {"auths": {registry.domain: {"auth": auth()}}}
    assert stat.S_IMODE((home.path / ".docker/config.json").stat().st_mode) == 0o600
    assert pull(home, registry).code == 0
    assert home.skiff.run("login", "--get-login", registry.domain).stdout == f"{USER}\n"
    assert home.skiff.run("logout", registry.domain).stdout == (
        f"Removing login credentials for {registry.domain}\n")
    assert home.skiff.run("logout", registry.domain).stdout == (
        f"Not logged in to {registry.domain}\n")
    assert pull(home, registry).code == 1


def test_nothing_is_stored_before_the_registry_has_agreed(home, registry):
    refused = login(home, registry, password="wrong", check=False)
    assert refused.code == 1
    assert "wrong" not in refused.stderr + refused.stdout
    assert not (home.path / ".docker").exists()
    home.skiff.fails("login", "-u", "x", "--password-stdin", "127.0.0.1:1", input="y", code=1)
    assert not (home.path / ".docker").exists()


def test_a_wrong_password_leaves_the_right_one_in_place(home, registry):
    login(home, registry)
    assert login(home, registry, password="wrong", check=False).code == 1
    assert pull(home, registry).code == 0


def test_on_a_terminal_the_password_is_not_shown(home, registry):
    terminal = home.skiff.spawn("login", registry.domain)
    terminal.expect("Username: ")
    terminal.sendline(USER)
    terminal.expect("Password: ")
    terminal.sendline(PASSWORD)
    terminal.expect("Login Succeeded")
    shown = terminal.before
    terminal.wait()
    assert "s3cret" not in shown
    assert pull(home, registry).code == 0


def echo_is_on(terminal):
    return bool(termios.tcgetattr(terminal.child_fd)[3] & termios.ECHO)


def test_an_interrupted_prompt_leaves_the_terminal_as_it_was(home, registry):
    terminal = home.skiff.spawn("login", "-u", USER, registry.domain)
    terminal.expect("Password: ")
    while echo_is_on(terminal):
        pass
    terminal.sendintr()
    terminal.wait()
    assert terminal.signalstatus == 2 or terminal.exitstatus == 130
    assert echo_is_on(terminal)


@pytest.mark.parametrize("args, message", [
    (["-u", "x", "-p", "y", "--password-stdin"], "cannot specify both"),
    (["--password-stdin"], "requires --username"),
    (["-u", ""], "username is empty"),
    ([], "Cannot perform an interactive login from a non TTY device"),
    (["-u", "x"], "Cannot perform an interactive login from a non TTY device"),
    (["-u", "x", "--password-stdin"], "is empty"),
    (["-u", "x:y", "-p", "z"], "colon"),
])
def test_options_that_make_no_sense(home, args, message):
    refused = home.skiff.fails("login", *args, "registry.example", code=1)
    assert message in refused.stderr


def test_password_on_the_command_line_is_warned_about(home, registry):
    done = home.skiff.run("login", "-u", USER, "-p", PASSWORD, registry.domain)
    assert "WARNING! Using --password via the CLI is insecure" in done.stderr
    assert pull(home, registry).code == 0


def test_remembered_credentials_are_tried_first(home, registry):
    login(home, registry)
    again = home.skiff.run("login", registry.domain)
    assert again.stdout == "Login Succeeded\n"
    assert f"Authenticating with existing credentials... [Username: {USER}]" in again.stderr


def test_servers_as_docker_takes_them(home, registry):
    login(home, registry)
    done = home.skiff.run("login", "-u", USER, "--password-stdin",
                          f"https://{registry.domain}/v2/", input=PASSWORD)
    assert done.stdout == "Login Succeeded\n"
    assert list(config(home)["auths"]) == [registry.domain]
    assert home.skiff.run("logout", f"https://{registry.domain}/v1/").stdout == (
        f"Removing login credentials for {registry.domain}\n")
    assert home.skiff.run("logout").stdout == "Not logged in to https://index.docker.io/v1/\n"
    for bad in ("-", "a b", "http:///", "x" * 300):
        home.skiff.fails("login", "-u", "x", "-p", "y", "--", bad, code=1)


def test_logout_all(home, registry):
    login(home, registry)
    text = config(home)
    text["auths"]["https://index.docker.io/v1/"] = {"auth": auth()}
    text["psFormat"] = "x"
    home.write(".docker/config.json", text)
    assert sorted(home.skiff.run("logout", "--all").stdout.splitlines()) == [
        f"Removing login credentials for {registry.domain}",
        "Removing login credentials for https://index.docker.io/v1/"]
    assert config(home) == {"auths": {}, "psFormat": "x"}


def test_authfile(home, registry, tmp_path):
    file = tmp_path / "my-auth.json"
    login(home, registry, "--authfile", file)
    assert not (home.path / ".docker").exists()
    assert json.loads(file.read_text()) == {"auths": {registry.domain: {"auth": auth()}}}
    assert pull(home, registry).code == 1
    assert pull(home, registry, "--authfile", file).code == 0
    assert pull(home, registry, env={"REGISTRY_AUTH_FILE": str(file)}).code == 0


def test_creds_option(home, registry):
    assert pull(home, registry, "--creds", f"{USER}:{PASSWORD}").code == 0
    refused = pull(home, registry, "--creds", "bob:wrong-one")
    assert refused.code == 1 and "wrong-one" not in refused.stderr


def test_credentials_of_a_part_of_a_registry(home, registry):
    """The longest key counts: another user's for one repository, nobody's for the rest."""
    registry.put_image("team/app", "1")
    home.write(".config/containers/auth.json", {"auths": {
        registry.domain: {"auth": auth("bob", "wrong")},
        f"{registry.domain}/team": {"auth": auth()}}})
    home.skiff.run("pull", f"{registry.domain}/team/app:1")
    assert pull(home, registry).code == 1


# ---- with others ----

def test_what_podman_and_skopeo_log_in_we_use(home, registry):
    done = home.tool("skopeo", "login", "-u", USER, "-p", PASSWORD, registry.domain)
    assert done.returncode == 0, done.stderr
    assert (home.path / "run/containers/auth.json").exists()
    assert pull(home, registry).code == 0
    assert home.skiff.run("logout", registry.domain).stdout.startswith("Removing")
    done = home.tool("skopeo", "login", "--get-login", registry.domain)
    assert done.returncode != 0


def test_what_we_log_in_skopeo_uses(home, registry):
    image = f"docker://{registry.domain}/app:1"
    assert home.tool("skopeo", "inspect", image).returncode != 0
    login(home, registry)
    done = home.tool("skopeo", "inspect", image)
    assert done.returncode == 0, done.stderr
    home.skiff.run("logout", registry.domain)
    assert home.tool("skopeo", "inspect", image).returncode != 0


def test_our_authfile_is_skopeos_too(home, registry, tmp_path):
    login(home, registry, "--authfile", tmp_path / "a.json")
    done = home.tool("skopeo", "inspect", "--authfile", tmp_path / "a.json",
                     f"docker://{registry.domain}/app:1")
    assert done.returncode == 0, done.stderr


# ---- helpers ----

KEEPER = """#!/bin/sh
env >{home}/environment
tr '\\0' ' ' </proc/$$/cmdline >{home}/arguments
case $1 in
store) cat >{home}/kept ;;
get) [ -e {home}/kept ] && exec cat {home}/kept
     echo credentials not found in native keychain; exit 1 ;;
erase) rm -f {home}/kept ;;
esac
"""


def install_keeper(home, text=KEEPER):
    home.write("bin/docker-credential-keeper", text.format(home=home.path), 0o755)
    home.skiff.environment["PATH"] = f"{home.path}/bin:" + os.environ["PATH"]


def test_a_credential_helper_keeps_them(home, registry):
    install_keeper(home)
    home.write(".docker/config.json", {"credsStore": "keeper"})
    done = login(home, registry, env={"SECRET_OF_MINE": "xyzzy"})
    assert done.stdout == "Login Succeeded\n" and "unencrypted" not in done.stderr
    assert auth() not in (home.path / ".docker/config.json").read_text()
    assert json.loads((home.path / "kept").read_text()) == {
        "ServerURL": registry.domain, "Username": USER, "Secret": PASSWORD}
    seen = (home.path / "environment").read_text() + (home.path / "arguments").read_text()
    assert PASSWORD not in seen and "xyzzy" not in seen and "HOME=" in seen
    assert pull(home, registry).code == 0
    home.skiff.run("logout", registry.domain)
    assert not (home.path / "kept").exists()
    assert pull(home, registry).code == 1


def test_a_broken_helper_is_an_error_not_an_anonymous_try(home, registry):
    install_keeper(home, "#!/bin/sh\necho the keychain is locked; exit 1\n")
    home.write(".docker/config.json", {"credHelpers": {registry.domain: "keeper"}})
    refused = pull(home, registry)
    assert refused.code == 1 and "the keychain is locked" in refused.stderr


# ---- certificates ----

def test_an_unknown_authority_is_refused(home, registry, tmp_path):
    image = f"{registry.name}/app:1"
    ca = home.path / f".config/containers/certs.d/{registry.name}/ca.crt"
    credentials = ("--creds", f"{USER}:{PASSWORD}")
    home.skiff.run("login", "-u", USER, "--password-stdin", registry.name, input=PASSWORD)
    home.skiff.run("pull", image)
    ca.unlink()
    assert "certificate" in home.skiff.fails("pull", image, code=1).stderr
    assert "certificate" in home.skiff.fails("login", "-u", USER, "--password-stdin", registry.name,
                                             input=PASSWORD, code=1).stderr
    other = tmp_path / "certs"
    other.mkdir()
    (other / "ca.crt").write_text(registry.ca.read_text())
    home.skiff.run("pull", "--cert-dir", other, *credentials, image)
    home.skiff.run("pull", "--tls-verify=false", *credentials, image)
    home.write(".config/containers/registries.conf",
               f"[[registry]]\nlocation = '{registry.name}'\ninsecure = true\n")
    home.skiff.run("pull", *credentials, image)


def test_no_password_in_the_clear_unless_declared(home, tmp_path):
    """A registry that only speaks plain HTTP, under a name that is not loopback's."""
    with DockerRegistry(tmp_path / "plain", users={USER: PASSWORD}) as plain:
        plain.put_image("app", "1")
        home.skiff.fails("login", "-u", USER, "--password-stdin", plain.name, input=PASSWORD,
                         code=1)
        home.write(".config/containers/registries.conf",
                   f"[[registry]]\nlocation = '{plain.name}'\ninsecure = true\n")
        home.skiff.run("login", "-u", USER, "--password-stdin", plain.name, input=PASSWORD)
        home.skiff.run("pull", f"{plain.name}/app:1")


# ---- secrets stay where they belong ----

def test_no_password_where_others_can_see_it(home, registry):
    """Not in the debug log, not in an argument or in the environment of any process of ours."""
    done = login(home, registry, env={"SKIFF_DEBUG": "all"})
    assert PASSWORD not in done.stderr and auth() not in done.stderr
    watched = home.skiff.run("pull", f"{registry.domain}/app:1", env={"SKIFF_DEBUG": "all"})
    assert PASSWORD not in watched.stderr and auth() not in watched.stderr


@pytest.mark.parametrize("text", [
    '{"auths": {"DOMAIN": {"auth": "aHVudGVyMg=="}}}',
    '{"auths": {"DOMAIN": {"auth": "hunter2"',
    "hunter2",
])
def test_a_malformed_file_is_not_quoted(home, registry, text):
    home.write(".docker/config.json", text.replace("DOMAIN", registry.domain))
    refused = pull(home, registry)
    assert refused.code == 1 and "config.json" in refused.stderr
    assert "hunter2" not in refused.stderr and "aHVudGVyMg" not in refused.stderr
