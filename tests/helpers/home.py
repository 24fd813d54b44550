# SPDX-License-Identifier: Apache-2.0
"""A home directory of the test's own, where skiff, podman, skopeo and docker find their files."""

import json
import subprocess

from helpers.features import require_tool


class Home:
    def __init__(self, path, skiff):
        self.path = path
        self.skiff = skiff
        self.environment = {"HOME": str(path), "XDG_CONFIG_HOME": str(path / ".config"),
                            "XDG_RUNTIME_DIR": str(path / "run")}
        (path / "run").mkdir(parents=True)
        skiff.environment = {**skiff.environment, **self.environment}

    def write(self, name, content, mode=0o644):
        """`content` is text, or a value to be written as JSON."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content if isinstance(content, str) else json.dumps(content))
        target.chmod(mode)
        return target

    def policy(self, default, **transports):
        self.write(".config/containers/policy.json",
                   {"default": default, "transports": transports})

    def certificates(self, registry):
        """Trusts the registry's authority, under both of its names."""
        for domain in (registry.domain, registry.name):
            self.write(f".config/containers/certs.d/{domain}/ca.crt", registry.ca.read_text())

    def tool(self, program, *args, **options):
        """Another program, that lives here too."""
        return subprocess.run([require_tool(program), *map(str, args)], check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **self.environment},
                              **options)
