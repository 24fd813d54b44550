# SPDX-License-Identifier: Apache-2.0
"""A block device of a test's own."""

import subprocess

import pytest

from helpers.features import require, require_tool

SIZE = 16 << 20


@pytest.fixture
def loop_device(tmp_path):
    """/dev/loopN over a file of 16 MB."""
    losetup = require_tool("losetup")
    backing = tmp_path / "disk"
    with open(backing, "wb") as file:
        file.truncate(SIZE)
    done = subprocess.run([losetup, "--find", "--show", backing], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, text=True)
    require(done.returncode == 0, f"loop devices ({done.stderr.strip()})")
    device = done.stdout.strip()
    yield device
    subprocess.run([losetup, "--detach", device], check=True)
