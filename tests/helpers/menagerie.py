# SPDX-License-Identifier: Apache-2.0
"""A small root filesystem with one of everything that is hard to carry in an image.

build() makes it; change() is what a second layer does to it. Both work on a directory, so the same
tree is packed by every foreign tool and is itself the reference that images are compared with.
"""

import os
import shutil
import stat
import struct
import subprocess
import zlib

BIG_ID = 70000  # above 65535: does not fit into the first tar formats


def capability_xattr(bits):
    """The value of security.capability, version 2, with these permitted capabilities."""
    version_2_effective = 0x02000001
    return struct.pack("<IIIII", version_2_effective, bits & 0xFFFFFFFF, 0, bits >> 32, 0)


def write(path, data=b"", mode=0o644):
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)


def set_times(root, newest_ns):
    """Gives every file that is newer a time of its own, to the nanosecond, made from its path.

    Deepest first: a directory changes when something in it does.
    """
    for base, directories, files in os.walk(root, topdown=False):
        for name in directories + files:
            path = os.path.join(base, name)
            if os.lstat(path).st_mtime_ns > newest_ns:
                age = zlib.crc32(os.fsencode(os.path.relpath(path, root))) % 1_000_000
                when = newest_ns - age * 1_000_000_007
                os.utime(path, ns=(when, when), follow_symlinks=False)
    os.utime(root, ns=(newest_ns, newest_ns))


def build(root):
    """Fills the existing directory `root`; needs root privileges."""
    os.chmod(root, 0o755)
    for name in ("bin", "dev", "etc", "proc", "sys", "tmp", "zoo", "zoo/empty", "zoo/shelf",
                 "zoo/emptied", "zoo/replaced", "zoo/replaced/inner", "zoo/private"):
        os.mkdir(root / name)
        os.chmod(root / name, 0o755)
    os.chmod(root / "tmp", 0o1777)
    os.chmod(root / "zoo/private", 0o700)
    shutil.copyfile("/bin/busybox", root / "bin/busybox")
    os.chmod(root / "bin/busybox", 0o755)
    os.symlink("busybox", root / "bin/sh")
    write(root / "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    write(root / "etc/group", b"root:x:0:\n")

    zoo = root / "zoo"
    write(zoo / "plain", b"plain\n")
    write(zoo / "setuid", b"s", 0o4755)
    write(zoo / "setgid", b"g", 0o2755)
    write(zoo / "sticky", b"t", 0o1644)
    write(zoo / "unreadable", b"nobody reads this\n", 0o000)
    os.mkdir(zoo / "setgid-directory")
    os.chmod(zoo / "setgid-directory", 0o2775)
    write(zoo / "big-owner", b"mine\n")
    os.chown(zoo / "big-owner", BIG_ID, BIG_ID + 1)
    write(zoo / "setuid-of-another", b"x", 0o755)
    os.chown(zoo / "setuid-of-another", 1000, 1000)
    os.chmod(zoo / "setuid-of-another", 0o6755)  # after chown(), which clears it
    write(zoo / "capable", b"x", 0o755)
    os.setxattr(zoo / "capable", "security.capability", capability_xattr(1 << 13))  # NET_RAW
    write(zoo / "labelled", b"x")
    os.setxattr(zoo / "labelled", "user.note", b"with \x00 and \n inside")
    write(zoo / "original", b"linked\n")
    os.link(zoo / "original", zoo / "shelf/second-name")
    os.link(zoo / "original", zoo / "third-name")
    os.symlink("/etc/passwd", zoo / "absolute-link")
    os.symlink("../bin/busybox", zoo / "relative-link")
    os.symlink("/does/not/exist", zoo / "dangling-link")
    os.symlink("x" * 300, zoo / "long-link")
    os.lchown(zoo / "dangling-link", 1000, 1001)
    os.mkfifo(zoo / "fifo", 0o620)
    os.mknod(zoo / "char", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod(zoo / "block", stat.S_IFBLK | 0o660, os.makedev(7, 300))
    write(zoo / "with space", b" ")
    write(zoo / "new\nline", b"\n")
    write(zoo / "snow-\u2603-man", b"unicode\n")
    write(zoo / os.fsdecode(b"latin-\xe9"), b"not UTF-8\n")
    write(zoo / ("n" * 255), b"long name\n")
    deep = zoo
    for _ in range(12):
        deep = deep / ("d" * 40)
        os.mkdir(deep)
    write(deep / "bottom", b"a path longer than a tar header holds\n")
    with open(zoo / "sparse", "wb") as file:
        file.seek(1 << 20)
        file.write(b"after a hole")
        file.truncate(3 << 20)
    write(zoo / "large", bytes(range(256)) * 1024)
    write(zoo / "shelf/to-delete", b"gone in the second layer\n")
    write(zoo / "emptied/old", b"hidden by an opaque directory\n")
    write(zoo / "replaced/inner/file", b"a directory becomes a file\n")
    write(zoo / "becomes-directory", b"a file becomes a directory\n")
    write(zoo / "changed-mode", b"same content\n", 0o644)

    set_times(root, 1_500_000_000_123_456_789)
    os.utime(zoo / "plain", ns=(1, 1))  # 1970
    os.utime(zoo / "large", ns=(5_000_000_000_999_999_999, 5_000_000_000_999_999_999))  # 2128


def change(root):
    """What the second layer does."""
    zoo = root / "zoo"
    (zoo / "shelf/to-delete").unlink()
    shutil.rmtree(zoo / "emptied")
    os.mkdir(zoo / "emptied")
    os.chmod(zoo / "emptied", 0o755)
    write(zoo / "emptied/new", b"in the new directory\n")
    shutil.rmtree(zoo / "replaced", ignore_errors=True)
    write(zoo / "replaced", b"a file now\n")
    (zoo / "becomes-directory").unlink()
    os.mkdir(zoo / "becomes-directory")
    os.chmod(zoo / "becomes-directory", 0o750)
    write(zoo / "becomes-directory/inside", b"yes\n")
    os.chmod(zoo / "changed-mode", 0o600)
    write(zoo / "added", b"second layer\n")
    os.link(zoo / "added", zoo / "added-link")
    set_times(root, 1_600_000_000_500_000_001)


def pack(root, archive):
    """A pax tar. Without sparse maps: docker cannot save what it imported from one."""
    subprocess.run(["tar", "-C", str(root), "--numeric-owner", "--xattrs", "--xattrs-include=*",
                    "--format=posix", "--sort=name", "-cf", str(archive), "."],
                   check=True)
