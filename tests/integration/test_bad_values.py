# SPDX-License-Identifier: Apache-2.0
"""A value that makes no sense: docker's message, its exit code, and nothing made.

The options are those that help shows, so a new one is tried without a line here. What is data is which
of them take any text, and what a bad value of the others looks like.
"""

import re

import pytest

BAD = "b@d/:="

# Any text is a good value.
FREE = {
    "--annotation", "--cgroup-parent", "--dns-option", "--entrypoint", "--env", "--health-cmd", "--label",
    "--network-alias",
}

# Checked when the container is started, with the image at hand: docker makes it before as well.
LATE = {"--user"}

# Instead of BAD.
VALUES = {
    "--publish": "b@d",
}

# What docker's parser says before anything else happens: the rest of the message is ours.
PARSED = {
    "--attach", "--blkio-weight", "--blkio-weight-device", "--cpu-period", "--cpu-quota",
    "--cpu-rt-period", "--cpu-rt-runtime", "--cpu-shares", "--cpus", "--detach", "--device-read-bps",
    "--device-read-iops", "--device-write-bps", "--device-write-iops", "--dns", "--health-interval",
    "--health-retries", "--health-start-interval", "--health-start-period", "--health-timeout",
    "--init", "--interactive", "--ip", "--ip6", "--memory", "--memory-reservation", "--memory-swap",
    "--memory-swappiness", "--no-healthcheck", "--oom-kill-disable", "--oom-score-adj",
    "--pids-limit", "--privileged", "--publish-all", "--pull", "--quiet", "--read-only", "--rm",
    "--shm-size", "--sig-proxy", "--stop-timeout", "--tty",
}

OPTION = re.compile(r"^ +(?:-\w, )?(--[a-z0-9-]+)")


def options_of(skiff, command):
    lines = skiff.run(command, "--help").stdout.splitlines()
    found = [match.group(1) for match in map(OPTION.match, lines) if match]
    return [option for option in found if option != "--help"]


def problem_with(skiff, command, option):
    """What is wrong with how the bad value was taken; None: nothing."""
    value = VALUES.get(option, BAD)
    done = skiff.run(command, "--pull=never", f"{option}={value}", "busybox", "true", check=False)
    first, *more = done.stderr.splitlines() or [""]
    parsed = option in PARSED and command == "run"
    if command == "run" and done.code != 125 or done.code == 0:
        return f"{option}: exit code {done.code}: {done.stderr}"
    if done.stdout:
        return f"{option}: on standard output: {done.stdout}"
    if parsed and not re.search(f'invalid argument "{re.escape(value)}" for "(-., )?{option}" flag: .',
                                first):
        return f"{option}: not docker's words: {first}"
    if "b@d" not in first and option not in first:
        return f"{option}: neither the value nor the option is named: {first}"
    if any(line and not line.startswith(("Usage:  skiff", "Run 'skiff")) for line in more):
        return f"{option}: more than one line: {done.stderr}"
    return None


@pytest.mark.parametrize("command", ["run", "create"])
def test_every_option(skiff, command):
    options = set(options_of(skiff, command))
    assert {"--memory", "--volume", "--secret"} < options, "help was not understood"
    assert FREE | LATE < options
    problems = [problem_with(skiff, command, option) for option in sorted(options - FREE - LATE)]
    assert [problem for problem in problems if problem] == []
    assert skiff.run("ps", "-aq").stdout == ""
    assert skiff.run("volume", "ls", "-q").stdout == ""


@pytest.mark.parametrize("args", [
    ("stop", "-t", "x"), ("logs", "--since", "x y"), ("wait", "--condition", "x"),
    ("ps", "-n", "x"), ("update", "--memory", "x"), ("update", "--cpus", "x"),
    ("rm", "--force=x"), ("start", "--attach=x"), ("stats", "--no-stream=x"), ("attach", "--no-stdin=x"),
    ("volume", "create", "--driver", "x"), ("secret", "create", "--driver", "x"),
])
def test_other_commands(skiff, args):
    done = skiff.fails(*args, "box", code=125)
    assert "argument" in done.stderr
