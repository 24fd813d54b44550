# SPDX-License-Identifier: Apache-2.0
"""Health checks: run by the monitor inside the container, shown by inspect and ps."""

import json
import os

import pytest

from helpers import processes
from helpers.custom_image import CustomImage
from helpers.waiting import wait_until

FAST = ("--health-interval", "50ms", "--health-timeout", "60s")


def health(skiff, name="box"):
    return skiff.inspect(name)["State"].get("Health")


def wait_health(skiff, status, name="box"):
    wait_until(lambda: health(skiff, name)["Status"] == status,
               what=lambda: f"health is {health(skiff, name)}")
    return health(skiff, name)


def image_with(skiff, **healthcheck):
    return CustomImage({"Healthcheck": healthcheck}).load(skiff)


def start(skiff, *options, command=("sleep", "1000"), name="box"):
    skiff.run("run", "-d", "--name", name, *options, "busybox", *command)


def ps(skiff, *options):
    return skiff.run("ps", "--format", "{{.Names}} {{.Status}}", *options).stdout


# ---- status ----

def test_healthy(skiff):
    start(skiff, "--health-cmd", "echo fine; echo loud >&2", *FAST)
    found = wait_health(skiff, "healthy")
    assert found["FailingStreak"] == 0
    entry = found["Log"][0]
    assert (entry["ExitCode"], entry["Output"]) == (0, "fine\nloud\n")
    assert "2" < entry["Start"] <= entry["End"]
    assert ps(skiff).endswith("(healthy)\n")
    assert skiff.run("ps", "-q", "-f", "health=healthy").stdout
    assert not skiff.run("ps", "-q", "-f", "health=starting").stdout
    skiff.run("rm", "-f", "box")


def test_starting_first(skiff):
    start(skiff, "--health-cmd", "true", "--health-interval", "1h")
    assert health(skiff) == {"Status": "starting", "FailingStreak": 0, "Log": []}
    assert ps(skiff).endswith("(health: starting)\n")
    assert skiff.run("ps", "-q", "-f", "health=starting").stdout
    skiff.run("rm", "-f", "box")


def test_no_check_no_health(skiff):
    start(skiff)
    assert health(skiff) is None
    assert "health" not in ps(skiff)
    assert skiff.run("ps", "-q", "-f", "health=none").stdout
    assert skiff.fails("ps", "-f", "health=ill").stderr
    skiff.run("rm", "-f", "box")


def test_unhealthy_and_back(skiff):
    start(skiff, "--health-cmd", "cat /ok", "--health-retries", "3", *FAST)
    found = wait_health(skiff, "unhealthy")
    assert found["FailingStreak"] >= 3
    assert found["Log"][-1]["ExitCode"] == 1
    assert "can't open '/ok'" in found["Log"][-1]["Output"]
    assert ps(skiff).endswith("(unhealthy)\n")
    skiff.run("exec", "box", "touch", "/ok")
    assert wait_health(skiff, "healthy")["FailingStreak"] == 0
    skiff.run("stop", "-t", "0", "box")
    assert health(skiff)["Status"] == "unhealthy"  # as docker: what does not run is not healthy
    assert ps(skiff, "-a").endswith("ago\n")


def test_five_results_are_kept(skiff):
    start(skiff, "--health-cmd", "echo >>/count; wc -l </count", *FAST)

    def outputs():
        return [int(entry["Output"]) for entry in health(skiff)["Log"]]

    # On a loaded machine the third result may have come and gone between two looks.
    kept = wait_until(lambda: (lambda now: now if now and now[0] >= 3 else None)(outputs()))
    assert kept == list(range(kept[0], kept[0] + 5))
    skiff.run("rm", "-f", "box")


def test_output_is_bounded_and_text(skiff):
    start(skiff, "--health-cmd", r"printf 'a\377\n'; head -c 5000 /dev/zero | tr '\0' x", *FAST)
    output = wait_health(skiff, "healthy")["Log"][0]["Output"]
    assert output == "a\ufffd\n" + "x" * (4096 - 3) + "..."
    skiff.run("rm", "-f", "box")


def test_start_period_forgives(skiff):
    start(skiff, "--health-cmd", "false", "--health-retries", "1", "--health-start-period", "1h",
          "--health-start-interval", "20ms", "--health-interval", "1h")
    wait_until(lambda: len(health(skiff)["Log"]) == 5)
    assert (health(skiff)["Status"], health(skiff)["FailingStreak"]) == ("starting", 0)
    skiff.run("rm", "-f", "box")


# ---- how it runs ----

def test_runs_as_the_container_does(skiff):
    start(skiff, "-u", "65534", "-w", "/tmp", "-e", "WHO=me", "--cap-drop", "ALL", "--health-cmd",
          "id -u; pwd; echo $WHO; grep CapBnd /proc/self/status; cat /proc/1/comm", *FAST)
    lines = wait_health(skiff, "healthy")["Log"][0]["Output"].split("\n")
    assert lines[:3] == ["65534", "/tmp", "me"]
    assert int(lines[3].split()[1], 16) == 0
    assert lines[4] == "sleep"
    skiff.run("rm", "-f", "box")


def test_hanging_check_is_killed_with_its_children(skiff):
    start(skiff, "--health-cmd", "echo begun; sleep 7001 & setsid sleep 7002 & sleep 7003",
          "--health-interval", "50ms", "--health-timeout", "300ms", "--health-retries", "1")
    found = wait_health(skiff, "unhealthy")
    assert found["Log"][0]["ExitCode"] == -1
    assert found["Log"][0]["Output"] == "Health check exceeded timeout (300ms): begun\n"
    space = processes.namespace(skiff.pid("box"), "pid")

    def checks():
        return [pid for pid in processes.pids() if "sleep 700" in processes.command_line(pid)
                and processes.namespace(pid, "pid") == space and processes.is_alive(pid)]
    wait_until(lambda: len(health(skiff)["Log"]) == 5)
    assert len(checks()) <= 4, "those of one check at most: three, and their shell"
    skiff.run("rm", "-f", "box")


def test_children_left_behind_are_not_waited_for(skiff):
    start(skiff, "--health-cmd", "sleep 1000 & echo done", *FAST)
    assert wait_health(skiff, "healthy")["Log"][0]["Output"] == "done\n"
    skiff.run("rm", "-f", "box")


def test_missing_program(skiff):
    image = image_with(skiff, Test=["CMD", "/no/such"], Interval=50_000_000, Retries=1)
    skiff.run("run", "-d", "--name", "box", image, "sleep", "1000")
    entry = wait_health(skiff, "unhealthy")["Log"][0]
    assert entry["ExitCode"] == -1
    assert "/no/such" in entry["Output"]
    skiff.run("rm", "-f", "box")


def test_paused_container_is_not_checked(skiff):
    start(skiff, "--health-cmd", "true", *FAST)
    wait_health(skiff, "healthy")
    skiff.run("pause", "box")
    before = health(skiff)["Log"][-1]["Start"]
    skiff.run("unpause", "box")
    wait_until(lambda: health(skiff)["Log"][-1]["Start"] > before)
    assert all(entry["ExitCode"] == 0 for entry in health(skiff)["Log"])
    skiff.run("rm", "-f", "box")


# ---- image and options ----

def test_image_check_and_options_over_it(skiff):
    image = image_with(skiff, Test=["CMD", "echo", "from the image"], Interval=3600_000_000_000,
                       Retries=7)
    skiff.run("run", "-d", "--name", "box", "--health-interval", "50ms", image, "sleep", "1000")
    assert wait_health(skiff, "healthy")["Log"][0]["Output"] == "from the image\n"
    assert skiff.inspect("box")["Config"]["Healthcheck"] == {
        "Test": ["CMD", "echo", "from the image"], "Interval": 50_000_000, "Retries": 7}
    skiff.run("rm", "-f", "box")


def test_no_healthcheck(skiff):
    image = image_with(skiff, Test=["CMD", "true"])
    skiff.run("run", "-d", "--name", "box", "--no-healthcheck", image, "sleep", "1000")
    assert health(skiff) is None
    assert skiff.inspect("box")["Config"]["Healthcheck"] == {"Test": ["NONE"]}
    skiff.run("rm", "-f", "box")


@pytest.mark.parametrize("options, words", [
    (["--no-healthcheck", "--health-cmd", "true"],
     "--no-healthcheck conflicts with --health-* options"),
    (["--health-cmd", "true", "--health-interval", "1us"], "cannot be less than 1ms"),
    (["--health-cmd", "true", "--health-interval", "-1s"], "cannot be negative"),
    (["--health-cmd", "true", "--health-timeout", "x"], "invalid duration"),
    (["--health-cmd", "true", "--health-retries", "-1"], "--health-retries cannot be negative"),
    (["--health-cmd", "true", "--health-on-failure", "weep"], "invalid health-on-failure action"),
    (["--health-on-failure", "kill"], "without a health check"),
    (["--rm", "--health-cmd", "true", "--health-on-failure", "restart"], "conflicting options"),
])
def test_bad_options(skiff, options, words):
    done = skiff.run("run", "-d", *options, "busybox", check=False)
    assert done.code == 125
    assert words in done.stderr
    assert skiff.containers() == []


# ---- on failure ----

def test_on_failure_kill(skiff):
    start(skiff, "--health-cmd", "false", "--health-retries", "2", *FAST, "--health-on-failure",
          "kill")
    assert skiff.run("wait", "box").stdout == "137\n"
    assert health(skiff)["FailingStreak"] == 2


def test_on_failure_kill_and_policy(skiff):
    start(skiff, "--restart", "on-failure:1", "--health-cmd", "false", "--health-retries", "1",
          *FAST, "--health-on-failure", "kill")
    wait_until(lambda: skiff.status("box") == "exited" and skiff.inspect("box")["RestartCount"] == 1)


def test_on_failure_stop(skiff):
    start(skiff, "--restart", "always", "--health-cmd", "false", "--health-retries", "1", *FAST,
          "--health-on-failure", "stop",
          command=("sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.05; done"))
    wait_until(lambda: skiff.status("box") == "exited")
    assert skiff.inspect("box")["State"]["ExitCode"] == 3
    assert skiff.inspect("box")["RestartCount"] == 0


def test_on_failure_stop_kills_who_does_not_listen(skiff):
    start(skiff, "--stop-timeout", "0", "--health-cmd", "false", "--health-retries", "1", *FAST,
          "--health-on-failure", "stop")
    assert skiff.run("wait", "box").stdout == "137\n"


def test_on_failure_restart(skiff):
    start(skiff, "--stop-timeout", "0", "--health-cmd", "test -e /ok", "--health-retries", "1",
          *FAST, "--health-on-failure", "restart")
    wait_until(lambda: skiff.inspect("box")["RestartCount"] >= 1)
    wait_until(lambda: skiff.run("exec", "box", "touch", "/ok", check=False).code == 0)
    wait_health(skiff, "healthy")
    skiff.run("rm", "-f", "box")


def test_health_begins_anew_with_each_run(skiff):
    start(skiff, "--restart", "always", "--health-cmd", "test ! -e /ill", *FAST)
    wait_health(skiff, "healthy")
    skiff.run("exec", "box", "touch", "/ill")
    wait_health(skiff, "unhealthy")
    os.kill(skiff.pid("box"), 9)
    wait_until(lambda: skiff.inspect("box")["RestartCount"] == 1 and
               skiff.status("box") == "running")
    skiff.run("exec", "box", "rm", "/ill")
    wait_health(skiff, "healthy")
    skiff.run("rm", "-f", "box")


# ---- by hand ----

def test_healthcheck_run(skiff):
    start(skiff, "--health-cmd", "test -e /ok", "--health-interval", "1h")
    done = skiff.run("healthcheck", "run", "box", check=False)
    assert (done.code, done.stdout) == (1, "unhealthy\n")
    skiff.run("exec", "box", "touch", "/ok")
    assert skiff.run("healthcheck", "run", "box").stdout == ""
    assert [entry["ExitCode"] for entry in health(skiff)["Log"]] == [1, 0]
    assert health(skiff)["Status"] == "healthy"
    skiff.run("rm", "-f", "box")


def test_healthcheck_run_refuses(skiff):
    start(skiff)
    done = skiff.run("healthcheck", "run", "box", check=False)
    assert (done.code, "has no defined healthcheck" in done.stderr) == (125, True)
    skiff.run("stop", "-t", "0", "box")
    done = skiff.run("healthcheck", "run", "box", check=False)
    assert (done.code, "is not running" in done.stderr) == (125, True)


def test_health_file_is_whole(skiff):
    start(skiff, "--health-cmd", "true", *FAST)
    wait_health(skiff, "healthy")
    path = skiff.root / "containers" / skiff.full_id("box") / "health.json"
    for _ in range(50):
        json.loads(path.read_text())
    skiff.run("rm", "-f", "box")
    assert not skiff.leftovers()


# ---- cost ----

@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="it keeps what was freed")
def test_monitor_is_small_between_checks(skiff):
    """DESIGN.md 9: what a check needed is given back before the next one is due."""
    start(skiff, "--health-cmd", "true", "--health-interval", "400ms", "--health-timeout", "60s")
    wait_health(skiff, "healthy")
    rollup = f"/proc/{skiff.monitor_pid('box')}/smaps_rollup"

    def pss_kb():
        with open(rollup, encoding="ascii") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    wait_until(lambda: pss_kb() <= 300, what=lambda: f"its share is {pss_kb()} KB")
    skiff.run("rm", "-f", "box")
