# SPDX-License-Identifier: Apache-2.0
"""bench/run does what it says. Nothing is asserted about time."""

import json
import subprocess
import sys
import time
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]


def test_floor_is_measured_and_nothing_left(helper_directory, tmp_path):
    floor = helper_directory.parents[1] / "bench" / "floor"
    results = tmp_path / "results.json"
    done = subprocess.run(
        [TREE / "bench/run", "--quick", "--only", "floor,run", "--peers", "process,floor",
         "--rounds", "3", "--floor", floor, "--json", results],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
        text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "left behind" not in done.stderr
    assert "| overlay |" in done.stdout
    sections = json.loads(results.read_text(encoding="utf-8"))["sections"]
    assert sections["floor"]["total"] > 0
    assert sections["run"]["floor"]["n"] == 3


def test_unknown_section_is_an_error():
    done = subprocess.run([TREE / "bench/run", "--only", "nothing"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True,
                          timeout=60)
    assert done.returncode == 2
    assert "unknown: nothing" in done.stderr


def test_link_is_slow_and_far_and_leaves_nothing(tmp_path):
    """What `bench/run --only slow` pulls through: no faster than it says, and what goes in comes out."""
    sys.path.insert(0, str(TREE / "bench"))
    try:
        from harness.link import Link
    finally:
        sys.path.remove(str(TREE / "bench"))
    data = bytes(range(256)) * 2000
    (tmp_path / "data").write_bytes(data)
    with Link(delay_s=0.05, bits_per_s=20e6) as link:
        with subprocess.Popen(
                [*link.there, sys.executable, "-m", "http.server", "--bind", link.ADDRESS_THERE,
                 "--directory", tmp_path, "80"], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL) as server:
            try:
                start = time.monotonic()
                done = subprocess.run(
                    [*link.here, "curl", "-sf", "--retry", "60", "--retry-connrefused",
                     "--retry-delay", "1", f"http://{link.ADDRESS_THERE}/data"],
                    stdout=subprocess.PIPE, check=True, timeout=120)
                took = time.monotonic() - start
            finally:
                server.kill()
        assert done.stdout == data
        assert took > 4 * link.delay_s + len(data) * 8 / link.bits_per_s
        names = link.names
    assert not any(Path(f"/run/netns/{name}").exists() for name in names)
