# SPDX-License-Identifier: Apache-2.0
"""A host whose mounts are all shared, as systemd makes them: copies of them are peers of the host's."""

import subprocess

SCRIPT = """
set -e
mount --make-rshared /
cut -d ' ' -f 2- /proc/self/mountinfo >"$1/before"
skiff load -q -i "$2"
skiff run --name box -d -v vol:/data -v "$1:/host" --tmpfs /scratch busybox sleep 1000
skiff exec box sh -c 'echo from inside; touch /data/made /host/made; mount | grep -c " / "'
cut -d ' ' -f 2- /proc/self/mountinfo >"$1/during"
skiff exec box cat /proc/self/mountinfo >"$1/inside"
skiff export box | tar -t >"$1/names"
skiff run --rm --read-only busybox true
skiff stop -t 0 box
skiff start box
skiff rm -f -v box
cut -d ' ' -f 2- /proc/self/mountinfo >"$1/after"
"""


def test_nothing_reaches_the_host(empty_skiff, busybox, tmp_path):
    wrapper = tmp_path / "bin/skiff"
    wrapper.parent.mkdir()
    wrapper.write_text(f"#!/bin/sh\nexec {' '.join(empty_skiff.command())} \"$@\"\n")
    wrapper.chmod(0o755)
    files = tmp_path / "files"
    files.mkdir()
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", SCRIPT, "sh", files, busybox],
        capture_output=True, text=True, check=False, timeout=120,
        env={**empty_skiff.environment,
             "PATH": f"{wrapper.parent}:{empty_skiff.environment['PATH']}"})
    assert done.returncode == 0, done.stderr
    assert "from inside\n1\n" in done.stdout
    tables = {name: (files / name).read_text() for name in ("before", "during", "after", "inside")}
    assert tables["during"] == tables["before"]
    assert tables["after"] == tables["before"]
    assert "shared:" not in tables["inside"]
    assert (files / "made").exists()
    assert "bin/sh" in (files / "names").read_text().replace("./", "")
