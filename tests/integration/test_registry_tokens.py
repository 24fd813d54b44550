# SPDX-License-Identifier: Apache-2.0
"""Identity tokens: what a login leaves instead of a password, exchanged for a token each time.

As docker and containerd do it: `identitytoken` in the file of credentials, or "<token>" as the user's
name from a credential helper; POST with grant_type=refresh_token to the registry's realm (OAuth2).
"""

import base64
import json
import os
import urllib.parse

import pytest

from helpers.home import Home
from helpers.registry import BadRegistry, MemoryImage, TakingRegistry, answer, small_tar

SECRET = "identity+of/me=="  # every character that a form must escape
SCOPES = {"pull": "repository:app:pull", "push": "repository:app:pull,push"}


@pytest.fixture
def home(tmp_path, make_skiff):
    return Home(tmp_path / "home", make_skiff())


class TokenRealm:
    """Stands before a registry: whoever shows no token is sent to its realm."""

    def __init__(self, registry, field="access_token"):
        self.registry = registry
        self.field = field
        self.forms, self.asked = [], []
        self.given = []
        registry.before = self

    def __call__(self, request):
        if request.path.startswith("/token"):
            self._exchange(request)
            return True
        if request.headers.get("Authorization") in [f"Bearer {token}" for token in self.given]:
            return False
        request.rfile.read(int(request.headers.get("Content-Length") or 0))
        answer(request, 401, b"{}", {
            "WWW-Authenticate": f'Bearer realm="http://{self.registry.host}/token",service="reg"'})
        return True

    def _exchange(self, request):
        self.asked.append((request.command, request.headers.get("Authorization")))
        form = dict(urllib.parse.parse_qsl(
            request.rfile.read(int(request.headers.get("Content-Length") or 0)).decode()))
        self.forms.append(form)
        if request.command != "POST" or form.get("refresh_token") != SECRET:
            answer(request, 401, b'{"error":"invalid_grant"}')
            return
        self.given.append(f"given-{len(self.given)}")
        answer(request, 200, json.dumps({self.field: self.given[-1]}).encode())


def remember(home, host, secret=SECRET):
    pair = base64.b64encode(b"00000000-0000-0000-0000-000000000000:").decode()
    home.write(".docker/config.json", {"auths": {host: {"auth": pair, "identitytoken": secret}}})


@pytest.fixture
def app(make_server):
    return make_server(BadRegistry, MemoryImage([small_tar({"hello": b"hello"})]))


@pytest.mark.parametrize("field", ["token", "access_token"])
def test_an_identity_token_is_exchanged(home, app, field):
    realm = TokenRealm(app, field)
    remember(home, app.host)
    home.skiff.run("pull", "-q", f"{app.host}/app:1")
    assert set(realm.asked) == {("POST", None)}, "no password is shown"
    form = realm.forms[0]
    assert form["grant_type"] == "refresh_token"
    assert form["service"] == "reg"
    assert form["scope"] == SCOPES["pull"]
    assert form["client_id"]
    assert SECRET not in json.dumps(app.seen), "it is in no URL"


def test_a_token_for_pushing(home, make_server, busybox):
    server = make_server(TakingRegistry)
    realm = TokenRealm(server)
    remember(home, server.host)
    home.skiff.load(busybox)
    home.skiff.run("push", "-q", "busybox", f"{server.host}/app:1")
    server.assert_whole("app", "1")
    assert {form["scope"] for form in realm.forms} == {SCOPES["push"]}


def test_a_helper_keeps_an_identity_token(home, app):
    """The user's name "<token>" says that the secret is one."""
    TokenRealm(app)
    home.write("bin/docker-credential-kept", "#!/bin/sh\ncat > /dev/null\n"
               f"echo '{{\"Username\":\"<token>\",\"Secret\":\"{SECRET}\"}}'\n", 0o755)
    home.write(".docker/config.json", {"credsStore": "kept"})
    home.skiff.environment["PATH"] = f"{home.path}/bin:" + os.environ["PATH"]
    home.skiff.run("pull", "-q", f"{app.host}/app:1")


def test_an_identity_token_that_is_no_good_any_more(home, app):
    realm = TokenRealm(app)
    remember(home, app.host, "revoked")
    failed = home.skiff.run("pull", f"{app.host}/app:1", check=False)
    assert failed.code == 1
    assert failed.stderr.count("\n") == 1 and "revoked" not in failed.stderr
    assert len(realm.asked) < 10


def test_an_identity_token_goes_to_no_foreign_realm(home, app, make_server):
    """127.0.0.1 is another host than localhost, and nobody has said that it may see it."""
    thief = make_server(BadRegistry, app.image)

    def before(request):
        answer(request, 401, b"{}", {"WWW-Authenticate":
               f'Bearer realm="http://127.0.0.1:{thief.http.port}/token",service="reg"'})
        return True

    app.before = before
    remember(home, app.host)
    assert "not its own" in home.skiff.fails("pull", f"{app.host}/app:1").stderr
    assert thief.seen == []
