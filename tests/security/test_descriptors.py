# SPDX-License-Identifier: Apache-2.0
"""THREATS.md: 2016-9962, 2024-21626. No descriptor of the host survives into a container, and no
working directory leads out of it."""

import pytest

from helpers.canary import SECRET
from helpers.custom_image import CustomImage

NUMBERS = range(3, 24)
UP = "../" * 24


def look_for(canary):
    return ["sh", "-c", f"cat ./{UP}{str(canary.path).lstrip('/')}/secret; "
                        "cat ./secret ../secret 2>/dev/null; ls -d . ; pwd; :"]


def assert_inside(done):
    assert SECRET not in done.stdout
    assert done.code != 0 or "(unreachable)" not in done.stdout


@pytest.mark.parametrize("path", ["/proc/self/fd/{}", "/proc/1/fd/{}", "/dev/fd/{}"])
def test_working_directory_of_run(skiff, canary, path):
    for number in NUMBERS:
        assert_inside(skiff.run("run", "--rm", "-w", path.format(number), "busybox",
                                *look_for(canary), check=False))


def test_working_directory_of_exec(skiff, canary):
    skiff.start("--name", "box")
    for number in NUMBERS:
        assert_inside(skiff.run("exec", "-w", f"/proc/self/fd/{number}", "box", *look_for(canary),
                                check=False))


@pytest.mark.parametrize("directory", ["/proc/self/fd/3", "/proc/self/fd/7/..", "/proc/self/cwd",
                                       "/proc/1/cwd", "/proc/1/root", "/proc/thread-self/cwd",
                                       "/link"])
def test_working_directory_of_an_image(skiff, canary, directory):
    image = CustomImage({"WorkingDir": directory})
    image.layer.symlink("link", "/proc/self/fd/5")
    name = image.load(skiff)
    assert_inside(skiff.run("run", "--rm", name, *look_for(canary), check=False))


def test_first_process_has_three(skiff, probe):
    for more in ([], ["-i"], ["-t"], ["-it"], ["--init"], ["-u", "nobody"]):
        if "-it" in more or "-t" in more:
            child = skiff.spawn("run", "--rm", *more, "busybox", "ls", "/proc/1/fd")
            text = child.read()
        else:
            text = skiff.run("run", "--rm", *more, "busybox", "sh", "-c",
                             "exec ls /proc/1/fd", check=False).stdout
        numbers = [int(word) for word in text.split() if word.isdigit()]
        assert set(numbers) <= {0, 1, 2, 3}, (more, text)  # 3 is ls's own, of the directory
        assert {0, 1, 2} <= set(numbers) or "-u" in more, (more, text)
