# SPDX-License-Identifier: Apache-2.0
"""Kernels and sandboxes that lack a system call: another way is found, or the error says it whole."""

import pytest

# Not asked for on the path of a start, or replaced by something else where missing.
OPTIONAL = ["copy_file_range", "faccessat2", "keyctl", "madvise", "memfd_create", "pidfd_getfd",
            "pidfd_open", "renameat2", "splice", "statx", "tee"]
# What makes a container safe or invisible to the host: nothing stands in for these.
REQUIRED = ["clone3", "fsopen", "fsmount", "mount_setattr", "move_mount", "open_tree",
            "seccomp"]


@pytest.fixture
def lacking(skiff, syscall_fail):
    """Runs skiff where one system call fails with ENOSYS."""
    original = skiff.command

    def run(call, *args, **options):
        skiff.command = lambda *words: [str(syscall_fail), call, *original(*words)]
        try:
            return skiff.run(*args, **options)
        finally:
            skiff.command = original

    return run


@pytest.mark.parametrize("call", OPTIONAL)
def test_starts_without(skiff, lacking, call):
    done = lacking(call, "run", "--rm", "-e", "A=b", "busybox", "sh", "-c", "echo $A; exit 3",
                   check=False)
    assert (done.stdout, done.stderr, done.code) == ("b\n", "", 3)
    assert skiff.containers() == []


@pytest.mark.parametrize("call", REQUIRED)
def test_says_what_is_missing(skiff, lacking, call):
    done = lacking(call, "run", "--rm", "busybox", "true", check=False)
    assert done.code == 125
    assert done.stdout == ""
    assert "Function not implemented" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert skiff.containers() == []


@pytest.mark.parametrize("call", ["pidfd_send_signal", "splice", "statx", "renameat2"])
def test_exec_without(skiff, lacking, call):
    skiff.start("--name", "box")
    done = lacking(call, "exec", "box", "sh", "-c", "echo in; exit 4", check=False)
    assert (done.stdout, done.stderr, done.code) == ("in\n", "", 4)


@pytest.mark.parametrize("call", ["clone3", "memfd_create", "openat2", "pidfd_open", "setns"])
def test_exec_says_what_is_missing(skiff, lacking, call):
    skiff.start("--name", "box")
    done = lacking(call, "exec", "box", "true", check=False)
    assert done.code in (1, 126)
    assert "Function not implemented" in done.stderr
    assert "not running" not in done.stderr
    assert skiff.status("box") == "running"
