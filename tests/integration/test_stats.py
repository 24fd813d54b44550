# SPDX-License-Identifier: Apache-2.0
"""stats: numbers as the cgroup's files have them, and a view that is redrawn in place."""

import json
import re
import signal

import pytest

from helpers.cgroup_files import CgroupFiles
from helpers.features import cgroup_v1_controllers, has_controller, require
from helpers.waiting import wait_until

MB = 1 << 20
BUSY = ("sh", "-c", "while :; do :; done")
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


def stats(skiff, *args):
    """Name -> object."""
    lines = skiff.run("stats", "--no-stream", "--format", "json", *args).stdout.splitlines()
    return {row["Name"]: row for row in map(json.loads, lines)}


def percent(text):
    return float(text.rstrip("%"))


@pytest.mark.core
def test_table(skiff):
    skiff.start("--name", "box", "-m", "64m")
    header, row = skiff.run("stats", "--no-stream").stdout.splitlines()
    assert header.split("  ")[0] == "CONTAINER ID"
    assert re.split("   +", header.strip()) == ["CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT",
                                                "MEM %", "NET I/O", "BLOCK I/O", "PIDS"]
    cells = re.split("   +", row.strip())
    assert cells[:2] == [skiff.full_id("box")[:12], "box"]
    assert re.fullmatch(r"\d+\.\d\d%", cells[2])
    assert re.fullmatch(r"[\d.]+KiB / 64MiB", cells[3])
    assert cells[5:] == ["0B / 0B", cells[6], "1"]


def test_processor(skiff):
    require(has_controller("cpu"), "the cpu controller")
    skiff.start("--name", "busy", "--cpus", "0.3", command=BUSY)
    skiff.start("--name", "idle")
    rows = stats(skiff)
    # A loaded machine may give it less, and nobody gives it much more.
    assert 0 < percent(rows["busy"]["CPUPerc"]) < 45
    assert percent(rows["idle"]["CPUPerc"]) < percent(rows["busy"]["CPUPerc"])
    wait_until(lambda: int(stats(skiff)["busy"]["Throttled"]) > 0)


def test_memory(skiff):
    require(has_controller("memory"), "the memory controller")
    skiff.start("--name", "box", "-m", "64m", "--tmpfs", "/data",
                command=("sh", "-c", "head -c 20m /dev/zero > /data/x; sleep 1000"))
    wait_until(lambda: "MiB / 64MiB" in stats(skiff)["box"]["MemUsage"])

    def settled():
        row = stats(skiff)["box"]
        return row if float(row["MemUsage"].split("MiB")[0]) > 20 else None
    row = wait_until(settled)
    used = float(row["MemUsage"].split("MiB")[0])
    assert abs(percent(row["MemPerc"]) - 100 * used / 64) < 0.1
    files = CgroupFiles(skiff, "box")
    total = int(files.read("memory", "memory.usage_in_bytes", "memory.current"))
    idle = files.numbers("memory", "memory.stat", "memory.stat")
    idle = idle.get("total_inactive_file", idle["inactive_file"])
    assert abs(used - (total - idle) / MB) < 1


def test_killed_for_memory(skiff, probe):
    skiff.start("--name", "box", "-m", "16m", "-v", f"{probe}:/probe",
                command=("sh", "-c", "/probe memory 40; /probe memory 40; sleep 1000"))
    wait_until(lambda: stats(skiff)["box"]["OOMKills"] == "2")


@pytest.mark.parametrize("counted_by_group", [True, False])
def test_block_devices(skiff, loop_device, counted_by_group):
    """With a limit of the device the kernel counts for the group; without, perhaps for processes only."""
    limit = ("--device-write-bps", f"{loop_device}:100mb") if counted_by_group else ()
    skiff.start("--name", "box", "--device", loop_device, *limit, command=(
        "sh", "-c", f"dd if=/dev/zero of={loop_device} bs=1M count=4 oflag=direct;"
                    f"dd if={loop_device} of=/dev/null bs=1M count=2 iflag=direct; sleep 1000"))
    wait_until(lambda: skiff.run("logs", "box").stderr.count("records out") == 2)
    assert stats(skiff)["box"]["BlockIO"] == "2.1MB / 4.19MB"


def test_processes(skiff):
    require(has_controller("pids"), "the pids controller")
    skiff.start("--name", "box", command=("sh", "-c", "sleep 1000 & sleep 1000 & wait"))
    wait_until(lambda: stats(skiff)["box"]["PIDs"] == "3")


def test_pressure(skiff):
    skiff.start("--name", "box")
    row = stats(skiff)["box"]
    for key in ("CPUPressure", "MemPressure", "IOPressure"):
        assert re.fullmatch(r"[\d.]+% / [\d.]+%|--", row[key])


def test_which_containers(skiff):
    skiff.start("--name", "one")
    skiff.start("--name", "two")
    skiff.run("create", "--name", "made", "busybox")
    assert set(stats(skiff)) == {"one", "two"}
    assert set(stats(skiff, "-a")) == {"one", "two", "made"}
    chosen = stats(skiff, "made", "two")
    assert list(chosen) == ["made", "two"]
    assert chosen["made"]["PIDs"] == "0"
    assert chosen["made"]["MemUsage"] == "0B / 0B"
    assert chosen["two"]["Container"] == "two"
    assert "No such container: nobody" in skiff.fails("stats", "one", "nobody", code=1).stderr
    lines = skiff.run("stats", "--no-stream", "--no-trunc", "--format", "{{.ID}}", "one").stdout
    assert lines.strip() == skiff.full_id("one")


def test_format(skiff):
    skiff.start("--name", "box")
    result = skiff.run("stats", "--no-stream", "--format", "table {{.Name}}\t{{.PIDs}}").stdout
    assert [line.split() for line in result.splitlines()] == [["NAME", "PIDS"], ["box", "1"]]
    skiff.fails("stats", "--format", "{{.Nothing}}", code=1)


def test_stream_into_a_pipe(skiff):
    skiff.start("--name", "box")
    process = skiff.popen("stats", "--format", "{{.Name}} {{.PIDs}}")
    assert [process.stdout.readline() for _ in range(3)] == [b"box 1\n"] * 3
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130


def test_stream_ends_when_nobody_reads(skiff):
    skiff.start("--name", "box")
    process = skiff.popen("stats", "--format", "{{.Name}}")
    process.stdout.readline()
    process.stdout.close()
    process.wait(timeout=60)
    process.stdout = None


def test_stream_ends_with_the_last_of_those_named(skiff):
    skiff.start("--name", "box")
    process = skiff.popen("stats", "--format", "{{.Name}} {{.PIDs}}", "box")
    assert process.stdout.readline() == b"box 1\n"
    skiff.run("rm", "-f", "box")
    assert process.wait(timeout=60) == 0


def test_live_view(skiff):
    skiff.start("--name", "first", command=BUSY)
    view = skiff.spawn("stats", rows=10, columns=160, env={"LANG": "C.UTF-8"})
    view.expect_exact(ENTER)
    view.expect("CPU HISTORY")
    view.expect("first .*[▁▂▃▄▅▆▇█]")
    # Drawn over, not cleared: after the first picture the screen is never erased.
    skiff.start("--name", "second")
    view.expect("second")
    assert "\x1b[2J" not in view.before
    skiff.run("rm", "-f", "first")
    view.expect(r"PIDS[^\n]*\n[^\n]*second[^\n]*\x1b\[K\x1b\[J")
    # Too narrow for a graph: at once, not a second later.
    view.setwinsize(3, 60)
    view.expect(r"\x1b\[HCONTAINER ID   NAME      CPU %[^\n]*\n")
    assert "HISTORY" not in view.after
    view.sendintr()
    view.expect_exact(LEAVE)
    view.wait()
    assert view.exitstatus == 130


def test_live_view_cuts_what_does_not_fit(skiff):
    for number in range(4):
        skiff.start("--name", f"box{number}")
    view = skiff.spawn("stats", rows=3, columns=20)
    view.expect_exact("\x1b[H")
    view.expect_exact("\x1b[J")
    lines = view.before.split("\r\n")
    assert len(lines) == 3
    assert all(len(line.replace("\x1b[K", "").rstrip("\r")) <= 20 for line in lines)
    view.sendintr()
    view.expect_exact(LEAVE)


def test_live_view_gives_the_terminal_back_while_it_is_stopped(skiff):
    skiff.start("--name", "box")
    view = skiff.spawn("stats")
    view.expect("box")
    view.kill(signal.SIGTSTP)
    view.expect_exact(LEAVE)
    view.kill(signal.SIGCONT)
    view.expect_exact(ENTER)
    view.expect("box")
    view.kill(signal.SIGTERM)
    view.expect_exact(LEAVE)
    view.wait()
    assert view.exitstatus == 143
