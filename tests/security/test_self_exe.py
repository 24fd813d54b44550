# SPDX-License-Identifier: Apache-2.0
"""THREATS.md: 2019-5736, 2022-0847. Our program's file cannot be written from inside."""

import hashlib

import pytest

from helpers.custom_image import CustomImage


@pytest.fixture
def program_hash(skiff):
    def digest():
        return hashlib.sha256(skiff.program.read_bytes()).hexdigest()
    before = digest()
    yield
    assert digest() == before


@pytest.mark.parametrize("config", [
    {"Entrypoint": ["/proc/self/exe"], "Cmd": ["version"]},
    {"Entrypoint": ["/proc/1/exe"]},
    {"Entrypoint": ["/entry"]},
], ids=["self", "first", "script"])
def test_image_that_executes_us(skiff, program_hash, config):
    image = CustomImage(config)
    image.layer.symlink("entry", "/proc/self/exe")
    name = image.load(skiff)
    # It may run our program, inside the container like any other; it cannot change it.
    done = skiff.run("run", "--rm", name, check=False, timeout=60)
    assert done.code in (0, 1, 125, 126, 127), done


def test_stealing_during_exec(skiff, probe, program_hash):
    """A hostile first process takes a descriptor of everything that enters."""
    skiff.start("--name", "box", "--cap-add", "SYS_PTRACE", "-v", f"{probe}:/probe:ro",
                command=("/probe", "steal-exe", "6"))
    skiff.wait_for_output("box", "stealing")
    for _ in range(25):
        skiff.run("exec", "box", "true", check=False)
        skiff.run("exec", "--as-child", "box", "true", check=False)
        skiff.run("exec", "-u", "nobody", "box", "true", check=False)
    skiff.run("wait", "box")
    out = skiff.run("logs", "box").stdout
    assert "WRITABLE" not in out, out


def test_stealing_with_privileges(skiff, probe, program_hash):
    """--privileged gives the host's devices away, but still not our program by this way."""
    skiff.start("--name", "box", "--privileged", "-v", f"{probe}:/probe:ro",
                command=("/probe", "steal-exe", "4"))
    skiff.wait_for_output("box", "stealing")
    for _ in range(25):
        skiff.run("exec", "box", "true", check=False)
    skiff.run("wait", "box")
    out = skiff.run("logs", "box").stdout
    assert "WRITABLE" not in out, out


def test_exec_of_a_script_that_executes_us(skiff, probe, program_hash):
    """The command that exec runs is "#!/proc/self/exe": we would run ourselves inside."""
    image = CustomImage()
    image.layer.file("trap", "#!/proc/self/exe\n", mode=0o755)
    name = image.load(skiff)
    skiff.start("--name", "box", image=name)
    skiff.run("exec", "box", "/trap", check=False, timeout=60)
