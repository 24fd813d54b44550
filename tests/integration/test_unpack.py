# SPDX-License-Identifier: Apache-2.0
"""Hostile layers: skiff-unpack refuses them in one line, or makes of them what docker makes, and
never touches anything but the layer's directory (the fixture checks canaries after every run)."""

import bz2
import gzip
import hashlib
import lzma
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time

import pytest

from helpers.features import require_tool
from helpers.tar_bytes import (END, archive, directory, file, gnu_long, hardlink, header, padded,
                               pax, pax_raw, pax_record, symlink)
from helpers.unpack import INPUT, OUTPUT, RESULT, spawn
from helpers.waiting import wait_until

NODE = header("dev/x", kind="3", major=1, minor=3)


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def zstd(data):
    return subprocess.run([require_tool("zstd"), "-qc"], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


REFUSED = {
    # names that lead out
    "dotdot": (archive(file("../canary", "x")), "leads out"),
    "dotdot-deep": (archive(directory("a"), file("a/../../canary", "x")), "leads out"),
    "dotdot-absolute": (archive(file("/../canary", "x")), "leads out"),
    "dotdot-dir": (archive(directory("../")), "leads out"),
    "dotdot-pax": (archive(pax(("path", "../canary")), file("a", "x")), "leads out"),
    "dotdot-gnu": (archive(gnu_long("../canary"), file("a", "x")), "leads out"),
    "dotdot-prefix": (archive(file("canary", "x", prefix="..")), "leads out"),
    "dotdot-whiteout": (archive(file("../.wh.canary")), "leads out"),
    "dotdot-sparse-name": (archive(pax(("GNU.sparse.major", "0"), ("GNU.sparse.minor", "1"),
                                       ("GNU.sparse.name", "../canary"),
                                       ("GNU.sparse.realsize", "0"), ("GNU.sparse.map", "")),
                                   file("a")), "leads out"),
    "root-is-a-file": (archive(file(".", "x")), "the root"),
    "root-is-a-link": (archive(symlink("/", "/etc")), "the root"),
    "root-by-dotdot": (archive(file("a/..", "x")), "the root"),
    # links
    "hardlink-dotdot": (archive(hardlink("a", "../canary")), "leads out"),
    "hardlink-absolute": (archive(hardlink("a", "/etc/passwd")), "not in this layer"),
    "hardlink-missing": (archive(hardlink("a", "b")), "not in this layer"),
    "hardlink-later": (archive(hardlink("a", "b"), file("b", "x")), "not in this layer"),
    "hardlink-self": (archive(file("a", "x"), hardlink("a", "a")), "itself"),
    "hardlink-root": (archive(hardlink("a", "/")), "itself"),
    "hardlink-directory": (archive(directory("d"), hardlink("a", "d")), "hard link"),
    "hardlink-through-link": (archive(directory("d"), file("d/f", "x"), symlink("l", "d"),
                                      hardlink("a", "l/f")), "through a symbolic link"),
    "hardlink-through-link-out": (archive(symlink("l", "/etc"), hardlink("a", "l/passwd")),
                                  "through a symbolic link"),
    "hardlink-through-dotdot-link": (archive(symlink("l", "../.."), hardlink("a", "l/canary")),
                                     "through a symbolic link"),
    "hardlink-whiteout": (archive(file(".wh.f"), hardlink("a", "f")), "not in this layer"),
    "hardlink-long": (archive(pax(("linkpath", "a/" * 3000)), hardlink("a", "b")), "too long"),
    "symlink-empty": (archive(symlink("a", "")), "nothing"),
    "parent-is-file": (archive(file("a", "x"), file("a/b", "x")), "its directory"),
    "parent-is-dangling": (archive(symlink("a", "nowhere"), file("a/b", "x")), "its directory"),
    "parent-is-loop": (archive(symlink("a", "b"), symlink("b", "a"), file("a/x", "x")),
                       "its directory"),
    # whiteouts
    "whiteout-nothing": (archive(file(".wh.")), "whiteout of nothing"),
    "whiteout-dot": (archive(file(".wh..")), "whiteout of nothing"),
    "whiteout-dotdot": (archive(file(".wh...")), "whiteout of nothing"),
    "whiteout-dotdot-deep": (archive(file("a/.wh...")), "whiteout of nothing"),
    # numbers
    "size-negative": (archive(file("a", size=-1)), "damaged tar header"),
    "size-huge": (archive(file("a", size=1 << 62)), "absurd size"),
    "size-overflow": (archive(file("a", size=b"\xff" + b"\x7f" * 11)), "damaged tar header"),
    "size-letters": (archive(file("a", size=b"0000000x123\0")), "damaged tar header"),
    "size-more-than-there-is": (file("a", size=1 << 40, mode=0o644), "more than"),
    "size-cut": (file("a", "x" * 100, size=5000), "cut short"),
    "size-pax-negative": (archive(pax(("size", "-5")), file("a")), "pax"),
    "size-pax-huge": (archive(pax(("size", "9223372036854775807")), file("a")), "absurd size"),
    "uid-negative": (archive(file("a", uid=-1)), "owner"),
    "uid-unchanged": (archive(file("a", uid=0xffffffff)), "owner"),
    "uid-33-bits": (archive(pax(("uid", "4294967296")), file("a")), "owner"),
    "gid-pax-text": (archive(pax(("gid", "root")), file("a")), "pax"),
    "mode-garbage": (archive(file("a", mode=b"rwxrwx\0\0")), "damaged tar header"),
    "device-huge": (archive(header("a", kind="3", major=1 << 20, minor=0)), "device number"),
    "device-negative": (archive(header("a", kind="4", major=0, minor=-1)), "device number"),
    # long names
    "name-64k-pax": (archive(pax(("path", "a" * 65536)), file("a")), "too long"),
    "name-64k-gnu": (archive(gnu_long("a/" * 32768), file("a")), "too long"),
    "name-component": (archive(pax(("path", "a" * 256)), file("a")), "too long"),
    "name-total": (archive(pax(("path", "a/" * 2048 + "b")), file("a")), "too long"),
    "name-endless": (archive(header("L", kind="L", size=1 << 30, magic=b"ustar  \0")),
                     "extended header"),
    "link-long": (archive(pax(("linkpath", "a" * 5000)), symlink("a", "b")), "too long"),
    # pax garbage
    "pax-empty-record": (archive(pax_raw(b"\n"), file("a")), "pax"),
    "pax-no-length": (archive(pax_raw(b"path=a\n"), file("a")), "pax"),
    "pax-length-short": (archive(pax_raw(b"5 path=a\n"), file("a")), "pax"),
    "pax-length-long": (archive(pax_raw(b"99 path=a\n"), file("a")), "pax"),
    "pax-length-huge": (archive(pax_raw(b"99999999999999999999 path=a\n"), file("a")), "pax"),
    "pax-no-equals": (archive(pax_raw(b"8 pathx\n"), file("a")), "pax"),
    "pax-no-key": (archive(pax_raw(b"5 =a\n"), file("a")), "pax"),
    "pax-no-newline": (archive(pax_raw(b"9 path=ab"), file("a")), "pax"),
    "pax-nul-in-path": (archive(pax(("path", "a\0b")), file("a")), "pax"),
    "pax-nul-in-key": (archive(pax_raw(pax_record(b"SCHILY.xattr.user.a\0b", b"x")), file("a")),
                       "pax"),
    "pax-time": (archive(pax(("mtime", "yesterday")), file("a")), "pax"),
    "pax-too-long": (archive(header("x", kind="x", size=2 << 20), b"\0" * (2 << 20), file("a")),
                     "extended header"),
    "pax-too-many-xattrs": (archive(pax(*[(f"SCHILY.xattr.user.{i}", "x") for i in range(300)]),
                                    file("a")), "too many"),
    "pax-cut": (header("x", kind="x", size=600) + b"9" * 512, "cut short"),
    # sparse maps
    "sparse-outside": (archive(pax(("GNU.sparse.size", "10"), ("GNU.sparse.map", "8,4")),
                               file("a", "xxxx")), "sparse map"),
    "sparse-backwards": (archive(pax(("GNU.sparse.size", "99"), ("GNU.sparse.map", "50,2,10,2")),
                                 file("a", "xxxx")), "sparse map"),
    "sparse-overlap": (archive(pax(("GNU.sparse.size", "99"), ("GNU.sparse.map", "0,3,2,1")),
                               file("a", "xxxx")), "sparse map"),
    "sparse-sum": (archive(pax(("GNU.sparse.size", "99"), ("GNU.sparse.map", "0,3")),
                           file("a", "xxxx")), "sparse map"),
    "sparse-garbage": (archive(pax(("GNU.sparse.size", "99"), ("GNU.sparse.map", "0,x")),
                               file("a", "xxxx")), "sparse map"),
    "sparse-odd": (archive(pax(("GNU.sparse.size", "99"), ("GNU.sparse.map", "0,2,4")),
                           file("a", "xxxx")), "sparse map"),
    "sparse-huge": (archive(pax(("GNU.sparse.size", "9223372036854775807"),
                                ("GNU.sparse.map", "0,4")), file("a", "xxxx")), "sparse map"),
    "sparse-pieces": (archive(pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"),
                                  ("GNU.sparse.realsize", "10")),
                              file("a", b"99999999\n0\n".ljust(512, b"\0"))), "sparse map"),
    "sparse-version": (archive(pax(("GNU.sparse.major", "2"), ("GNU.sparse.minor", "0")),
                               file("a", "xxxx")), "sparse map"),
    "sparse-old-endless": (header("a", kind="S", magic=b"ustar  \0", extra={482: b"\1"}) +
                           (b"\0" * 504 + b"\1" + b"\0" * 7) * 8, "cut short"),
    "sparse-old-not-gnu": (archive(header("a", kind="S")), "sparse map"),
    # the format itself
    "not-a-tar": (b"hello, world\n" * 100, "not a tar"),
    "not-a-tar-short": (b"hello", "cut short"),
    "checksum": (archive(file("a", "x", checksum=1)), "not a tar"),
    "checksum-second": (archive(file("a", "x"), file("b", "x", checksum=1)), "damaged tar header"),
    "lone-zero-block": (archive(file("a"), b"\0" * 512, file("b")), "block of zeros"),
    "unknown-type": (archive(header("a", kind="D")), "unknown type"),
    "multi-volume": (archive(header("a", kind="M")), "unknown type"),
    "xattr-value": (archive(pax(("SCHILY.xattr.security.capability", "garbage")), file("a")),
                    "attribute"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(unpack, name):
    data, message = REFUSED[name]
    options = ["--max-bytes=1000000000"] if name == "size-more-than-there-is" else []
    unpack.layer_fails(data, *options, message=message)


@pytest.mark.parametrize("name", ["dotdot", "hardlink-dotdot", "size-negative", "checksum-second",
                                  "name-64k-pax", "pax-nul-in-path", "not-a-tar", "size-cut"])
def test_refused_by_index(unpack, name):
    unpack.index_fails(REFUSED[name][0])


def test_links_that_lead_out_stay_links(unpack):
    """Following them is the container's business, inside its own root."""
    unpack.layer(archive(symlink("a", "/etc/passwd"), symlink("b", "../../../canary"),
                         symlink("c", "/proc/self/exe")))
    assert os.readlink(unpack.directory / "a") == "/etc/passwd"
    assert os.readlink(unpack.directory / "b") == "../../../canary"
    assert unpack.names() == ["a", "b", "c"]


@pytest.mark.parametrize("target", ["/", "..", "../../../../..", "/etc/..", "/a/../../.."])
def test_writing_through_links_stays_inside(unpack, target):
    """As in docker's chroot: the link leads to the layer's own root."""
    unpack.layer(archive(symlink("out", target), directory("etc"),
                         directory("a"), file("out/canary", "new"),
                         file("out/etc/passwd", "mine")))
    assert (unpack.directory / "canary").read_text() == "new"
    assert (unpack.directory / "etc" / "passwd").read_text() == "mine"


def test_writing_through_links_inside(unpack):
    """A merged /usr that is written by its old names."""
    unpack.layer(archive(directory("usr"), directory("usr/lib"), symlink("lib", "usr/lib"),
                         file("lib/a", "a"), directory("lib/deep/er"), file("/lib/deep/er/b", "b")))
    assert (unpack.directory / "usr/lib/a").read_text() == "a"
    assert (unpack.directory / "usr/lib/deep/er/b").read_text() == "b"
    assert (unpack.directory / "lib").is_symlink()


def test_a_file_over_a_link_replaces_the_link(unpack):
    unpack.layer(archive(symlink("a", "/etc/passwd"), file("a", "mine"),
                         symlink("d", "/etc"), directory("d"), file("d/f", "x")))
    assert not (unpack.directory / "a").is_symlink()
    assert (unpack.directory / "a").read_text() == "mine"
    assert not (unpack.directory / "d").is_symlink()


def test_names_are_made_clean(unpack):
    unpack.layer(archive(directory("./"), file("/etc/passwd", "1"), file("./a//b/./c", "2"),
                         file("x/../y", "3"), directory("z///")))
    assert unpack.names() == ["a", "a/b", "a/b/c", "etc", "etc/passwd", "y", "z"]


def test_names_are_bytes(unpack):
    names = [b"latin-\xe9", "főtanúsítvány".encode(), b"new\nline", b"\x1b[31m", b"a\\b"]
    unpack.layer(archive(*[file(name, "x") for name in names],
                         pax_raw(pax_record(b"path", b"pax-\xff\xfe")), file("p")))
    found = sorted(os.listdir(os.fsencode(unpack.directory)))
    assert found == sorted([*names, b"pax-\xff\xfe"])


def test_errors_are_printable(unpack):
    error = unpack.layer_fails(archive(file(b"../\x1b[31m\xff\n\x9b", "x")), message="leads out")
    assert error["message"].isprintable()


def test_duplicates_last_wins(unpack):
    unpack.layer(archive(file("a", "first"), file("a", "last", mode=0o600),
                         file("b", "file"), directory("b", mode=0o700), file("b/c", "x"),
                         directory("d"), file("d/e", "x"), file("d", "file now"),
                         directory("g", mode=0o700), file("g/h", "stays"),
                         directory("g", mode=0o711)))
    assert (unpack.directory / "a").read_text() == "last"
    assert stat.S_IMODE(os.stat(unpack.directory / "a").st_mode) == 0o600
    assert (unpack.directory / "b" / "c").exists()
    assert (unpack.directory / "d").read_text() == "file now"
    assert (unpack.directory / "g" / "h").read_text() == "stays"
    assert stat.S_IMODE(os.stat(unpack.directory / "g").st_mode) == 0o711


def test_replacing_does_not_write_through_hard_links(unpack):
    unpack.layer(archive(file("a", "old"), hardlink("b", "a"), file("a", "new")))
    assert (unpack.directory / "b").read_text() == "old"
    assert (unpack.directory / "a").read_text() == "new"


def test_entries_of_a_replaced_directory_are_gone(unpack):
    """The table of open directories must not remember what was removed."""
    unpack.layer(archive(directory("d/e"), file("d/e/f", "x"), file("d", "x"), directory("d"),
                         file("d/e/g", "y")))
    assert unpack.names() == ["d", "d/e", "d/e/g"]


def whiteout(path):
    st = os.lstat(path)
    return stat.S_ISCHR(st.st_mode) and st.st_rdev == 0


def opaque(path):
    try:
        return os.getxattr(path, "trusted.overlay.opaque") == b"y"
    except OSError:
        return False


def test_whiteouts(unpack):
    unpack.layer(archive(file("a/.wh.gone"), file("b/.wh..wh..opq"), file("b/new", "x"),
                         file(".wh..wh..opq")))
    assert whiteout(unpack.directory / "a" / "gone")
    assert opaque(unpack.directory / "b")
    assert opaque(unpack.directory)
    assert not opaque(unpack.directory / "a")
    assert unpack.names() == ["a", "a/gone", "b", "b/new"]


def test_whiteouts_beside_what_is_in_the_layer(unpack):
    """They hide what is below, never what this layer brings (OCI image specification)."""
    unpack.layer(archive(file("f", "kept"), file(".wh.f"),
                         directory("d"), file("d/x", "kept"), file(".wh.d"),
                         file(".wh.e"), directory("e"), file("e/x", "kept"),
                         file(".wh.g"), file("g", "kept"),
                         file(".wh.h"), file("h/x", "kept"),
                         file(".wh.i"), file(".wh.i")))
    assert (unpack.directory / "f").read_text() == "kept"
    assert (unpack.directory / "g").read_text() == "kept"
    for name in "deh":
        assert opaque(unpack.directory / name), name
        assert (unpack.directory / name / "x").read_text() == "kept"
    assert whiteout(unpack.directory / "i")


def test_bookkeeping_of_aufs_is_left_out(unpack):
    unpack.layer(archive(directory(".wh..wh.plnk"), file(".wh..wh.plnk/1.2", "x"),
                         file(".wh..wh.aufs"), directory(".wh..wh.orph"), file("a/.wh..wh.x/y"),
                         file("b", "x")))
    assert unpack.names() == ["b"]


def test_overlay_attributes_cannot_be_smuggled(unpack):
    unpack.layer(archive(pax(("SCHILY.xattr.trusted.overlay.opaque", "y"),
                             ("SCHILY.xattr.trusted.overlay.redirect", "/etc"),
                             ("SCHILY.xattr.trusted.x", "y"),
                             ("SCHILY.xattr.user.overlay.opaque", "y"),
                             ("SCHILY.xattr.security.selinux", "label"),
                             ("SCHILY.xattr.user.mine", "kept")), directory("d")))
    assert os.listxattr(unpack.directory / "d") == ["user.mine"]


def test_attributes(unpack):
    unpack.layer(archive(
        file("suid", "x", mode=0o4755, uid=1000, gid=1000), file("sgid", "x", mode=0o2755),
        directory("sticky", mode=0o1777), directory("group", mode=0o2775, gid=50),
        file("group/inside", "x"), symlink("group/link", "inside"), directory("group/sub"),
        file("none", "x", mode=0), directory("closed", mode=0), file("closed/inside", "x"),
        file("big-owner", "x", uid=4000000000, gid=3000000000),
        pax(("uid", "70000"), ("gid", "80000")), file("pax-owner", "x"),
        symlink("owned-link", "x", uid=5, gid=6)))

    def look(name):
        st = os.lstat(unpack.directory / name)
        return stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid

    assert look("suid") == (0o4755, 1000, 1000)
    assert look("sgid") == (0o2755, 0, 0)
    assert look("sticky") == (0o1777, 0, 0)
    assert look("group") == (0o2775, 0, 50)
    assert look("group/inside") == (0o644, 0, 0), "a setgid directory must not give its group"
    assert look("group/sub") == (0o755, 0, 0)
    assert look("group/link")[1:] == (0, 0)
    assert look("none") == (0, 0, 0)
    assert look("closed") == (0, 0, 0)
    assert look("big-owner")[1:] == (4000000000, 3000000000)
    assert look("pax-owner")[1:] == (70000, 80000)
    assert look("owned-link")[1:] == (5, 6)


def test_times(unpack):
    unpack.layer(archive(
        pax(("mtime", "1350244992.023960108")), directory("d"),
        file("d/late", "x", mtime=1700000000),
        pax(("mtime", "1.5"), ("atime", "2.25")), file("f", "x"),
        pax(("mtime", "-1.5")), file("before-1970", "x"),
        pax(("mtime", "99999999999999999")), file("never", "x"),
        pax(("mtime", "7.000000001")), symlink("l", "x"),
        directory("d/e", mtime=5), file("d/e/f", "x"), directory("d/e", mtime=6)))

    def mtime(name):
        return os.lstat(unpack.directory / name).st_mtime_ns

    assert mtime("d") == 1350244992023960108, "making d/late must not have changed it"
    assert mtime("d/late") == 1700000000 * 10 ** 9
    assert mtime("f") == 1500000000
    assert os.stat(unpack.directory / "f").st_atime_ns == 2250000000
    assert mtime("before-1970") == 0 and mtime("never") == 0, "docker's rule"
    assert mtime("l") == 7000000001
    assert mtime("d/e") == 6 * 10 ** 9


def test_extended_attributes(unpack):
    capability = bytes.fromhex("0100000200200000000000000000000000000000")
    acl = bytes.fromhex("02000000" "01000600ffffffff" "0200060001000000" "04000400ffffffff"
                        "10000600ffffffff" "20000000ffffffff")
    unpack.layer(archive(
        pax(("SCHILY.xattr.security.capability", capability), ("SCHILY.xattr.user.a", "1"),
            ("SCHILY.xattr.user.empty", ""), ("SCHILY.xattr.user.bytes", b"\0\n=\xff")),
        file("f", "x", uid=7),
        pax(("SCHILY.xattr.system.posix_acl_access", acl)), file("acl", "x", mode=0o660),
        pax(("SCHILY.xattr.system.posix_acl_default", acl)), directory("d"),
        file("d/plain", "x", mode=0o644),
        pax(("SCHILY.xattr.user.on-a-link", "1")), symlink("l", "x")))
    path = unpack.directory / "f"
    assert os.getxattr(path, "security.capability") == capability
    assert os.getxattr(path, "user.a") == b"1"
    assert os.getxattr(path, "user.empty") == b""
    assert os.getxattr(path, "user.bytes") == b"\0\n=\xff"
    assert os.getxattr(unpack.directory / "acl", "system.posix_acl_access") == acl
    assert os.getxattr(unpack.directory / "d", "system.posix_acl_default") == acl
    assert stat.S_IMODE(os.stat(unpack.directory / "d" / "plain").st_mode) == 0o644
    assert os.listxattr(unpack.directory / "l", follow_symlinks=False) == []


def test_the_layers_root(unpack):
    """Docker ignores the archive's own entry for it, and so does its owner in the store."""
    acl = bytes.fromhex("02000000" "01000700ffffffff" "0200070001000000" "04000500ffffffff"
                        "10000700ffffffff" "20000500ffffffff")
    os.setxattr(unpack.directory, "system.posix_acl_default", acl)
    unpack.layer(archive(directory("./", mode=0o700, uid=1000), file("f", "x")))
    st = os.stat(unpack.directory)
    assert (stat.S_IMODE(st.st_mode), st.st_uid) == (0o755, 0)
    assert os.listxattr(unpack.directory) == [] and os.listxattr(unpack.directory / "f") == []


def test_devices_and_fifos(unpack):
    unpack.layer(archive(NODE, header("dev/b", kind="4", major=8, minor=300, mode=0o660, gid=6),
                         header("fifo", kind="6", mode=0o622)))
    st = os.lstat(unpack.directory / "dev" / "b")
    assert stat.S_ISBLK(st.st_mode) and st.st_rdev == os.makedev(8, 300) and st.st_gid == 6
    assert stat.S_ISCHR(os.lstat(unpack.directory / "dev" / "x").st_mode)
    st = os.lstat(unpack.directory / "fifo")
    assert stat.S_ISFIFO(st.st_mode) and stat.S_IMODE(st.st_mode) == 0o622


def test_hard_links(unpack):
    unpack.layer(archive(file("a", "x", mode=0o600), hardlink("b/c", "./a", mode=0o600),
                         symlink("l", "a"), hardlink("m", "l", mode=0o777)))
    assert os.stat(unpack.directory / "a").st_ino == os.stat(unpack.directory / "b/c").st_ino
    assert os.readlink(unpack.directory / "m") == "a"
    assert os.lstat(unpack.directory / "m").st_ino == os.lstat(unpack.directory / "l").st_ino


SPARSE = {
    "0.0": pax(("GNU.sparse.size", "1000000"), ("GNU.sparse.numblocks", "2"),
               ("GNU.sparse.offset", "0"), ("GNU.sparse.numbytes", "3"),
               ("GNU.sparse.offset", "500000"), ("GNU.sparse.numbytes", "4")) +
           file("s", "abcdefg"),
    "0.1": pax(("GNU.sparse.size", "1000000"), ("GNU.sparse.name", "s"),
               ("GNU.sparse.numblocks", "2"), ("GNU.sparse.map", "0,3,500000,4")) +
           file("GNUSparseFile.0/s", "abcdefg"),
    "1.0": pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "s"),
               ("GNU.sparse.realsize", "1000000")) +
           file("GNUSparseFile.0/s", b"2\n0\n3\n500000\n4\n".ljust(512, b"\0") + b"abcdefg"),
    "old": header("s", kind="S", size=7, magic=b"ustar  \0",
                  extra={386: b"%011o\0%011o\0%011o\0%011o\0" % (0, 3, 500000, 4),
                         483: b"%011o\0" % 1000000}) + padded(b"abcdefg"),
    "old-extended": header("s", kind="S", size=7, magic=b"ustar  \0",
                           extra={386: b"%011o\0%011o\0" % (0, 3), 482: b"\1",
                                  483: b"%011o\0" % 1000000}) +
                    (b"%011o\0%011o\0" % (500000, 4)).ljust(512, b"\0") + padded(b"abcdefg"),
}


@pytest.mark.parametrize("way", SPARSE)
def test_sparse_files(unpack, way):
    unpack.layer(archive(SPARSE[way], file("after", "x")))
    data = (unpack.directory / "s").read_bytes()
    assert data == b"abc".ljust(500000, b"\0") + b"defg".ljust(500000, b"\0")
    assert os.stat(unpack.directory / "s").st_blocks * 512 < 100000
    assert unpack.names() == ["after", "s"]


def test_sparse_files_count_in_full(unpack):
    data = archive(pax(("GNU.sparse.size", "1000000000000"), ("GNU.sparse.map", "0,1")),
                   file("a", "x"))
    unpack.layer_fails(data, "--max-bytes=1000000", message="bytes allowed")


def test_header_only_types_have_no_data(unpack):
    """Whatever their size field says, as in docker."""
    unpack.layer(archive(directory("d", size=1000), symlink("l", "d", size=99999), file("f", "x")))
    assert unpack.names() == ["d", "f", "l"]


def test_old_and_odd_headers(unpack):
    unpack.layer(archive(header("v7dir/", kind="\0", magic=b""),
                         file("v7", "x", kind="\0", magic=b""), file("contiguous", "x", kind="7"),
                         pax(("comment", "abc"), kind="g"), file("a" * 100, "x", prefix="p" * 155),
                         gnu_long("g" * 200), file("short", "x", magic=b"ustar  \0"),
                         gnu_long("t" * 200, kind="K"), symlink("long-link", "short")))
    assert (unpack.directory / "v7dir").is_dir()
    assert (unpack.directory / ("p" * 155) / ("a" * 100)).exists()
    assert (unpack.directory / ("g" * 200)).exists()
    assert os.readlink(unpack.directory / "long-link") == "t" * 200


def test_longest_names(unpack):
    deep = "/".join(["d" * 255] * 15 + ["e" * 254])
    unpack.layer(archive(pax(("path", deep)), file("x", "deep")))
    fd = os.open(unpack.directory, os.O_RDONLY)
    for name in deep.split("/"):
        new = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = new
    assert os.read(fd, 10) == b"deep"
    os.close(fd)


def test_two_thousand_levels(unpack):
    entries = [pax(("path", "a/" * 2040 + "f")), file("x", "1"),
               pax(("path", "a/" * 2040 + "g")), file("x", "2"), file("a", "gone")]
    unpack.layer(archive(*entries[:4]))
    unpack.layer(archive(*entries))
    assert unpack.names() == ["a"]


def test_implied_directories_count(unpack):
    unpack.layer_fails(archive(file("a/b/c/d/e/f", "x"), file("b", "x")), "--max-entries=5",
                       message="more than 5 entries")


def test_an_empty_layer(unpack):
    for data in (b"", END, gzip.compress(b""), gzip.compress(END)):
        assert unpack.layer(data)["entries"] == 0
    assert unpack.names() == []


def test_a_missing_end_is_accepted_where_a_digest_vouches(unpack):
    unpack.layer(file("a", "x"))
    unpack.index_fails(file("a", "x"), message="cut short")


TREE = archive(directory("d"), file("d/f", b"0123456789" * 20000), symlink("l", "d/f"))
COMPRESSED = {"none": bytes, "gzip": gzip.compress, "zstd": zstd, "xz": lzma.compress,
              "bzip2": bz2.compress}


@pytest.mark.parametrize("pipe", [False, True], ids=["file", "pipe"])
@pytest.mark.parametrize("compression", COMPRESSED)
def test_compressions(unpack, compression, pipe):
    data = COMPRESSED[compression](TREE)
    found = unpack.layer(data, "--blob", f"--digest={digest(data)}", f"--diff-id={digest(TREE)}",
                         pipe=pipe)
    assert found == {"digest": digest(data), "diffId": digest(TREE), "compression": compression,
                     "size": len(data), "tarSize": len(TREE), "unpackedBytes": 200000, "entries": 3}
    assert unpack.extra.read_bytes() == data
    assert (unpack.directory / "d" / "f").read_bytes() == b"0123456789" * 20000


@pytest.mark.parametrize("compression", COMPRESSED)
def test_several_members(unpack, compression):
    """pigz, eStargz, zstd:chunked, pxz: one stream after the other, cut anywhere."""
    compress = COMPRESSED[compression]
    data = b"".join(compress(TREE[at:at + 777]) for at in range(0, len(TREE), 777)) \
        if compression != "none" else TREE
    assert unpack.layer(data, f"--diff-id={digest(TREE)}")["size"] == len(data)


@pytest.mark.parametrize("compression", [name for name in COMPRESSED if name != "none"])
def test_damaged_compression(unpack, compression):
    data = COMPRESSED[compression](os.urandom(100000) + TREE)
    unpack.layer_fails(COMPRESSED[compression](TREE)[:-5], message="cut short")
    unpack.layer_fails(COMPRESSED[compression](TREE) + b"garbage after it", message="damaged")
    middle = len(data) // 2
    unpack.layer_fails(data[:middle] + bytes([data[middle] ^ 0x55]) + data[middle + 1:])
    unpack.layer_fails(data[:20])
    unpack.layer_fails(data[:20] + b"\xff" * 1000)


def test_zstd_frames_to_skip(unpack):
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    data = skippable + zstd(TREE) + skippable
    assert unpack.layer(data)["diffId"] == digest(TREE)


def test_wrong_digests(unpack):
    wrong = "sha256:" + "0" * 64
    data = gzip.compress(TREE)
    unpack.layer_fails(data, f"--digest={wrong}", message=f"digest is {digest(data)}")
    unpack.layer_fails(data, f"--diff-id={wrong}", message=f"diff-id is {digest(TREE)}")
    unpack.layer_fails(TREE + b"\0" * 512, f"--diff-id={digest(TREE)}", message="diff-id")


def test_regions(unpack):
    data = gzip.compress(TREE)
    around = os.urandom(1000) + data + os.urandom(1000)
    found = unpack.layer(around, "--offset=1000", f"--size={len(data)}", "--blob")
    assert found["digest"] == digest(data) and unpack.extra.read_bytes() == data
    unpack.layer_fails(around, "--offset=1000", f"--size={len(data) + 5}")
    unpack.layer_fails(around, "--offset=1000", f"--size={len(data) - 5}", message="cut short")
    unpack.layer_fails(TREE, "--offset=0", f"--size={len(TREE) + 1}", message="the input ends")
    unpack.layer(b"", "--offset=0", "--size=0")


@pytest.mark.parametrize("options", [
    ["--offset=5"], ["--size=-1"], ["--size=5x"], ["--offset=9223372036854775807", "--size=5"],
    ["--digest=md5:0"], ["--digest"], ["--nonsense"], ["--blob=1"], ["layer"], ["--spool"]])
def test_bad_options(unpack, options):
    unpack.layer_fails(TREE, *options)


@pytest.mark.parametrize("compression", [name for name in COMPRESSED if name != "none"])
def test_bombs(unpack, compression):
    """A hundred megabytes of zeros in a few kilobytes; ten are allowed."""
    data = header("bomb", size=100 << 20) + b"\0" * (100 << 20) + END
    data = COMPRESSED[compression](data)
    assert len(data) < 1 << 20
    unpack.layer_fails(data, f"--max-bytes={10 << 20}", message="bytes allowed")
    written = sum(os.lstat(unpack.directory / name).st_blocks for name in unpack.names()) * 512
    assert written <= 11 << 20
    unpack.index_fails(data, f"--max-bytes={10 << 20}", "--spool", message="bytes allowed")
    assert unpack.extra.stat().st_size <= 11 << 20


def test_a_bomb_of_entries(unpack):
    data = gzip.compress(b"".join(header(f"{i}") for i in range(2000)) + END)
    unpack.layer_fails(data, "--max-entries=1000", message="more than 1000 entries")
    unpack.index_fails(data, "--max-entries=1000", "--spool", message="more than 1000")


def test_truncated_everywhere(unpack):
    """At every block; what a digest does not vouch for must not be silently less."""
    data = archive(directory("d"), file("d/a", b"x" * 1500), pax(("path", "p/" * 150)),
                   file("b", b"y" * 600), gnu_long("l" * 200), file("c", "z"))
    for cut in range(512, len(data) - 1024 + 1, 512):
        unpack.index_fails(data[:cut], message="cut short")
        unpack.layer_fails(data[:cut], f"--diff-id={digest(data)}")
    for cut in (1, 100, 511, 513, 700, 1023, len(data) - 1025):
        unpack.index_fails(data[:cut], message="cut short")


def test_truncated_at_every_4k(unpack):
    data = archive(*[file(f"f{i}", os.urandom(5000)) for i in range(20)])
    packed = gzip.compress(data)
    for cut in range(4096, len(data) - 1024, 4096):
        unpack.index_fails(data[:cut])
    for cut in range(4096, len(packed), 4096):
        unpack.layer_fails(packed[:cut], message="cut short")


def test_one_flipped_bit_anywhere(unpack):
    """Whatever it does, it ends, says one line, and touches nothing else."""
    data = archive(directory("d"), file("d/a", "x" * 600), pax(("path", "p/q"), ("uid", "7")),
                   file("b", "y"), hardlink("h", "d/a"), symlink("s", ".."), NODE)
    for position in range(0, len(data) - 1024, 37):
        wrong = bytearray(data)
        wrong[position] ^= 1 << position % 8
        answer = unpack.run("layer", bytes(wrong))
        assert answer.code in (0, 1)


@pytest.mark.slow
def test_a_million_entries(unpack):
    """Many of the same name, in memory, so that the test is quick; it is the walker that is tested."""
    some = b"".join(header(f"d{i % 10}/f{i}", mode=0o600) +
                    hardlink(f"d{i % 10}/g{i}", f"d{i % 10}/f{i}") +
                    directory(f"d{i % 10}") + file(f"d{i % 10}/.wh.x") for i in range(1000))
    data = zstd(some * 250 + END)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        start = time.monotonic()
        answer = unpack.run("layer", data, output=memory)
        assert answer.value["layer"]["entries"] == 1000000
        assert time.monotonic() - start < 120


def test_many_directories_times(unpack):
    """More than are kept in memory: they go through a file."""
    data = archive(*[pax(("path", f"{'n' * 200}/{i}"), ("mtime", f"{i}.5")) + directory("x")
                     for i in range(20000)])
    unpack.layer(gzip.compress(data, 1))
    for i in range(0, 20000, 997):
        assert os.stat(unpack.directory / ("n" * 200) / str(i)).st_mtime_ns == i * 10 ** 9 + 5 * 10 ** 8


def test_progress(unpack):
    data = archive(file("big", os.urandom(64 << 20)))
    answer = unpack.run("layer", data, "--progress")
    assert answer.code == 0
    values = [line["progress"]["bytes"] for line in answer.progress]
    assert values == sorted(values) and all(value <= len(data) for value in values)


def test_debug_messages(unpack, monkeypatch, capfd):
    """They come from inside the confinement: the filter must let them through."""
    monkeypatch.setenv("SKIFF_DEBUG", "unpack")
    unpack.layer(TREE)
    text = capfd.readouterr().err
    assert "confined" in text and "3 entries" in text
    monkeypatch.delenv("SKIFF_DEBUG")
    unpack.layer_fails(b"hello" * 1000)
    assert capfd.readouterr().err == ""


def test_killed_halfway(unpack):
    """Whoever kills it and has waited finds nobody who still writes."""
    data = archive(*[file(f"f{i}", "x" * 100) for i in range(5000)])
    reading, result = os.pipe()
    input_end, feeding = os.pipe()
    directory_fd = os.open(unpack.directory, os.O_RDONLY)
    pid = spawn(unpack.program, ["layer"], {RESULT: result, INPUT: input_end, OUTPUT: directory_fd})
    for fd in (result, input_end, directory_fd):
        os.close(fd)
    with os.fdopen(feeding, "wb", buffering=0) as pipe:
        pipe.write(data[:len(data) // 2])
        wait_until(unpack.names, 30, "entries appear")
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        before = unpack.names()
        assert os.read(reading, 1) == b"", "half an answer"
        shutil.rmtree(unpack.directory)
    os.close(reading)
    assert before and not unpack.directory.exists()


def test_a_full_disk(unpack):
    small = unpack.directory / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", small], check=True)
    try:
        answer = unpack.run("layer", archive(file("big", b"x" * (3 << 20))), output=small)
        assert answer.error["kind"] == "system" and "No space left" in answer.error["message"]
    finally:
        subprocess.run(["umount", small], check=True)


def test_index(unpack):
    content = b"content" * 1000
    data = archive(directory("./"), file("./manifest.json", "[]"), directory("blobs/sha256/"),
                   file("blobs/sha256/abc", content), symlink("r/layer.tar", "../x/layer.tar"),
                   hardlink("again", "/blobs/sha256/abc"), NODE, file(b"\xff", "not named"),
                   SPARSE["0.1"], pax(("path", "n/" * 150 + "n")), file("x", "long"))
    found = unpack.index(data)
    assert not found["spooled"] and found["compression"] == "none"
    entries = {entry["name"]: entry for entry in found["entries"]}
    assert list(entries) == ["manifest.json", "blobs/sha256", "blobs/sha256/abc", "r/layer.tar",
                             "again", "dev/x", "s", "n/" * 150 + "n"]
    blob = entries["blobs/sha256/abc"]
    assert blob["type"] == "file" and blob["size"] == len(content)
    assert data[blob["offset"]:blob["offset"] + blob["size"]] == content
    assert entries["r/layer.tar"] == {"name": "r/layer.tar", "type": "symlink",
                                      "target": "../x/layer.tar"}
    assert entries["again"]["target"] == "blobs/sha256/abc"
    assert entries["s"]["type"] == "other" and entries["dev/x"]["type"] == "other"
    assert unpack.names() == []


@pytest.mark.parametrize("pipe", [False, True], ids=["file", "pipe"])
@pytest.mark.parametrize("compression", COMPRESSED)
def test_index_spooled(unpack, compression, pipe):
    data = COMPRESSED[compression](TREE)
    if compression == "none" and not pipe:
        assert not unpack.index(data)["spooled"]
        return
    unpack.index_fails(data, pipe=pipe, kind="unavailable")
    found = unpack.index(data, "--spool", pipe=pipe)
    assert found["spooled"] and found["compression"] == compression
    stored = unpack.extra.read_bytes()
    assert len(stored) == sum(entry.get("size", 0) for entry in found["entries"])
    entry = found["entries"][1]
    assert stored[entry["offset"]:entry["offset"] + 10] == b"0123456789"
    assert unpack.names() == [], "small files are no parts"


def test_index_stores_large_files_apart(unpack):
    """Each byte is written once, and only those of files."""
    large = [os.urandom(size) for size in (256 << 10, (5 << 20) + 1)]
    data = archive(file("small", b"small"), file("a/one", large[0]), file("two", large[1]),
                   file("last", b"last"), file("two", b"again"))
    found = unpack.index(data, "--spool", pipe=True)
    assert [(entry["name"], entry.get("part"), entry.get("offset"), entry["size"])
            for entry in found["entries"]] == [
        ("small", None, 0, 5), ("a/one", 0, None, len(large[0])), ("two", 1, None, len(large[1])),
        ("last", None, 5, 4), ("two", None, 9, 5)]
    assert unpack.extra.read_bytes() == b"smalllastagain"
    for number, content in enumerate(large):
        part = unpack.directory / f"part.{number}"
        assert part.read_bytes() == content and part.stat().st_mode == 0o100600
    assert unpack.names() == ["part.0", "part.1"]


def test_index_of_a_stream_that_is_cut_short(unpack):
    data = archive(file("a", b"x" * 1000000), file("b", b"y" * 1000000))
    for length in (1000, 600000, 1001500, len(data) - 1024):
        unpack.index_fails(data[:length], "--spool", pipe=True, message="cut short")
        for part in unpack.names():
            (unpack.directory / part).unlink()


def test_index_of_what_is_no_archive(unpack):
    unpack.index_fails(b"", message="not a tar")
    unpack.index_fails(b"#!/bin/sh\necho\n" * 100, message="not a tar")
    unpack.index_fails(gzip.compress(b"hello" * 1000), "--spool", message="not a tar")
    unpack.index_fails(b"hello" * 1000, "--spool", pipe=True, message="not a tar")
    assert unpack.extra.stat().st_size == 0, "nothing is spooled before it looks like a tar"


def test_index_is_bounded(unpack):
    data = b"".join(header("n" * 99 + str(i % 10)) for i in range(90000)) + END
    unpack.index_fails(data, message="too many files")
    unpack.index_fails(b"".join(header("x") for i in range(100001)) + END, message="more than")


def test_index_does_not_read_what_it_skips(unpack):
    """A thousand gigabytes of layers: a sparse file of which only headers may be looked at."""
    path = unpack.directory / "huge.tar"
    with open(path, "wb") as output:
        for i in range(10):
            output.write(header(f"layer{i}", size=100 << 30))
            output.seek(100 << 30, os.SEEK_CUR)
        output.write(END)
    start = time.monotonic()
    assert [entry["size"] for entry in unpack.index(str(path))["entries"]] == [100 << 30] * 10
    assert time.monotonic() - start < 60
