# SPDX-License-Identifier: Apache-2.0
"""Secrets: what a container gets, and where it must not be found."""

import json
import stat

import pytest

from helpers.waiting import wait_until

WORD = "hunter2-not-to-be-found"


@pytest.fixture
def secret(skiff):
    skiff.run("secret", "create", "db", input=WORD)
    return "db"


def sh(skiff, *options, script):
    return skiff.run("run", "--rm", *options, "busybox", "sh", "-c", script).stdout


def test_file_on_a_tmpfs(skiff, secret):
    script = ("cat /run/secrets/db; echo; stat -c '%u:%g %a' /run/secrets/db;"
              "grep ' /run/secrets ' /proc/mounts; echo x > /run/secrets/db || echo refused")
    lines = sh(skiff, "--secret", secret, script=script + " 2>/dev/null").splitlines()
    assert lines[:2] == [WORD, "0:0 444"]
    kind, options = lines[2].split()[2:4]
    assert kind == "tmpfs" and {"ro", "nosuid", "nodev", "noexec"} <= set(options.split(","))
    assert lines[3] == "refused"


def test_owner_mode_and_name(skiff, secret):
    out = sh(skiff, "-u", "7:8", "--secret", f"source={secret},target=key,uid=7,gid=8,mode=0400",
             script="cat /run/secrets/key; echo; stat -c '%u:%g %a' /run/secrets/key")
    assert out.splitlines() == [WORD, "7:8 400"]
    skiff.fails("run", "--rm", "-u", "9", "--secret", f"{secret},mode=0400", "busybox", "cat",
                "/run/secrets/db", code=1)


def test_elsewhere(skiff, secret):
    out = sh(skiff, "--secret", f"{secret},target=/etc/app/key", script="cat /etc/app/key")
    assert out == WORD


def test_variable(skiff, secret):
    assert sh(skiff, "--secret", f"{secret},type=env", script="echo $db") == WORD + "\n"
    assert sh(skiff, "--secret", f"{secret},type=env,target=DB_PASSWORD",
              script="echo $DB_PASSWORD; ls -d /run/secrets 2>&1; true").startswith(WORD + "\nls:")
    skiff.run("secret", "create", "bytes", input="a\0b")
    failed = skiff.fails("run", "--rm", "--secret", "bytes,type=env", "busybox", "true")
    assert "it has a zero byte" in failed.stderr


def test_exec_has_them_too(skiff, secret):
    skiff.run("run", "-d", "--name", "box", "--secret", secret, "--secret",
              f"{secret},type=env,target=P", "busybox", "sleep", "1000")
    assert skiff.run("exec", "box", "sh", "-c", "cat /run/secrets/db; echo $P").stdout == \
        WORD + WORD + "\n"
    skiff.run("rm", "-f", "box")


def files_with(directory, text):
    return [path for path in directory.rglob("*") if path.is_file() and not path.is_symlink()
            and text.encode() in path.read_bytes()]


def test_nowhere_else(skiff, secret):
    """Not in inspect, the configuration, the log, the writable layer or an image."""
    skiff.run("run", "--name", "box", "--secret", secret, "--secret", f"{secret},type=env",
              "busybox", "sh", "-c", "test -s /run/secrets/db && test -n \"$db\"")
    assert WORD not in skiff.run("inspect", "box").stdout
    skiff.run("commit", "box", "made")
    assert WORD not in skiff.run("image", "inspect", "made").stdout
    assert WORD not in skiff.run("run", "--rm", "made", "sh", "-c",
                                 "env; cat /run/secrets/* 2>/dev/null; true").stdout
    assert WORD not in skiff.run("export", "box", text=False).stdout.decode("latin-1")
    found = files_with(skiff.root, WORD)
    assert len(found) == 3 and len({path.stat().st_ino for path in found}) == 1
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in found)
    skiff.run("rm", "box")
    assert [path.parent.name for path in files_with(skiff.root, WORD)] == ["secrets"]
    skiff.run("secret", "rm", secret)
    assert files_with(skiff.root, WORD) == []


def test_container_keeps_what_it_was_given(skiff, secret):
    skiff.run("create", "--name", "box", "--secret", secret, "busybox", "cat", "/run/secrets/db")
    skiff.run("secret", "create", "--replace", secret, input="new")
    assert skiff.run("start", "-a", "box").stdout == WORD
    skiff.run("secret", "rm", secret)
    assert skiff.run("start", "-a", "box").stdout == WORD
    skiff.run("rm", "box")


def test_after_a_restart_by_its_monitor(skiff, secret):
    skiff.run("run", "--name", "box", "--secret", secret, "--restart", "on-failure:1", "busybox",
              "sh", "-c", "cat /run/secrets/db; exit 1", check=False)
    wait_until(lambda: skiff.run("logs", "box").stdout == WORD * 2)
    skiff.run("rm", "-f", "box")


def test_over_the_users_mount(skiff, secret, tmp_path):
    """The last mount wins, and the directory of the host gets nothing."""
    out = sh(skiff, "-v", f"{tmp_path}:/run/secrets", "--secret", secret,
             script="ls /run/secrets")
    assert out == "db\n" and list(tmp_path.iterdir()) == []


def test_target_through_a_link(skiff, secret, tmp_path):
    """Resolved inside: a link in the image or in a volume leads nowhere else."""
    (tmp_path / "way").symlink_to("/etc")
    before = set(tmp_path.iterdir())
    out = sh(skiff, "-v", f"{tmp_path}:/v", "--secret", f"{secret},target=/v/way/skiff-secret",
             script="cat /etc/skiff-secret")
    assert out == WORD and set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("text, message", [
    ("missing", "no secret with name or id \"missing\""),
    ("", "no secret name"),
    ("db,type=file", "invalid --secret"),
    ("db,mode=99", "invalid --secret"),
    ("db,uid=-1", "invalid --secret"),
    ("db,x=y", "invalid --secret"),
    ("db,target=a/b", "target 'a/b'"),
    ("db,target=..", "target '..'"),
    ("db,type=env,mode=0400", "cannot be set with secret type env"),
    ("db,type=env,target=a=b", "target 'a=b'"),
])
def test_bad_options(skiff, secret, text, message):
    failed = skiff.fails("run", "--secret", text, "busybox", "true", code=125)
    assert message in failed.stderr
    assert skiff.run("ps", "-aq").stdout == ""


def test_in_proc(skiff, secret):
    failed = skiff.fails("run", "--rm", "--secret", f"{secret},target=/proc/self/attr/exec",
                         "busybox", "true")
    assert "/proc" in failed.stderr


def test_twice_in_one_place(skiff, secret):
    failed = skiff.fails("run", "--secret", secret, "--secret", secret, "busybox", "true",
                         code=125)
    assert "Duplicate secret target: db" in failed.stderr


# ---- the commands ----

def test_create_from_a_file_or_a_variable(skiff, tmp_path):
    (tmp_path / "file").write_bytes(b"\xff\0bytes")
    skiff.run("secret", "create", "a", tmp_path / "file")
    skiff.run("secret", "create", "--env", "b", "TOKEN", env={"TOKEN": "of a variable"})
    out = skiff.run("run", "--rm", "--secret", "a", "--secret", "b", "busybox", "sh", "-c",
                    "cat /run/secrets/a /run/secrets/b", text=False).stdout
    assert out == b"\xff\0bytesof a variable"


def test_create_twice(skiff, secret):
    assert "db: secret name in use" in skiff.fails("secret", "create", "db", input="x").stderr
    found = skiff.run("secret", "create", "--ignore", "db", input="x").stdout.strip()
    assert skiff.run("secret", "ls", "-q").stdout.strip() == found
    new = skiff.run("secret", "create", "--replace", "db", input="x").stdout.strip()
    assert new != found
    assert skiff.run("secret", "inspect", "--showsecret", "-f", "{{.SecretData}}",
                     "db").stdout == "x\n"


@pytest.mark.parametrize("name, data", [("db", ""), ("db", "x" * 512000), ("a/b", "x"),
                                        ("..", "x"), ("", "x"), ("a=b", "x")])
def test_bad_content(skiff, name, data):
    skiff.fails("secret", "create", name, "-", input=data)
    assert skiff.run("secret", "ls", "-q").stdout == ""


def test_ls(skiff):
    ids = {name: skiff.run("secret", "create", "-l", f"team={name}", name, input="x").stdout.strip()
           for name in ("one", "two")}
    assert skiff.run("secret", "ls").stdout.splitlines()[0].split() == \
        ["ID", "NAME", "DRIVER", "CREATED", "UPDATED"]
    assert len(skiff.run("secret", "ls", "--noheading").stdout.splitlines()) == 2
    assert skiff.run("secret", "ls", "--format", "{{.Name}} {{.ID}}", "-f", "name=^o").stdout == \
        f"one {ids['one']}\n"
    assert skiff.run("secret", "ls", "-q", "-f", f"id={ids['two'][:8]}").stdout.strip() == \
        ids["two"]
    assert skiff.run("secret", "ls", "-q", "-f", "label=team=two").stdout.strip() == ids["two"]


def test_inspect(skiff, secret):
    found = json.loads(skiff.run("secret", "inspect", secret).stdout)[0]
    assert found["Spec"] == {"Name": "db", "Driver": {"Name": "file", "Options": {}}, "Labels": {}}
    assert WORD not in json.dumps(found)
    assert WORD not in skiff.run("secret", "inspect", "--pretty", secret).stdout
    assert WORD in skiff.run("secret", "inspect", "--pretty", "--showsecret", secret).stdout


def test_rm(skiff, secret):
    skiff.fails("secret", "rm", "missing", code=1)
    skiff.run("secret", "rm", "--ignore", "missing")
    skiff.run("secret", "create", "other", input="x")
    assert skiff.run("secret", "rm", "--all").stdout.split() == ["db", "other"]
    assert list((skiff.root / "secrets").iterdir()) == []


def test_what_a_crash_left_is_swept(skiff, secret):
    left = skiff.root / "secrets" / "0123456789abcdef012345678"
    left.write_text(WORD)
    skiff.run("container", "prune", "-f")
    assert not left.exists()
    assert sh(skiff, "--secret", secret, script="cat /run/secrets/db") == WORD


@pytest.mark.parametrize("kind, name", [("container", "box"), ("image", "busybox"),
                                        ("network", "none"), ("secret", "db"), ("volume", "data")])
def test_exists(skiff, secret, kind, name):
    skiff.run("create", "--name", "box", "-v", "data:/data", "busybox", "true")
    found = skiff.run(kind, "exists", name)
    assert (found.stdout, found.stderr) == ("", "")
    failed = skiff.fails(kind, "exists", "missing", code=1)
    assert (failed.stdout, failed.stderr) == ("", "")
