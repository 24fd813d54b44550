# SPDX-License-Identifier: Apache-2.0
"""`--filter` on lists: every key, alternatives, and what is refused."""

import pytest


@pytest.fixture
def three(skiff):
    """Containers xa (created), xb (running) and xc (exited with 3), in this order of creation."""
    skiff.run("create", "--name", "xa", "-l", "app=web", "-l", "tier=1", "busybox", "true")
    skiff.start("--name", "xb", "-l", "app=web", "-v", "data:/data", "-v", "/tmp:/host-tmp",
                "--network", "host")
    skiff.fails("run", "--name", "xc", "-l", "app=db", "busybox", "sh", "-c", "exit 3", code=3)
    return skiff


def names(skiff, *filters, all_=True):
    args = [arg for text in filters for arg in ("--filter", text)]
    shown = skiff.run("ps", *(["-a"] if all_ else []), "--format", "{{.Names}}", *args).stdout
    return "".join(sorted(shown.replace("x", "").split()))


FILTERS_OF_PS = [
    ([], "abc"),
    (["name=b"], "b"),
    (["name=^/xb$"], "b"),
    (["name=[ab]"], "ab"),
    (["name=xa", "name=c"], "ac"),
    (["name=("], ""),
    (["label=app"], "abc"),
    (["label=app=web"], "ab"),
    (["label=app=web", "label=tier"], "a"),
    (["label=app=web", "name=b"], "b"),
    (["status=running"], "b"),
    (["status=created", "status=exited"], "ac"),
    (["status=paused"], ""),
    (["status=removing"], ""),
    (["exited=3"], "c"),
    (["exited=0"], ""),
    (["exited=0", "exited=3"], "c"),
    (["before=xb"], "a"),
    (["since=xb"], "c"),
    (["since=xa", "before=xc"], "b"),
    (["ancestor=busybox"], "abc"),
    (["ancestor=busybox:latest"], "abc"),
    (["ancestor=none"], ""),
    (["volume=data"], "b"),
    (["volume=/data"], "b"),
    (["volume=/host-tmp"], "b"),
    (["volume=none"], ""),
    (["network=host"], "b"),
    (["health=none"], "abc"),
    (["health=healthy"], ""),
    (["is-task=true"], ""),
    (["is-task=false"], "abc"),
    (["expose=80"], ""),
    (["publish=8000-9000/tcp"], ""),
    ([" Name = b "], "b"),
]


def test_filters_of_ps(three):
    found = [(filters, names(three, *filters)) for filters, _ in FILTERS_OF_PS]
    assert found == FILTERS_OF_PS


def test_ids_and_what_is_shown_without_all(three):
    ident = three.run("ps", "-aq", "--no-trunc", "--filter", "name=c").stdout.strip()
    assert names(three, f"id={ident[:12]}") == "c"
    assert names(three, "name=.", all_=False) == "b"
    assert names(three, "status=exited", all_=False) == "c"
    assert names(three, "exited=3", all_=False) == ""


REFUSED = [
    ("color=red", "invalid filter 'color'"),
    ("status=happy", "invalid filter 'status=happy'"),
    ("exited=x", "invalid filter 'exited=x'"),
    ("health=x", "invalid filter 'health=x'"),
    ("is-task=x", "invalid filter 'is-task=[x]'"),
    ("publish=http", "invalid filter 'publish=http'"),
    ("expose=90-80", "invalid filter 'expose=90-80'"),
    ("before=nobody", "No such container: nobody"),
]


def test_what_is_refused(skiff):
    for text, message in REFUSED:
        result = skiff.fails("ps", "--filter", text, code=1)
        assert result.stderr == f"skiff: {message}\n" and result.stdout == ""


def test_no_filter_at_all(skiff):
    result = skiff.fails("ps", "-f", "name", code=125)
    assert result.stderr.startswith('invalid argument "name" for "-f, --filter" flag: bad format of '
                                    "filter (expected name=value)\n")


def test_filters_of_images(skiff):
    skiff.run("tag", "busybox", "other:1")
    skiff.run("tag", "busybox", "example.org/a/b:2")

    def names(*filters):
        args = [part for text in filters for part in ("-f", text)]
        return skiff.run("images", "--format", "{{.Repository}}:{{.Tag}}", *args).stdout.split()

    assert sorted(names()) == ["busybox:latest", "example.org/a/b:2", "other:1"]
    assert names("reference=other") == names("reference=other:*") == ["other:1"]
    assert sorted(names("reference=other", "reference=busy*")) == ["busybox:latest", "other:1"]
    assert names("dangling=true") == names("label=x") == names("before=busybox") == []
    assert len(names("dangling=false")) == len(names("until=1h")) == 3
    assert names("since=busybox") == []
    for text, message in [("dangling=x", "invalid filter 'dangling=[x]'"),
                          ("color=x", "invalid filter 'color'"),
                          ("until=never", "invalid filter 'until=never'"),
                          ("before=nothing", "No such image: nothing")]:
        assert skiff.fails("images", "-f", text, code=1).stderr == f"skiff: {message}\n"
    skiff.fails("images", "-f", "dangling", code=125)
    assert skiff.run("images", "--format", "raw", "other").stdout.startswith("repository: other\ntag: 1\n")


def test_published_ports(skiff):
    skiff.run("create", "--name", "web", "-p", "127.0.0.1:18080:80", "busybox", "true")
    for text, shown in [("publish=80", "web\n"), ("publish=70-90/tcp", "web\n"), ("publish=81", ""),
                        ("publish=80/udp", "")]:
        assert skiff.run("ps", "-a", "-f", text, "--format", "{{.Names}}").stdout == shown
