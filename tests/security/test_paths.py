# SPDX-License-Identifier: Apache-2.0
"""Rule 1, over a system-call trace of every command that touches a container's files: none names a path
in a tree that a container controls, other than through a pinned descriptor (helpers/path_lint.py)."""

import subprocess

import pytest

from helpers.custom_image import CustomImage
from helpers.features import require_tool
from helpers.path_lint import TRACED, Lint

TREE = "/store/volumes/v/_data"
BROKEN = [
    f'1 openat(AT_FDCWD</>, "{TREE}/a", O_RDONLY) = 3<{TREE}/a>',
    f'1 openat(5</store>, "volumes/v/_data/a", O_RDONLY|O_NOFOLLOW) = 3<{TREE}/a>',
    f'1 openat(5<{TREE}>, "a/b", O_RDONLY|O_NOFOLLOW) = 3<{TREE}/a/b>',
    f'1 openat(5<{TREE}>, "a", O_RDONLY|O_CLOEXEC) = 3<{TREE}/a>',
    f'1 openat(5<{TREE}/d>, "..", O_RDONLY|O_NOFOLLOW) = 3<{TREE}>',
    f'1 newfstatat(5<{TREE}>, "a", {{st_mode=S_IFREG}}, 0) = 0',
    f'1 openat2(5<{TREE}>, "a", {{flags=O_RDONLY, resolve=0}}, 24) = 3<{TREE}/a>',
    f'1 chdir("{TREE}/a") = 0',
    f'1 linkat(5<{TREE}>, "a", 5<{TREE}>, "b", AT_SYMLINK_FOLLOW) = 0',
    '1 pivot_root(".", ".") = 0\n1 openat(AT_FDCWD</>, "/etc/passwd", O_RDONLY) = 3</etc/passwd>',
    '1 setns(5<mnt:[1]>, CLONE_NEWNS) = 0\n1 clone(child_stack=NULL) = 2\n2 chdir("/a/b") = 0',
    f'1 rename("{TREE}/a", <unfinished ...>\n1 <... rename resumed>"/x") = 0',
    '1 chroot(".") = 0\n1 newfstatat(AT_FDCWD</>, "/bin/sh", {}, 0) = 0\n'
    '1 execve("/bin/true", ["true"], 0x1) = 0',
]
FINE = [
    '1 chroot(".") = 0\n1 newfstatat(AT_FDCWD</>, "/bin/sh", {}, 0) = 0\n'
    '1 execve("/bin/sh", ["sh"], 0x1) = 0',
    f'1 openat(5<{TREE}>, "a", O_RDONLY|O_NOFOLLOW) = 3<{TREE}/a>',
    f'1 openat(AT_FDCWD</>, "{TREE}", O_RDONLY) = 3<{TREE}>',
    f'1 openat2(5<{TREE}>, "/a/b", {{flags=O_RDONLY, resolve=RESOLVE_IN_ROOT}}, 24) = 3<{TREE}/a/b>',
    f'1 symlinkat("/a/b", 5<{TREE}>, "c") = 0',
    f'1 newfstatat(5<{TREE}/a>, "", {{st_mode=S_IFREG}}, AT_EMPTY_PATH) = 0',
    '1 openat(AT_FDCWD</>, "/etc/passwd", O_RDONLY) = 3</etc/passwd>',
    '1 pivot_root(".", ".") = 0\n1 execve("/bin/sh", ["sh"], 0x1) = 0\n'
    '1 openat(AT_FDCWD</>, "/etc/passwd", O_RDONLY) = 3</etc/passwd>',
]


@pytest.mark.parametrize("lines, broken", [(one, True) for one in BROKEN]
                         + [(one, False) for one in FINE])
def test_the_lint_itself(tmp_path, lines, broken):
    (tmp_path / "trace").write_text(lines + "\n")
    assert bool(Lint([TREE]).read(tmp_path / "trace")) == broken


@pytest.fixture
def traced(skiff, tmp_path):
    """Runs commands under strace; the findings are those of all of them."""
    strace = require_tool("strace")
    original = skiff.command
    bound = tmp_path / "bound"
    bound.mkdir()

    def trees():
        return [bound, *skiff.root.glob("containers/*/upper"), *skiff.root.glob("containers/*/work"),
                *skiff.root.glob("layers/*/diff"), *skiff.root.glob("volumes/*/_data"),
                *(skiff.root / "staging").glob("*/diff")]

    class Traced:
        findings = []
        checked = 0
        directory = bound

        def run(self, *args, **options):
            trace = tmp_path / "trace"
            skiff.command = lambda *words: [strace, "-f", "-y", "-q", "-s", "4096", "-e", TRACED,
                                            "-e", "signal=none", "-o", str(trace),
                                            *original(*words)]
            known = trees()
            try:
                done = skiff.run(*args, check=False, **options)
            finally:
                skiff.command = original
            lint = Lint({*known, *trees()})
            Traced.findings = [f"{args[0]}: {one}" for one in lint.read(trace)]
            Traced.checked = lint.checked
            assert not Traced.findings, "\n".join(Traced.findings)
            return done

    return Traced()


def image_with_links(skiff):
    image = CustomImage({"WorkingDir": "/link/work", "Volumes": {"/vol/deep": {}}})
    image.layer.symlink("link", "/real/there")
    image.layer.directory("real")
    image.layer.directory("real/there")
    image.layer.symlink("var", "real")
    image.layer.directory("vol")
    image.layer.directory("vol/deep")
    image.layer.file("vol/deep/copied", "x")
    return image.load(skiff)


@pytest.mark.parametrize("options", [
    (), ("-t",), ("--init",), ("-u", "root"), ("--read-only",), ("-w", "/link/other/deep"),
    ("-v", "{bound}:/link/bound", "-v", "named:/var/v", "--tmpfs", "/link/t"),
    ("--device", "/dev/null:/link/null", "--mount", "type=bind,source={bound},target=/x/y,readonly"),
    ("--privileged",), ("--group-add", "root", "--security-opt", "mask=/etc/ssl"),
    ("-v", "{bound}:/vol/deep", "--sysctl", "net.ipv4.ip_forward=1"),
    ("--network", "host", "--pid", "host"),
], ids=lambda value: "-".join(value[:2]).strip("-") or "plain")
def test_start(skiff, traced, options):
    image = image_with_links(skiff)
    words = [word.format(bound=traced.directory) for word in options]
    done = traced.run("run", "--rm", *words, image, "true")
    assert done.code == 0, done
    assert traced.checked > 0, "nothing was looked at"


def test_exec_and_what_asks(skiff, traced):
    image = image_with_links(skiff)
    skiff.start("--name", "box", "-v", f"{traced.directory}:/bound", image=image)
    skiff.run("exec", "box", "sh", "-c", "mkdir -p /made/dir; ln -s /etc /made/link; echo x >/made/file")
    for args in (["exec", "-w", "/link", "box", "true"], ["exec", "-u", "root", "box", "true"],
                 ["exec", "--as-child", "box", "true"], ["top", "box"], ["logs", "box"],
                 ["inspect", "-s", "box"], ["ps", "-s"], ["stats", "--no-stream", "box"],
                 ["diff", "box"], ["export", "-o", traced.directory.parent / "out.tar", "box"],
                 ["commit", "box", "committed:1"], ["pause", "box"], ["unpause", "box"],
                 ["system", "df", "-v"], ["kill", "box"], ["wait", "box"], ["rm", "-v", "box"]):
        done = traced.run(*args)
        assert done.code == 0, (args, done)
    # strace stays as long as the monitor does: what starts here ends by itself.
    skiff.run("create", "--name", "short", "-v", "named:/link/v", image, "true")
    assert traced.run("start", "-a", "short").code == 0


@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
def test_cp(skiff, traced, tmp_path, running):
    skiff.start("--name", "box", "-v", "named:/v", image=image_with_links(skiff))
    if not running:
        skiff.run("stop", "-t", "0", "box")
    (tmp_path / "in/sub").mkdir(parents=True)
    (tmp_path / "in/sub/file").write_text("x")
    for args in ([tmp_path / "in", "box:/link/in"], [tmp_path / "in/sub/file", "box:/v/file"],
                 ["box:/link", tmp_path / "out"], ["-L", "box:/link/", tmp_path / "out2"],
                 ["box:/v", tmp_path / "out3"]):
        traced.run("cp", *args)


def test_images_and_volumes(skiff, traced, busybox, tmp_path):
    image_with_links(skiff)
    skiff.run("run", "--name", "box", "-v", "named:/v", "custom:test", "true")
    for args in (["save", "-o", tmp_path / "saved.tar", "custom:test"], ["rm", "-v", "box"],
                 ["rmi", "custom:test"], ["load", "-i", tmp_path / "saved.tar"],
                 ["history", "custom:test"], ["volume", "ls"], ["volume", "rm", "named"],
                 ["system", "fsck"], ["image", "prune", "-a", "-f"], ["load", "-i", busybox],
                 ["prune", "-f"], ["system", "prune", "-a", "-f"]):
        done = traced.run(*args)
        assert done.code == 0, (args, done)
