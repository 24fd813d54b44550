# SPDX-License-Identifier: Apache-2.0
"""The files of a container's cgroup, as the host sees them, whichever version the machine has."""

from pathlib import Path

from helpers.features import cgroup_v1_controllers, cgroup_v2_mount, has_controller, require


class CgroupFiles:
    """CgroupFiles(skiff, "web").read("memory", "memory.limit_in_bytes", "memory.max")"""

    def __init__(self, skiff, container):
        self.name = f"skiff-{skiff.full_id(container)}"

    def directory(self, controller):
        require(has_controller(controller), f"the {controller} controller")
        mount = cgroup_v1_controllers().get(controller) or cgroup_v2_mount()
        return Path(mount) / self.name

    def path(self, controller, v1_file, v2_file=None):
        """The file that holds one limit; a limit that only v1 has skips the test on v2."""
        if controller in cgroup_v1_controllers():
            return self.directory(controller) / v1_file
        require(v2_file, f"the {controller} controller in cgroup v1")
        return self.directory({"blkio": "io"}.get(controller, controller)) / v2_file

    def read(self, controller, v1_file, v2_file=None):
        return self.path(controller, v1_file, v2_file).read_text(encoding="utf-8").strip()

    def numbers(self, controller, v1_file, v2_file=None):
        """A file of "key value" lines."""
        lines = self.read(controller, v1_file, v2_file).splitlines()
        return {key: int(value) for key, value in (line.split() for line in lines)}
