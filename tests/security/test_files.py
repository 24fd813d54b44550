# SPDX-License-Identifier: Apache-2.0
"""THREATS.md: 2018-15664, 2019-14271, 2019-18466, 2026-41567, 2026-41568. cp, export and commit of a
container that exchanges a directory for a link to the host as fast as it can, or that brings
programs and libraries which other engines ran."""

import os
import subprocess

import pytest

from helpers.canary import SECRET
from test_races import racing

ROUNDS = 15


@pytest.fixture(params=["absolute", "relative"])
def shared(request, skiff, canary):
    """A volume in a running container: a directory "a", and "b", a link to the canary."""
    skiff.start("--name", "one", "-v", "shared:/shared")
    skiff.run("exec", "one", "mkdir", "/shared/a")
    data = skiff.root / "volumes/shared/_data"
    (data / "a/secret").write_text("the container's")
    target = str(canary.path)
    if request.param == "relative":
        target = "../" * 30 + target.lstrip("/")
    os.symlink(target, data / "b")
    return data


def test_cp_out_of_a_racing_volume(skiff, canary, racer, shared, tmp_path):
    with racing(racer, shared / "a", shared / "b"):
        for number in range(ROUNDS):
            skiff.run("cp", "one:/shared/a/secret", tmp_path / f"file{number}", check=False)
            skiff.run("cp", "-L", "one:/shared", tmp_path / f"all{number}", check=False)
    for base, _, names in os.walk(tmp_path):
        for name in names:
            path = os.path.join(base, name)
            if not os.path.islink(path):
                with open(path, encoding="utf-8") as file:
                    assert SECRET not in file.read(), path
    canary.assert_untouched()


def test_cp_into_a_racing_volume(skiff, canary, racer, shared, tmp_path):
    (tmp_path / "secret").write_text("overwritten")
    (tmp_path / "new").mkdir()
    (tmp_path / "new/file").write_text("made")
    with racing(racer, shared / "a", shared / "b"):
        for _ in range(ROUNDS):
            skiff.run("cp", tmp_path / "secret", "one:/shared/a/", check=False)
            skiff.run("cp", tmp_path / "secret", "one:/shared/a/secret", check=False)
            skiff.run("cp", tmp_path / "new", "one:/shared/a", check=False)
    canary.assert_untouched()


@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
def test_links_lead_nowhere(skiff, canary, tmp_path, running):
    """Out, in, and as the name itself; nothing of the host is read or written."""
    skiff.start("--name", "one", command=("sh", "-c", f"ln -s {canary.path} /abs; ln -s "
                                          f"{'../' * 30}{str(canary.path)[1:]} /rel; ln -s "
                                          f"{canary.path}/secret '/*'; echo ready; sleep 1000"))
    skiff.wait_for_output("one", "ready")
    if not running:
        skiff.run("kill", "one")
        skiff.run("wait", "one")
    (tmp_path / "file").write_text("x")
    for name in ("abs", "rel"):
        for path in (f"/{name}/secret", f"/{name}/", f"/{name}/."):
            assert skiff.run("cp", "-L", f"one:{path}", tmp_path / "out", check=False).code == 1
            assert skiff.run("cp", tmp_path / "file", f"one:{path}", check=False).code == 1
    skiff.run("cp", "one:/*", tmp_path / "star")
    assert os.path.islink(tmp_path / "star")
    skiff.fails("cp", "-L", "one:/*", tmp_path / "star2", code=1)
    for command in (["export", "one"], ["diff", "one"], ["commit", "one"]):
        assert SECRET.encode() not in skiff.run(*command, text=False).stdout
    canary.assert_untouched()


def test_nothing_of_the_container_runs(skiff, tmp_path):
    """Decompressors and libraries in the places where others looked for them."""
    skiff.start("--name", "one", command=("sh", "-c", """
        mkdir -p /usr/bin /lib/x86_64-linux-gnu /etc
        for name in /usr/bin/xz /usr/bin/unpigz /usr/bin/gzip /lib/x86_64-linux-gnu/libc.so.6 \
                /lib/x86_64-linux-gnu/libnss_files.so.2 /lib/x86_64-linux-gnu/libisal.so.2; do
            printf '#!/bin/sh\\ntouch /ran\\n' > $name; chmod 755 $name
        done
        echo 'passwd: evil' > /etc/nsswitch.conf; echo ready; exec sleep 1000"""))
    skiff.wait_for_output("one", "ready")
    (tmp_path / "file").write_text("x")
    for compress in ("xz", "gzip"):
        tar = subprocess.run(["tar", "-C", str(tmp_path), "-cf", "-", "file"], check=True,
                             stdout=subprocess.PIPE).stdout
        data = subprocess.run([compress, "-c"], input=tar, check=True,
                              stdout=subprocess.PIPE).stdout
        skiff.run("cp", "-", "one:/tmp", input=data)
    skiff.run("cp", "-a", "one:/usr/bin/xz", tmp_path)
    assert "/ran" not in skiff.run("diff", "one").stdout


def test_an_archive_that_climbs_out(skiff, canary, tmp_path):
    """From standard input: names, links and hard links out of the directory."""
    import io
    import tarfile

    skiff.start("--name", "one")
    for name, kind, link in (("../../../../up", tarfile.REGTYPE, ""),
                             ("hard", tarfile.LNKTYPE, "../../etc/passwd")):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, link
            archive.addfile(member)
        skiff.fails("cp", "-", "one:/tmp", input=buffer.getvalue(), code=1)
    canary.assert_untouched()
