# SPDX-License-Identifier: Apache-2.0
"""Rule 1 of docs/security.md, read off a trace: a path-taking call touches a tree that a container controls
only through a pinned descriptor.

    strace -f -y -e trace=%file,%desc,%process,setns,… -o TRACE skiff …
    Lint(trees).read(TRACE) -> lines that break the rule

In a tree that a container controls a name is one component, not followed when it is a link, below a
descriptor; or it goes through openat2() with a RESOLVE flag. A process that has left the host's root
(pivot_root, chroot, or another mount namespace) has only such trees, but for its own /proc/self. What a
process does after it became the container's program is the container's, and so is how it is looked
for in PATH: by a process that is confined already.
"""

import os
import re

TRACED = ("trace=%file,openat2,mount_setattr,move_mount,open_tree,fsconfig,fchdir,pivot_root,chroot,"
          "setns,clone,clone3,fork,vfork,execve,execveat,exit_group")

# Of these the last component is never followed.
NEVER_FOLLOW = {"mkdir", "mkdirat", "unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2",
                "symlink", "symlinkat", "readlink", "readlinkat", "mknod", "mknodat", "lstat",
                "lchown", "lgetxattr", "lsetxattr", "llistxattr", "lremovexattr"}
# linkat(2) follows only when told to.
NOFOLLOW = re.compile(r"\b(O_NOFOLLOW|AT_SYMLINK_NOFOLLOW|O_EXCL)\b")
PINNED = re.compile(r"resolve=[^}]*RESOLVE_(IN_ROOT|BENEATH|NO_SYMLINKS)")
# Of symlink and symlinkat the first string is what the link says, which is no path of ours.
TEXT_FIRST = {"symlink", "symlinkat"}
# What they say of a link is no path of ours either.
TEXT_LAST = {"readlink", "readlinkat"}
SEARCHING = {"newfstatat", "stat", "faccessat2", "faccessat", "access"}
# Names of kinds of file systems and the like.
NO_PATHS = {"fsopen", "fsconfig", "execve", "execveat", "exit_group", "clone", "clone3", "fork",
            "vfork", "setns", "pivot_root", "chroot", "getcwd"}
LINE = re.compile(r"^(\d+) +(.*)$")
CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\w+)")
ARGUMENT = re.compile(r'(?:(?:AT_FDCWD|\d+)<((?:[^<>]|<[^>]*>)*)>, )?"((?:[^"\\]|\\.)*)"')
OWN_PROC = re.compile(r"^/proc/(self|thread-self)(/(fd|attr|ns|status|mountinfo|exe|stat|cgroup|"
                      r"oom_score_adj|setgroups|uid_map|gid_map|cmdline|maps)(/[\w.]+)?)?$")


class Lint:
    def __init__(self, trees):
        self.trees = [os.path.normpath(str(tree)) for tree in trees]
        self.inside = set()    # pids that have left the host's root
        self.foreign = set()   # pids that run the container's program
        self.searches = {}     # pid -> [(name that was asked about, its line)]
        self.checked = 0       # paths in trees of a container
        self.found = []

    def in_a_tree(self, path):
        """Below one: its top is ours, and named by us."""
        return any(path.startswith(tree + "/") for tree in self.trees)

    def read(self, trace):
        unfinished = {}
        with open(trace, encoding="utf-8", errors="replace") as file:
            for line in file:
                pid, text = LINE.match(line).groups()
                if text.endswith("<unfinished ...>"):
                    unfinished[pid] = text[:-len("<unfinished ...>")].rstrip()
                    continue
                resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", text)
                if resumed:
                    text = unfinished.pop(pid, "") + resumed.group(1)
                call = CALL.match(text)
                if call:
                    self.step(pid, text, *call.groups())
        return self.found + [text for searches in self.searches.values() for _, text in searches]

    def step(self, pid, text, name, arguments, result):
        if name in ("clone", "clone3", "fork", "vfork") and result.isdigit():
            for kind in (self.inside, self.foreign):
                if pid in kind:
                    kind.add(result)
        elif pid in self.foreign or result == "-1" and name in ("execve", "execveat"):
            return
        elif name in ("execve", "execveat") and pid in self.inside:
            self.foreign.add(pid)
            # With --init the command is an argument.
            programs = {os.path.basename(one.group(2)) for one in ARGUMENT.finditer(arguments)}
            self.searches[pid] = [(one, line) for one, line in self.searches.get(pid, ())
                                  if one not in programs]
        elif name in ("pivot_root", "chroot") and result == "0":
            self.inside.add(pid)
        elif name == "setns" and result == "0" and "CLONE_NEWNS" in arguments:
            self.inside.add(pid)
        elif name not in NO_PATHS:
            self.check(pid, text, name, arguments)

    def check(self, pid, text, name, arguments):
        strings = list(ARGUMENT.finditer(arguments))
        if name in TEXT_FIRST:
            strings = strings[1:]
        for one in strings[:1 if name in TEXT_LAST else 2]:
            directory, path = one.groups()
            # The last tells a new root from one that can be left.
            if path in ("", ".", "/", "/.."):
                continue
            if path.startswith("/"):
                whole = os.path.normpath(path)
            elif directory:
                whole = os.path.normpath(os.path.join(directory, path))
            else:
                whole = path
            below = bool(directory) and self.in_a_tree(f"{directory}/x")
            if not (pid in self.inside or self.in_a_tree(whole)
                    or below and not path.startswith("/")):
                continue
            self.checked += 1
            if not self.is_pinned(pid, name, arguments, directory, path):
                if pid in self.inside and name in SEARCHING and path.startswith("/"):
                    self.searches.setdefault(pid, []).append((os.path.basename(path), text[:400]))
                else:
                    self.found.append(text[:400])
                return

    def is_pinned(self, pid, name, arguments, directory, path):
        if name == "openat2":
            return bool(PINNED.search(arguments))
        if OWN_PROC.match(os.path.join(directory or "/", path)):
            return True
        # The first component below the root that a process has is one component too.
        alone = path[1:] if path.startswith("/") and pid in self.inside else path
        if "/" in alone or alone == "..":
            return False
        if path.startswith("/") and pid not in self.inside:
            return False
        if directory and pid not in self.inside and not self.in_a_tree(directory + "/x"):
            return False
        return (name in NEVER_FOLLOW or bool(NOFOLLOW.search(arguments))
                or name == "linkat" and "AT_SYMLINK_FOLLOW" not in arguments)
