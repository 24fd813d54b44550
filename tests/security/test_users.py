# SPDX-License-Identifier: Apache-2.0
"""THREATS.md: 2016-3697, 2022-24769, 2022-27649…27652, 2022-36109, 2022-2989, 2022-2990, 2022-2995,
2024-40635, 2024-9676, 2026-47262. Who a process is comes from the image's files, read with care."""

import tarfile
import time

import pytest

from helpers.custom_image import CustomImage

READ_LIMIT_SECONDS = 30


def identity(skiff, name, *args):
    done = skiff.run("run", "--rm", *args, name, "sh", "-c",
                     "grep -E '^(Uid|Gid|Groups|CapInh|CapEff|CapPrm):' /proc/self/status",
                     check=False)
    fields = {line.split(":")[0]: line.split(":")[1].split() for line in done.stdout.splitlines()}
    return done, fields


@pytest.mark.parametrize("user", ["4294967296", "4294967295", "-1", "0x0", "+0",
                                  "2147483648", "1e3", " 0", "0 ", "0:-1", "0:4294967296",
                                  "root:0x0", "18446744073709551616", "\u0660", ":0:0", "a:b:c",
                                  "../root", "root\n"])
@pytest.mark.parametrize("how", ["option", "image"])
def test_absurd_user(skiff, user, how):
    image = CustomImage({"User": user} if how == "image" else None)
    name = image.load(skiff)
    args = ["-u", user] if how == "option" else []
    done, fields = identity(skiff, name, *args)
    assert done.code in (125, 126), (user, done)
    assert not fields
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_number_is_not_a_name(skiff):
    """An image cannot make `-u 1000` root by a user whose name is "1000"."""
    image = CustomImage()
    image.layer.file("etc/passwd", "1000:x:0:0:trap:/root:/bin/sh\nroot:x:0:0::/root:/bin/sh\n"
                                   "0:x:1234:1234::/:/bin/sh\n")
    name = image.load(skiff)
    assert identity(skiff, name, "-u", "1000")[1]["Uid"] == ["1000"] * 4
    assert identity(skiff, name, "-u", "0")[1]["Uid"] == ["0"] * 4


def test_malformed_lines_are_skipped(skiff):
    image = CustomImage()
    image.layer.file("etc/passwd", ":::::\n\nbroken\nx:x:notanumber:0::/:\n"
                                   "huge:x:99999999999:0::/:\nminus:x:-1:0::/:\n"
                                   "good:x:12:34::/home:/bin/sh\n")
    name = image.load(skiff)
    assert identity(skiff, name, "-u", "good")[1]["Uid"] == ["12"] * 4
    for user in ("x", "huge", "minus", "broken"):
        assert identity(skiff, name, "-u", user)[0].code in (125, 126), user


def huge_passwd(layer):
    layer.file("etc/passwd", b"a" * (64 << 20))


def many_groups(layer):
    layer.file("etc/group", "".join(f"g{number}:x:{number}:root\n" for number in range(1_000_000)))


@pytest.mark.parametrize("make", [
    lambda layer: layer.fifo("etc/passwd"),
    lambda layer: layer.symlink("etc/passwd", "/dev/zero"),
    lambda layer: layer.symlink("etc/passwd", "/proc/self/mem"),
    lambda layer: layer.symlink("etc/passwd", "passwd"),
    lambda layer: layer.device("etc/passwd", "c", 1, 5),
    lambda layer: layer.add("etc/passwd", tarfile.DIRTYPE, mode=0o755),
    huge_passwd,
    many_groups,
], ids=["fifo", "zero", "mem", "loop", "device", "directory", "64-MiB-line", "million-groups"])
def test_hostile_user_files(skiff, make):
    """No hang and no unbounded reading: an answer or one line of error, soon."""
    image = CustomImage()
    image.layer.whiteout("etc/passwd")
    second = image.image.layer()
    make(second)
    name = image.load(skiff)
    begin = time.monotonic()
    done = skiff.run("run", "--rm", "-u", "root", name, "true", check=False,
                     timeout=READ_LIMIT_SECONDS)
    assert done.code in (0, 125, 126), done
    # The uid as a number needs no file.
    skiff.run("run", "--rm", "-u", "0:0", name, "true", check=False, timeout=READ_LIMIT_SECONDS)
    assert time.monotonic() - begin < READ_LIMIT_SECONDS


def test_user_files_of_the_host_are_not_read(skiff, canary):
    """A link from etc/passwd to a file of the host leads into the image."""
    (canary.path / "passwd").write_text("outsider:x:0:0::/:/bin/sh\n")
    canary.before = canary.state()
    image = CustomImage()
    image.layer.whiteout("etc/passwd")
    image.image.layer().symlink("etc/passwd", f"{canary.path}/passwd")
    done, _ = identity(skiff, image.load(skiff), "-u", "outsider")
    assert done.code in (125, 126)


# ---- groups ----

GROUPS = "root:x:0:\nstaff:x:50:alice,bob\nextra:x:60:alice\nother:x:70:bob\nalice:x:1001:\n"
PASSWD = "root:x:0:0::/root:/bin/sh\nalice:x:1001:1001::/:/bin/sh\n"


@pytest.fixture
def with_groups(skiff):
    image = CustomImage()
    image.layer.file("etc/passwd", PASSWD)
    image.layer.file("etc/group", GROUPS)
    # Readable by everybody but the members of "staff".
    image.layer.file("not-for-staff", "read", mode=0o604, uid=0, gid=50)
    return image.load(skiff)


@pytest.mark.parametrize("args, uid, gid, groups", [
    (["-u", "alice"], 1001, 1001, {1001, 50, 60}),
    (["-u", "1001"], 1001, 1001, {1001, 50, 60}),
    (["-u", "alice:other"], 1001, 70, {70}),
    (["-u", "1001:1001"], 1001, 1001, {1001}),
    (["-u", "7777"], 7777, 0, {0}),
    (["-u", "7777:8888"], 7777, 8888, {8888}),
    (["-u", "alice", "--group-add", "other"], 1001, 1001, {1001, 50, 60, 70}),
    (["--group-add", "4321"], 0, 0, {0, 4321}),
    ([], 0, 0, {0}),
])
def test_supplementary_groups(skiff, with_groups, args, uid, gid, groups):
    _, fields = identity(skiff, with_groups, *args)
    assert fields["Uid"] == [str(uid)] * 4
    assert fields["Gid"] == [str(gid)] * 4
    # The primary group counts as a member whether it is in the list or not.
    assert set(map(int, fields["Groups"])) | {gid} == groups
    assert len(fields["Groups"]) == len(set(fields["Groups"]))


def test_negative_group_permission(skiff, with_groups):
    done = skiff.run("run", "--rm", "-u", "alice", with_groups, "cat", "/not-for-staff",
                     check=False)
    assert done.stdout == "" and done.code != 0
    assert skiff.run("run", "--rm", "-u", "7777:8888", with_groups, "cat",
                     "/not-for-staff").stdout == "read"


# ---- capabilities ----

@pytest.mark.parametrize("args", [[], ["-u", "1001"], ["--cap-add", "ALL"],
                                  ["--cap-add", "NET_ADMIN", "-u", "1001"], ["--privileged"]])
def test_inheritable_is_empty(skiff, args):
    _, fields = identity(skiff, "busybox", *args)
    assert int(fields["CapInh"][0], 16) == 0
    if "-u" in args:
        assert int(fields["CapEff"][0], 16) == 0
    skiff.start("--name", "box", *args)
    for more in ([], ["-u", "1001"]):
        text = skiff.run("exec", *more, "box", "cat", "/proc/self/status").stdout
        assert "CapInh:\t0000000000000000" in text
