# SPDX-License-Identifier: Apache-2.0
"""THREATS.md: 2019-19921, 2021-30465, 2023-27561, 2023-28642, 2024-9341, 2025-24965, 2025-31133,
2025-52565, 2025-52881, 2026-41579, 2026-55686. Nothing that an image puts in the way of a mount, a
file of ours or the working directory leads to the host."""

import os

import pytest

from helpers.canary import SECRET
from helpers.custom_image import CustomImage

CORE_PATTERN = "/proc/sys/kernel/core_pattern"


@pytest.fixture
def core_pattern():
    with open(CORE_PATTERN, encoding="utf-8") as file:
        before = file.read()
    yield
    with open(CORE_PATTERN, encoding="utf-8") as file:
        assert file.read() == before


def links_to(canary):
    """An absolute and a relative way from the image's root to the canary."""
    return [str(canary.path), "../" * 30 + str(canary.path).lstrip("/")]


def run_any(skiff, name, *args, command=("true",)):
    """It may start or be refused; what must not happen is checked by the canary."""
    done = skiff.run("run", "--rm", *args, name, *command, check=False, timeout=60)
    assert done.code in (0, 1, 125, 126, 127), done
    assert SECRET not in done.stdout
    return done


@pytest.mark.parametrize("which", [0, 1], ids=["absolute", "relative"])
@pytest.mark.parametrize("target", ["dev", "proc", "sys", "dev/pts", "dev/shm", "dev/mqueue"])
def test_system_directory_is_a_link(skiff, canary, core_pattern, target, which):
    image = CustomImage()
    if "/" in target:
        image.layer.directory("dev")
    image.layer.symlink(target, links_to(canary)[which])
    name = image.load(skiff)
    run_any(skiff, name, command=("sh", "-c", "echo x >/dev/null; cat /dev/secret; ls /dev /proc"))
    assert os.path.exists("/dev/ptmx")


@pytest.mark.parametrize("which", [0, 1], ids=["absolute", "relative"])
@pytest.mark.parametrize("file", ["etc/hosts", "etc/resolv.conf", "etc/hostname", "etc/mtab"])
def test_files_of_ours_are_links(skiff, canary, file, which):
    image = CustomImage()
    image.layer.symlink(file, links_to(canary)[which] + "/hosts")
    name = image.load(skiff)
    run_any(skiff, name, "-h", "changed", "--add-host", "a:1.2.3.4", "--dns", "9.9.9.9",
            command=("cat", f"/{file}"))


def test_etc_itself_is_a_link(skiff, canary):
    image = CustomImage()
    image.layer.whiteout("etc")
    image.layer.symlink("etc", str(canary.path))
    run_any(skiff, image.load(skiff), "-h", "changed")


@pytest.mark.parametrize("which", [0, 1], ids=["absolute", "relative"])
@pytest.mark.parametrize("options", [["-v", "{v}:/data"], ["-v", "{v}:/data/made/here"],
                                     ["--tmpfs", "/data/made"], ["-v", "named:/data/x"],
                                     ["-w", "/data/made"], ["-v", "/data/anonymous"],
                                     ["--mount", "type=tmpfs,destination=/data/made"]],
                         ids=lambda value: value[0] + value[1] if isinstance(value, list) else None)
def test_mount_point_behind_a_link(skiff, canary, options, which):
    image = CustomImage()
    image.layer.symlink("data", links_to(canary)[which])
    name = image.load(skiff)
    source = skiff.directory / "source"
    source.mkdir()
    run_any(skiff, name, *[one.format(v=source) for one in options],
            command=("sh", "-c", "touch /data/x; cat /data/secret"))


@pytest.mark.parametrize("config", [
    {"WorkingDir": "/data/made"}, {"WorkingDir": "/data/directory"},
    {"WorkingDir": "../../../data"}, {"Volumes": {"/data": {}}},
    {"Volumes": {"/../../../data/made": {}}}, {"Volumes": {"/proc": {}}},
], ids=str)
def test_configuration_behind_a_link(skiff, canary, config):
    image = CustomImage(config)
    image.layer.symlink("data", str(canary.path))
    run_any(skiff, image.load(skiff), command=("sh", "-c", "cat secret /data/secret; touch made"))


def test_volume_is_not_filled_from_the_host(skiff, canary):
    """Copying the image's files into a new volume follows no link, in whole or in part."""
    image = CustomImage()
    image.layer.symlink("whole", str(canary.path))
    image.layer.directory("data")
    image.layer.symlink("data/part", f"{canary.path}/secret")
    image.layer.file("data/own", "own")
    name = image.load(skiff)
    run_any(skiff, name, "-v", "one:/whole")
    skiff.run("run", "--rm", "-v", "two:/data", name, "true")
    for base, _, files in os.walk(skiff.root / "volumes"):
        for file in files:
            path = os.path.join(base, file)
            assert os.path.islink(path) or SECRET not in open(path, encoding="utf-8").read(), path
    assert os.path.islink(skiff.root / "volumes/two/_data/part")


# ---- masking ----

@pytest.mark.parametrize("target", [CORE_PATTERN, "/proc/sysrq-trigger", "/proc/self/attr/exec"])
def test_null_device_replaced(skiff, canary, core_pattern, target):
    """/dev/null of the image is a link to what an attacker wants writable."""
    image = CustomImage()
    image.layer.directory("dev")
    for name in ("null", "zero", "console", "ptmx", "tty"):
        image.layer.symlink(f"dev/{name}", target)
    name = image.load(skiff)
    done = skiff.run("run", "--rm", name, "sh", "-c",
                     "stat -c '%t:%T' /dev/null; head -c 1 /proc/kcore | wc -c; "
                     f"echo '|/x' >{CORE_PATTERN}; echo '|/x' >/proc/kcore; cat {CORE_PATTERN}",
                     check=False)
    assert done.stdout.split()[:2] == ["1:3", "0"], done
    assert "|/x" not in done.stdout


def test_console_replaced(skiff, canary):
    image = CustomImage()
    image.layer.directory("dev")
    image.layer.symlink("dev/console", f"{canary.path}/secret")
    image.layer.symlink("dev/pts", str(canary.path))
    child = skiff.spawn("run", "--rm", "-t", image.load(skiff), "sh", "-c",
                        "echo to the console >/dev/console; stat -c %F /dev/console")
    assert "character special file" in child.read()


def test_fake_proc(skiff, core_pattern):
    """An image that brings its own /proc does not catch what the engine writes."""
    image = CustomImage()
    for name in ("proc", "proc/self", "proc/self/attr", "proc/sys", "proc/sys/kernel"):
        image.layer.directory(name)
    image.layer.file("proc/self/attr/exec", "fake")
    image.layer.symlink("proc/sys/kernel/msgmax", "../../sysrq-trigger")
    image.layer.symlink("proc/sys/kernel/domainname", "../../sysrq-trigger")
    done = skiff.run("run", "--rm", "--sysctl", "kernel.msgmax=4321", image.load(skiff), "cat",
                     "/proc/sys/kernel/msgmax")
    assert done.stdout == "4321\n"


@pytest.mark.parametrize("where", ["/proc", "/proc/self", "/proc/sys", "/proc/1/attr"])
def test_mounting_over_proc_is_refused(skiff, canary, core_pattern, where):
    done = skiff.run("run", "--rm", "-v", f"{canary.path}:{where}", "busybox", "true", check=False)
    assert done.code in (125, 126, 127), done


def test_nothing_is_writable_below_proc_sys(skiff, core_pattern):
    done = skiff.run("run", "--rm", "busybox", "sh", "-c",
                     "for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger "
                     "/proc/sys/kernel/modprobe /sys/kernel/uevent_helper /proc/irq/default_smp_affinity; "
                     "do [ -e $f ] && { echo x >$f; } 2>/dev/null && echo wrote $f; done; "
                     "mount -o remount,rw /proc/sys 2>/dev/null && echo remounted; "
                     "umount /proc/sys 2>/dev/null && echo unmounted; "
                     "umount /proc/kcore 2>/dev/null && echo unmasked; :")
    assert done.stdout == ""
