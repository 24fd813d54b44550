# SPDX-License-Identifier: Apache-2.0
"""Tar archives made byte by byte, so that they can be wrong in any way."""

BLOCK = 512


def field(value, width):
    """A number as tar writes it; text and bytes stay as they are."""
    if isinstance(value, bytes):
        return value.ljust(width, b"\0")[:width]
    if isinstance(value, str):
        return value.encode().ljust(width, b"\0")[:width]
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return ((1 << (8 * width - 1)) | (value & ((1 << (8 * width - 1)) - 1))).to_bytes(width, "big")


def padded(data):
    return data + b"\0" * (-len(data) % BLOCK)


def header(name, kind="0", size=0, mode=0o644, uid=0, gid=0, mtime=0, link="", major=0, minor=0,
           magic=b"ustar\x0000", prefix="", checksum=None, extra=None):
    """One block. `extra`: bytes at an offset, written before the checksum is made."""
    block = bytearray(BLOCK)
    block[0:100] = field(name, 100)
    block[100:108] = field(mode, 8)
    block[108:116] = field(uid, 8)
    block[116:124] = field(gid, 8)
    block[124:136] = field(size, 12)
    block[136:148] = field(mtime, 12)
    block[156:157] = field(kind, 1)
    block[157:257] = field(link, 100)
    block[257:265] = field(magic, 8)
    block[329:337] = field(major, 8)
    block[337:345] = field(minor, 8)
    block[345:500] = field(prefix, 155)
    for offset, data in (extra or {}).items():
        block[offset:offset + len(data)] = data
    block[148:156] = b" " * 8
    total = sum(block) if checksum is None else checksum
    block[148:156] = b"%06o\0 " % total
    return bytes(block)


def file(name, data=b"", **options):
    if isinstance(data, str):
        data = data.encode()
    return header(name, size=options.pop("size", len(data)), **options) + padded(data)


def directory(name, mode=0o755, **options):
    return header(name, kind="5", mode=mode, **options)


def symlink(name, target, **options):
    return header(name, kind="2", link=target, mode=0o777, **options)


def hardlink(name, target, **options):
    return header(name, kind="1", link=target, **options)


def gnu_long(name, kind="L"):
    """The special entry before one whose name ("L") or target ("K") is too long."""
    data = (name if isinstance(name, bytes) else name.encode()) + b"\0"
    return header("././@LongLink", kind=kind, size=len(data), magic=b"ustar  \0") + padded(data)


def pax_record(key, value):
    key = key.encode() if isinstance(key, str) else key
    value = value.encode() if isinstance(value, str) else value
    body = b" " + key + b"=" + value + b"\n"
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return str(length).encode() + body


def pax_raw(body, kind="x"):
    return header("PaxHeaders/x", kind=kind, size=len(body)) + padded(body)


def pax(*pairs, kind="x"):
    """Records given as ("key", "value") pairs, before the entry they are about."""
    return pax_raw(b"".join(pax_record(key, value) for key, value in pairs), kind)


END = b"\0" * (2 * BLOCK)


def archive(*entries):
    return b"".join(entries) + END
