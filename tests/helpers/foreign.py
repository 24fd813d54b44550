# SPDX-License-Identifier: Apache-2.0
"""Images written by other people's programs, all from the same root filesystem (menagerie.py).

Each maker takes (work directory, root filesystem tar, root filesystem, output) and leaves `output`
to be loaded. They run in private mount and network namespaces with stores of their own: nothing of
theirs is on the host either.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile

from helpers import menagerie
from helpers.features import require_tool
from helpers.images import tool
from helpers.waiting import wait_until

CONFIG = ["--config.cmd=sh", "--config.env=WHO=foreign"]


def apart(*command, **options):
    """Runs a tool that mounts things, where nobody sees it."""
    return tool("unshare", "--mount", "--propagation", "private", *command, **options)


@contextlib.contextmanager
def containers_store(work, program):
    """How podman and buildah are called with a store of their own."""
    # podman wants the path of its run directory shorter than 50 characters.
    with tempfile.TemporaryDirectory(prefix="s-", dir="/tmp") as run:
        yield [require_tool(program), "--root", work / "storage", "--runroot", run,
               "--storage-driver", "vfs"]


def by_skopeo(transport):
    """skopeo writes the layers anew in another format."""
    def make(work, tar, rootfs, output):
        layout = work / "layout"
        by_umoci(work, tar, rootfs, layout)
        tool(require_tool("skopeo"), "copy", f"oci:{layout}:two",
             f"{transport}:{output}:example.org/zoo:two")
    return make


def by_umoci(work, tar, rootfs, output):
    """An OCI layout directory with gzip layers; umoci finds out itself what changed."""
    umoci = require_tool("umoci")
    bundle = work / "bundle"
    tool(umoci, "init", "--layout", output)
    tool(umoci, "new", "--image", f"{output}:one")
    tool(umoci, "unpack", "--image", f"{output}:one", bundle)
    os.rmdir(bundle / "rootfs")
    subprocess.run(["cp", "-a", str(rootfs), str(bundle / "rootfs")], check=True)
    tool(umoci, "repack", "--image", f"{output}:one", bundle)
    # In two layers: from a directory that becomes a file umoci makes whiteouts below that file,
    # which docker and podman refuse, and so do we.
    shutil.rmtree(bundle)
    tool(umoci, "unpack", "--image", f"{output}:one", bundle)
    shutil.rmtree(bundle / "rootfs/zoo/replaced")
    tool(umoci, "repack", "--image", f"{output}:one", bundle)
    shutil.rmtree(bundle)
    tool(umoci, "unpack", "--image", f"{output}:one", bundle)
    menagerie.change(bundle / "rootfs")
    tool(umoci, "repack", "--image", f"{output}:two", bundle)
    tool(umoci, "config", *CONFIG, "--image", f"{output}:two")
    tool(umoci, "rm", "--image", f"{output}:one")
    shutil.rmtree(bundle)


CHANGE_SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from helpers import menagerie
menagerie.change(Path(sys.argv[2]))
"""


def by_buildah(transport):
    def make(work, tar, rootfs, output):
        script = work / "change.py"
        script.write_text(CHANGE_SCRIPT, encoding="utf-8")
        tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        with containers_store(work, "buildah") as command:
            buildah = " ".join(map(str, command))
            apart("bash", "-euc", f"""
                one=$({buildah} from scratch)
                where=$({buildah} mount $one)
                cp -a {rootfs}/. $where/
                {buildah} umount $one
                {buildah} config --cmd sh --env WHO=foreign $one
                {buildah} commit --quiet $one example.org/zoo:one
                two=$({buildah} from --pull-never example.org/zoo:one)
                where=$({buildah} mount $two)
                /usr/bin/python3 {script} {tests} $where
                {buildah} umount $two
                {buildah} commit --quiet $two {transport}:{output}:example.org/zoo:two
            """)
    return make


def by_podman(image_format):
    """`podman import` and `podman save`: one layer."""
    def make(work, tar, rootfs, output):
        with containers_store(work, "podman") as podman:
            apart(*podman, "import", "--change", "CMD=sh", "--change", "ENV=WHO=foreign", tar,
                  "example.org/zoo:two")
            apart(*podman, "save", "--format", image_format, "-o", output, "example.org/zoo:two")
    return make


class Dockerd:
    """A docker daemon of our own: no network, no store but its own, nothing on the host."""

    def __init__(self, work, driver="vfs", options=()):
        self.work = work
        self.driver = driver
        self.options = options
        self.socket = work / "docker.sock"
        self.process = None
        self.short = None

    def __enter__(self):
        dockerd = require_tool("dockerd")
        docker = require_tool("docker")
        # containerd's sockets are there, and their names have 108 bytes.
        self.short = tempfile.mkdtemp(prefix="skiff-test-", dir="/var/tmp")
        log = open(self.work / "dockerd.log", "wb")
        with log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--net", "--propagation", "private", "--", dockerd,
                 "--data-root", str(self.work / "data"), "--exec-root", self.short,
                 "--pidfile", str(self.work / "pid"), "-H", f"unix://{self.socket}",
                 "--bridge", "none", "--iptables=false", "--ip6tables=false",
                 "--storage-driver", self.driver, *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.docker = [docker, "-H", f"unix://{self.socket}"]

        def answers():
            assert self.process.poll() is None, self.log()
            return subprocess.run([*self.docker, "version"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  check=False).returncode == 0
        wait_until(answers, 60, what=self.log)
        return self

    def log(self):
        return (self.work / "dockerd.log").read_text(errors="replace")[-4000:]

    def run(self, *args):
        return tool(*self.docker, *args)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.short, ignore_errors=True)


def by_docker(work, tar, rootfs, output):
    """`docker import` and `docker save`; beside it what `docker export` says is in it."""
    with Dockerd(work) as daemon:
        daemon.run("import", "--change", "CMD sh", "--change", "ENV WHO=foreign", tar,
                   "example.org/zoo:two")
        daemon.run("save", "-o", output, "example.org/zoo:two")
        container = daemon.run("create", "example.org/zoo:two").strip()
        daemon.run("export", "-o", f"{output}.export", container)


# name: (maker, whether it has the second layer)
MAKERS = {
    "skopeo-docker-archive": (by_skopeo("docker-archive"), True),
    "skopeo-oci-archive": (by_skopeo("oci-archive"), True),
    "umoci-layout": (by_umoci, True),
    "buildah-docker-archive": (by_buildah("docker-archive"), True),
    "buildah-oci-archive": (by_buildah("oci-archive"), True),
    "podman-docker-archive": (by_podman("docker-archive"), False),
    "podman-oci-archive": (by_podman("oci-archive"), False),
    "docker-save": (by_docker, False),
}
