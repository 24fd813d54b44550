# SPDX-License-Identifier: Apache-2.0
"""Default confinement is nowhere weaker than docker's and podman's, property by property: what they
answered to tests/helpers/confinement.c is kept in confinement.json by tests/compare-confinement. Each
difference stands here with its reason, and in docs/security.md."""

import json
from pathlib import Path

import pytest

from helpers import confined

KEPT = json.loads((Path(__file__).parent / "confinement.json").read_text(encoding="utf-8"))

# Calls that Debian's releases of both are too old to know or to allow. docker's own profile allows them
# today, as ours does: they act on nothing but what the process could reach anyway.
NEWER = {"cachestat", "fchmodat2", "futex_requeue", "futex_wait", "futex_wake", "name_to_handle_at",
         "pkey_alloc", "pkey_free", "pkey_mprotect", "process_vm_readv", "process_vm_writev",
         "futex_waitv", "map_shadow_stack", "process_mrelease", "io_pgetevents", "vmsplice"}
# docker gives these three and images rely on it; podman does not.
OF_DOCKER = {f"{field} {name}" for field in ("CapPrm", "CapEff", "CapBnd")
             for name in ("AUDIT_WRITE", "MKNOD", "NET_RAW")}
FROM_THESE = {"call socket(INET,RAW)", "call socket(PACKET)", "node null"}
EXPLAINED = {
    "docker": {f"call {name}" for name in NEWER},
    # /sys/dev/block has names of devices and no contents; docker leaves it too. noexec on /dev keeps
    # programs from being run there and docker's images from working.
    "podman": {f"call {name}" for name in NEWER} | OF_DOCKER | FROM_THESE
              | {"path /sys/dev/block", "mount /dev"},
}


@pytest.mark.parametrize("engine", EXPLAINED)
def test_nothing_is_weaker(skiff, helper_directory, engine):
    done = skiff.run("run", "--rm", "-v", f"{helper_directory}/confinement:/confinement:ro",
                     "busybox", "/confinement")
    ours = confined.parse(done.stdout)
    found = {name: said for name, said in confined.weaker(ours, KEPT[engine]).items()
             if name not in EXPLAINED[engine]}
    assert not found, f"weaker than {engine}'s: {found}"


@pytest.mark.parametrize("options", [(), ("-u", "1000"), ("--init",)], ids=str)
def test_exec_is_confined_like_the_first(skiff, helper_directory, options):
    """A second process has nothing that the first one has not."""
    skiff.start("--name", "box", "-v", f"{helper_directory}/confinement:/confinement:ro",
                *(options if options == ("--init",) else ()))
    user = options if options[:1] == ("-u",) else ()
    theirs = confined.parse(skiff.run("run", "--rm", *user, "-v",
                                      f"{helper_directory}/confinement:/confinement:ro", "busybox",
                                      "/confinement").stdout)
    ours = confined.parse(skiff.run("exec", *user, "box", "/confinement").stdout)
    assert not confined.weaker(ours, confined.comparable(theirs))


def test_the_comparison_sees_what_is_opened(skiff, helper_directory):
    """Each of these gives something away, and the comparison says what."""
    for options, what in ((("--cap-add", "NET_ADMIN"), "CapEff NET_ADMIN"),
                          (("--security-opt", "seccomp=unconfined"), "call keyctl"),
                          (("--security-opt", "unmask=/proc/sys"),
                           "writable /proc/sys/kernel/core_pattern"),
                          (("--security-opt", "unmask=/proc/keys"), "path /proc/keys"),
                          (("--device", "/dev/kmsg"), "device /dev/kmsg")):
        done = skiff.run("run", "--rm", *options, "-v",
                         f"{helper_directory}/confinement:/confinement:ro", "busybox",
                         "/confinement")
        found = confined.weaker(confined.parse(done.stdout), KEPT["docker"])
        assert what in found, (options, found)
