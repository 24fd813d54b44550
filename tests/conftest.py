# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all integration and security tests. docs/testing.md is the manual.

SKIFF_TEST_PREFIX   an installed tree (bin/skiff, libexec/skiff/…): what is tested
SKIFF_TEST_HELPERS  directory with the C helpers that meson builds (racer, probe, …)
SKIFF_TEST_CACHE    where images that are slow to make are kept between sessions
SKIFF_TEST_KEEP     keep the directories of failed tests
"""

import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from helpers.features import IN_CI
from helpers.host_snapshot import HostSnapshot, HostWatch
from helpers.skiff_command import Skiff

SESSION_VARIABLE = "SKIFF_TEST_SESSION"  # the controller of pytest-xdist tells its workers


def is_controller(config):
    return not hasattr(config, "workerinput")


def pytest_configure(config):
    if not is_controller(config):
        return
    for variable in ("SKIFF_TEST_PREFIX", "SKIFF_TEST_HELPERS"):
        if not os.environ.get(variable):
            raise pytest.UsageError(f"{variable} is not set; `make check-integration` sets it")
    directory = tempfile.mkdtemp(prefix="skiff-test-", dir=os.environ.get("TMPDIR", "/var/tmp"))
    os.chmod(directory, 0o755)  # tests look at it as an unprivileged user too
    os.environ[SESSION_VARIABLE] = directory
    # For tmp_path; pytest's own place is cleared by sessions of other users of the machine.
    config.option.basetemp = os.path.join(directory, "tmp")
    config.skiff_host = HostSnapshot(whole=True)


def pytest_sessionfinish(session):
    if not is_controller(session.config):
        return
    directory = os.environ.pop(SESSION_VARIABLE)
    if not os.environ.get("SKIFF_TEST_KEEP"):
        shutil.rmtree(directory, ignore_errors=True)
    lines = session.config.skiff_host.differences(HostSnapshot(whole=True))
    # What is gone was somebody else's, who has gone too: only what is left behind is a fault.
    lines = [line for line in lines if not line.startswith("- ")]
    session.config.skiff_differences = lines
    # On a desk other things go on at the same time; in CI nothing may differ.
    if lines and IN_CI:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    lines = getattr(config, "skiff_differences", [])
    if lines:
        terminalreporter.section("the host after the session")
        for line in lines:
            terminalreporter.line(line)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.skiff_failed = outcome.get_result().failed


@pytest.fixture(scope="session")
def session_directory():
    """One directory for all workers of this session."""
    return Path(os.environ[SESSION_VARIABLE])


@pytest.fixture(scope="session")
def cache_directory(session_directory):
    directory = Path(os.environ.get("SKIFF_TEST_CACHE") or session_directory / "cache")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture(scope="session")
def prefix():
    """The installed tree under test."""
    return Path(os.environ["SKIFF_TEST_PREFIX"])


@pytest.fixture(scope="session")
def helper_directory():
    return Path(os.environ["SKIFF_TEST_HELPERS"])


@pytest.fixture(scope="session")
def probe(helper_directory):
    """A static program for use inside containers: tests/helpers/probe.c."""
    return helper_directory / "probe"


@pytest.fixture(scope="session")
def racer(helper_directory):
    """Exchanges two names for ever: tests/helpers/racer.c."""
    return helper_directory / "racer"


@pytest.fixture(scope="session")
def syscall_fail(helper_directory):
    """Runs a program with one system call made unavailable: tests/helpers/syscall_fail.c."""
    return helper_directory / "syscall-fail"


def sanitizer_options(variable, directory):
    """Reports go into files: a monitor has nowhere to print them."""
    options = os.environ.get(variable, "")
    return ":".join(filter(None, [options, f"log_path={directory}/sanitizer"]))


def clean_environment(directory):
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(directory / "home"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SKIFF_TEST_CANARY": "must-not-be-seen-inside",
        # The machine's own network is not for tests: bridges are in worlds of helpers/world.py.
        "SKIFF_CONFIG": str(directory / "skiff.conf"),
    }
    for variable in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
        environment[variable] = sanitizer_options(variable, directory)
    if "LSAN_OPTIONS" in os.environ:
        environment["LSAN_OPTIONS"] = os.environ["LSAN_OPTIONS"]
    return environment


@pytest.fixture(autouse=True)
def host(request, session_directory):
    """Compares the host before and after; every test ends with it."""
    watch = HostWatch(session_directory)
    yield watch
    try:
        watch.assert_untouched()
    except AssertionError:
        watch.clean_by_force()
        raise
    finally:
        reports = [path.read_text(errors="replace") for skiff in watch.stores
                   for path in skiff.directory.glob("sanitizer.*")]
        keep = os.environ.get("SKIFF_TEST_KEEP") and getattr(request.node, "skiff_failed", True)
        for skiff in watch.stores:
            if not keep:
                shutil.rmtree(skiff.directory, ignore_errors=True)
    assert not reports, "a sanitizer reported:\n" + "\n".join(reports)


@pytest.fixture
def make_skiff(request, host, prefix, session_directory):
    """Makes Skiff objects, each with an empty store of its own; removes their containers."""
    made = []

    def make():
        name = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)[:24].strip("-")
        directory = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=session_directory))
        os.chmod(directory, 0o755)
        (directory / "home").mkdir()
        (directory / "skiff.conf").write_text("network = none\n")
        skiff = Skiff(prefix / "bin" / "skiff", directory, clean_environment(directory))
        made.append(skiff)
        host.stores.append(skiff)
        return skiff

    yield make
    failures = []
    for skiff in made:
        skiff.close()
        host.remember_ids()
        try:
            skiff.remove_all()
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)


@pytest.fixture
def empty_skiff(make_skiff):
    """The program with an empty store."""
    return make_skiff()


@pytest.fixture
def skiff(make_skiff, busybox):
    """The program with a store that holds busybox:latest."""
    skiff = make_skiff()
    skiff.load(busybox)
    return skiff


pytest_plugins = ["helpers.canary", "helpers.images", "helpers.registry", "helpers.loop_device", "helpers.unpack",
                  "helpers.world"]
