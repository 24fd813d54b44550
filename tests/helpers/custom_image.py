# SPDX-License-Identifier: Apache-2.0
"""busybox with a layer of the test's own on top, and a configuration of its own."""

import subprocess

from docker_archive import Image

NAME = "custom:test"


class CustomImage:
    """Layer methods of docker_archive.Layer; load() gives it to a store as custom:test."""

    def __init__(self, config=None):
        self.image = Image(NAME, config={"Cmd": ["sh"], **(config or {})})
        base = self.image.layer()
        for name in ("bin", "etc", "tmp", "root"):
            base.directory(name)
        with open("/bin/busybox", "rb") as program:
            base.file("bin/busybox", program.read(), mode=0o755)
        applets = subprocess.run(["/bin/busybox", "--list"], stdout=subprocess.PIPE, check=True,
                                 text=True).stdout.split()
        for name in applets:
            if name != "busybox":
                base.hardlink(f"bin/{name}", "bin/busybox", mode=0o755)
        base.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        base.file("etc/group", "root:x:0:\n")
        self.layer = self.image.layer()

    def load(self, skiff):
        archive = skiff.directory / "custom.tar"
        self.image.write_docker_archive(archive)
        skiff.load(archive)
        archive.unlink()
        return NAME
