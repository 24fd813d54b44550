# SPDX-License-Identifier: Apache-2.0
"""Image archives, made once per session (or once per cache) and shared by all workers.

busybox        tools/make-busybox-image, a `docker save` archive
debian_root    a tar of a Debian root filesystem, by mmdebstrap (about a minute)
zoo            a root filesystem with one of everything (menagerie.py), as directories and a tar

Images of the zoo made by other programs: foreign.py.
"""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from helpers import menagerie
from helpers.features import require_tool

TOOLS = Path(__file__).resolve().parents[2] / "tools"
TOOL_TIMEOUT = 900
# Where this machine gets its packages from, so that no other mirror need be in reach.
DEBIAN_SOURCES = ("/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources")


def tool(*command, **options):
    """Runs a program of the machine; its output is in the failure."""
    done = subprocess.run([str(one) for one in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False,
                          timeout=TOOL_TIMEOUT, **options)
    assert done.returncode == 0, (f"{' '.join(map(str, command))}: exit code {done.returncode}\n"
                                  + done.stdout.decode(errors="replace"))
    return done.stdout.decode(errors="replace")


def made_once(path, make):
    """Returns path; calls make(temporary path) first when it is not there. Safe between workers."""
    path = Path(path)
    path.parent.mkdir(exist_ok=True)
    with open(f"{path}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            temporary = path.with_name(f"{path.name}.making")
            if temporary.is_dir():
                shutil.rmtree(temporary)
            elif temporary.exists():
                temporary.unlink()
            make(temporary)
            os.rename(temporary, path)
    return path


@pytest.fixture(scope="session")
def busybox(session_directory):
    """Archive of busybox:latest."""
    def make(path):
        tool(TOOLS / "make-busybox-image", path)
    return made_once(session_directory / "images/busybox.tar", make)


@pytest.fixture(scope="session")
def debian_root(cache_directory):
    """An uncompressed tar of a minimal Debian root filesystem with a shell and dpkg."""
    def make(path):
        sources = [file for file in DEBIAN_SOURCES if os.path.exists(file)]
        tool(require_tool("mmdebstrap"), "--mode=root", "--variant=minbase", "--format=tar",
             "--include=bash,procps", "bookworm", path, *sources)
    return made_once(cache_directory / "debian-root.tar", make)


class Zoo:
    """Directories to compare with: after the first layer, and after the second."""

    def __init__(self, directory):
        self.directory = directory
        self.rootfs = directory / "rootfs"
        self.changed = directory / "changed"
        self.tar = directory / "rootfs.tar"


@pytest.fixture(scope="session")
def zoo(session_directory):
    def make(path):
        path.mkdir()
        made = Zoo(path)
        made.rootfs.mkdir()
        menagerie.build(made.rootfs)
        menagerie.pack(made.rootfs, made.tar)
        tool("cp", "-a", made.rootfs, made.changed)
        menagerie.change(made.changed)
    return Zoo(made_once(session_directory / "zoo", make))
