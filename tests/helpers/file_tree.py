# SPDX-License-Identifier: Apache-2.0
"""Comparing what `probe tree` prints: two file systems, file by file."""

import subprocess
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class File:
    kind: str
    mode: str
    owner: str
    mtime: str
    links: int
    details: tuple  # size and hash, target, or device number; extended attributes
    linked: tuple   # all names of this file, when it has several


def parse(text, prefix=""):
    """Path (without the prefix) -> File."""
    rows = []
    names = {}
    for line in text.splitlines():
        fields = line.split(" ")
        path, kind, mode, uid, gid, mtime, links, inode = fields[:8]
        path = path[len(prefix):] or "/"
        rows.append((path, kind, mode, f"{uid}:{gid}", mtime, int(links), inode,
                     tuple(sorted(fields[8:]))))
        if kind != "dir":
            names.setdefault(inode, []).append(path)
    return {
        path: File(kind, mode, owner, mtime, links if kind != "dir" else 0, details,
                   tuple(sorted(names[inode])) if kind != "dir" and links > 1 else ())
        for path, kind, mode, owner, mtime, links, inode, details in rows
    }


def of_directory(probe, directory):
    done = subprocess.run([str(probe), "tree", str(directory)], stdout=subprocess.PIPE, check=True)
    return parse(done.stdout.decode(), prefix=str(directory))


def with_whole_seconds(tree):
    """The same with times as a writer leaves them that knows no fractions."""
    return {path: replace(file, mtime=file.mtime.split(".")[0] + ".000000000") for path, file in tree.items()}


def differences(expected, found, ignored=(), ignored_fields=None):
    """Readable lines. `ignored`: paths left out. `ignored_fields`: path or "*" -> field names."""
    ignored_fields = ignored_fields or {}
    lines = []
    for path in sorted(set(expected) | set(found)):
        if path in ignored:
            continue
        if path not in found:
            lines.append(f"missing: {path}")
        elif path not in expected:
            lines.append(f"too much: {path}")
        else:
            skip = {*ignored_fields.get(path, ()), *ignored_fields.get("*", ())}
            for name in File.__dataclass_fields__:
                want, have = getattr(expected[path], name), getattr(found[path], name)
                if name not in skip and want != have:
                    lines.append(f"{path}: {name} should be {want}, is {have}")
    return lines
