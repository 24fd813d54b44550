# SPDX-License-Identifier: Apache-2.0
"""Other engines' containers on skiff-oci: podman and docker of Debian, each with a store of its own."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from helpers.features import require
from helpers.foreign import Dockerd

# Debian's podman wants one world of cgroups; the empty v2 beside v1 is hidden from it.
ALONE = ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c",
         'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"', "sh"]

CGROUPS = Path("/sys/fs/cgroup")


@pytest.fixture
def rootfs(tmp_path):
    busybox = shutil.which("busybox")
    binaries = tmp_path / "tree" / "bin"
    binaries.mkdir(parents=True)
    shutil.copy(busybox, binaries)
    for applet in ("sh", "cat", "echo", "sleep", "id", "mount", "true"):
        (binaries / applet).symlink_to("busybox")
    tar = tmp_path / "rootfs.tar"
    subprocess.run(["tar", "-C", str(tmp_path / "tree"), "-cf", str(tar), "."], check=True)
    return tar


def own_groups():
    """What these engines make in every hierarchy and leave behind, deepest first."""
    return sorted((path for name in ("libpod_parent", "docker")
                   for path in CGROUPS.glob(f"*/{name}/**/") if path.is_dir()),
                  key=lambda path: -len(path.parts)) + [
        path for name in ("libpod_parent", "docker") for path in CGROUPS.glob(name)]


@pytest.fixture(autouse=True)
def groups_as_before():
    before = set(own_groups())
    yield
    for path in own_groups():
        if path not in before:
            path.rmdir()


class Engine:
    def __init__(self, command, prefix=()):
        self.command = command
        self.prefix = list(prefix)

    def __call__(self, *args, status=0):
        result = subprocess.run([*self.prefix, *self.command, *map(str, args)],
                                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=120, check=False)
        assert result.returncode == status, (result.stdout, result.stderr)
        return result.stdout


def go_through(engine, options):
    run = ("run", "--network", "none", *options)
    assert engine(*run, "--rm", "bb", "echo", "hello") == "hello\n"
    engine(*run, "--rm", "bb", "sh", "-c", "exit 5", status=5)
    engine(*run, "--rm", "bb", "nothere", status=127)
    engine(*run, "--rm", "bb", "/bin", status=126)
    assert engine(*run, "--rm", "-t", "bb", "echo", "tty") == "tty\n"
    assert "uid=7 gid=8" in engine(*run, "--rm", "--user", "7:8", "bb", "id")
    engine(*run, "-d", "--name", "one", "bb", "sleep", "1000")
    assert "uid=0" in engine("exec", "one", "id")
    assert engine("exec", "-e", "A=b", "one", "sh", "-c", "echo $A") == "b\n"
    engine("exec", "one", "sh", "-c", "exit 3", status=3)
    assert "sleep 1000" in engine("top", "one")
    engine("pause", "one")
    assert json.loads(engine("inspect", "one"))[0]["State"]["Status"] == "paused"
    engine("unpause", "one")
    engine("kill", "one")
    engine("rm", "-f", "one")


def test_podman(rootfs, prefix):
    require(shutil.which("podman"), "podman")
    # Names of sockets have 108 bytes.
    with tempfile.TemporaryDirectory(prefix="skiff-test-", dir="/var/tmp") as work:
        podman = Engine(["podman", "--root", f"{work}/s", "--runroot", f"{work}/r", "--tmpdir",
                         f"{work}/t", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs",
                         "--events-backend", "none", "--runtime", str(prefix / "bin/skiff-oci")],
                        ALONE)
        podman("import", rootfs, "bb")
        # Its own limits need CAP_SYS_RESOURCE.
        go_through(podman, ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"])


def test_docker(rootfs, prefix, tmp_path):
    work = tmp_path / "docker"
    work.mkdir()
    with Dockerd(work, options=("--add-runtime", f"ours={prefix}/bin/skiff-oci")) as daemon:
        docker = Engine([*daemon.docker])
        docker("import", rootfs, "bb")
        go_through(docker, ["--runtime", "ours"])
