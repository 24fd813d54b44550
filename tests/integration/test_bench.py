# SPDX-License-Identifier: Apache-2.0
"""bench/run does what it says. Nothing is asserted about time."""

import json
import subprocess
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
