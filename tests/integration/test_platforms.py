# SPDX-License-Identifier: Apache-2.0
"""Images for other machines: pulled with a warning, not run by mistake."""

import json

import pytest

from helpers.docker_registry import DockerRegistry
from helpers.home import Home


@pytest.fixture
def home(tmp_path, make_skiff):
    return Home(tmp_path / "home", make_skiff())


@pytest.fixture
def registry(tmp_path):
    with DockerRegistry(tmp_path / "registry") as started:
        yield started


def architecture(home, name):
    return json.loads(home.skiff.run("image", "inspect", name).stdout)[0]["Architecture"]


def test_a_single_image_for_another_machine_is_pulled_with_a_warning(home, registry):
    registry.put_image("app", "1", architecture="s390x")
    name = f"{registry.domain}/app:1"
    done = home.skiff.run("pull", name)
    assert done.stderr.startswith("WARNING: ") and "linux/s390x" in done.stderr
    assert architecture(home, name) == "s390x"
    refused = home.skiff.fails("run", "--rm", name, "true", code=125)
    assert "is for linux/s390x, this machine is linux/" in refused.stderr
    assert home.skiff.containers() == []
    refused = home.skiff.fails("create", name, "true", code=1)
    assert "is for linux/s390x" in refused.stderr


def test_a_platform_that_was_asked_for_gets_its_chance(home, registry):
    """Nothing of ours refuses it; the kernel does, unless an emulator is registered."""
    registry.put_image("app", "1", {"hello": "\x7fELF"}, architecture="s390x")
    name = f"{registry.domain}/app:1"
    assert "WARNING" not in home.skiff.run("pull", "--platform", "linux/s390x", name).stderr
    home.skiff.run("create", "--platform", "linux/s390x", "--name", "alien", name,
                   "/hello")
    refused = home.skiff.fails("run", "--rm", "--network", "none", "--platform", "linux/s390x", name,
                               "/hello", code=126)
    assert "this machine is" not in refused.stderr


def test_another_platform_than_asked_for_is_refused(home, registry):
    registry.put_image("app", "1", architecture="s390x")
    name = f"{registry.domain}/app:1"
    refused = home.skiff.fails("pull", "--platform", "linux/arm64", name, code=1)
    assert "linux/s390x" in refused.stderr and "linux/arm64" in refused.stderr
    assert home.skiff.run("images", "-q").stdout == ""


def test_an_index_without_ours_is_refused(home, registry):
    digest = registry.put_image("app", "x", architecture="s390x")
    registry.put_index("app", "all", {"s390x": digest})
    refused = home.skiff.fails("pull", f"{registry.domain}/app:all", code=1)
    assert "no matching manifest" in refused.stderr and "linux/s390x" in refused.stderr


def test_an_older_processor_of_the_family_is_no_other_machine(home, registry):
    registry.put_image("app", "1", architecture="386")
    done = home.skiff.run("pull", f"{registry.domain}/app:1")
    assert done.stderr == ""


def test_push_of_one_platform(home, registry):
    registry.put_image("app", "1", architecture="arm64")
    name, copy = f"{registry.domain}/app:1", f"{registry.domain}/copy:1"
    home.skiff.run("pull", name)
    refused = home.skiff.fails("push", "--platform", "linux/amd64", name, copy, code=1)
    assert "does not provide the specified platform (linux/amd64)" in refused.stderr
    with pytest.raises(OSError):
        registry.manifest("copy", "1")
    home.skiff.run("push", "--platform", "linux/arm64", name, copy)
    assert registry.manifest("copy", "1") == registry.manifest("app", "1")
