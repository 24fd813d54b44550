# SPDX-License-Identifier: Apache-2.0
"""A directory on the host that no container may touch or see."""

import hashlib
import os

import pytest

SECRET = "canary-7d1f0c"


class Canary:
    """Its files, with what must not change about them."""

    def __init__(self, path):
        self.path = path
        path.mkdir(mode=0o777)
        (path / "secret").write_text(SECRET)
        (path / "hosts").write_text(SECRET)
        (path / "directory").mkdir()
        self.before = self.state()

    def state(self):
        found = {}
        for base, directories, files in os.walk(self.path):
            for name in [".", *directories, *files]:
                path = os.path.join(base, name)
                st = os.lstat(path)
                content = b""
                if name in files and not os.path.islink(path):
                    with open(path, "rb") as file:
                        content = file.read()
                found[path] = (st.st_mode, st.st_uid, st.st_gid, st.st_mtime_ns, st.st_ino,
                               hashlib.sha256(content).hexdigest())
        return found

    def assert_untouched(self):
        now = self.state()
        changed = [path for path in sorted(set(now) | set(self.before))
                   if now.get(path) != self.before.get(path)]
        assert not changed, f"touched on the host: {changed}"


@pytest.fixture
def canary(skiff):
    """Checked again when the test ends."""
    canary = Canary(skiff.directory / "canary")
    yield canary
    canary.assert_untouched()
