# SPDX-License-Identifier: Apache-2.0
"""Limits of resources: every option, as the kernel enforces it; and `update`, which changes them live."""

import os
import time

import pytest

from helpers.cgroup_files import CgroupFiles
from helpers.features import cgroup_v1_controllers, has_controller, require
from helpers.waiting import wait_until

MB = 1 << 20

def with_v1(controller):
    require(controller in cgroup_v1_controllers(), f"the {controller} controller in cgroup v1")


def device_number(path):
    number = os.stat(path).st_rdev
    return f"{os.major(number)}:{os.minor(number)}"


# ---- memory ----

@pytest.mark.core
def test_a_container_that_takes_too_much_memory_is_killed_and_says_so(skiff, probe):
    skiff.run("run", "--name", "hog", "-m", "16m", "-v", f"{probe}:/probe", "busybox", "sh", "-c",
              "/probe memory 40; true")
    state = skiff.inspect("hog")["State"]
    assert state["OOMKilled"] is True
    skiff.run("run", "--name", "modest", "-m", "64m", "busybox", "true")
    assert skiff.inspect("modest")["State"]["OOMKilled"] is False


def test_the_first_process_killed_for_memory(skiff):
    result = skiff.run("run", "--name", "hog", "-m", "8m", "busybox", "sh", "-c",
                       "exec tail /dev/zero", check=False)
    assert result.code == 137
    assert skiff.inspect("hog")["State"]["OOMKilled"] is True


def test_swap_is_limited_to_twice_the_memory(skiff):
    skiff.start("--name", "box", "-m", "32m")
    assert skiff.inspect("box")["HostConfig"]["MemorySwap"] == 64 * MB
    skiff.start("--name", "chosen", "-m", "32m", "--memory-swap", "48m")
    files = CgroupFiles(skiff, "chosen")
    value = int(files.read("memory", "memory.memsw.limit_in_bytes", "memory.swap.max"))
    assert value in (48 * MB, 16 * MB)  # v1 has the sum, v2 the difference
    skiff.start("--name", "free", "-m", "32m", "--memory-swap", "-1")
    files = CgroupFiles(skiff, "free")
    value = files.read("memory", "memory.memsw.limit_in_bytes", "memory.swap.max")
    assert value == "max" or int(value) > 1 << 60


def test_swappiness(skiff):
    with_v1("memory")
    skiff.start("--name", "box", "--memory-swappiness", "0")
    assert CgroupFiles(skiff, "box").read("memory", "memory.swappiness") == "0"
    assert skiff.inspect("box")["HostConfig"]["MemorySwappiness"] == 0


def test_without_the_oom_killer_a_process_waits_until_there_is_memory(skiff, probe):
    with_v1("memory")
    skiff.start("--name", "box", "-m", "16m", "--oom-kill-disable", "-v", f"{probe}:/probe",
                command=("/probe", "memory", "40"))
    files = CgroupFiles(skiff, "box")
    wait_until(lambda: files.numbers("memory", "memory.oom_control")["under_oom"] == 1)
    assert skiff.status("box") == "running"
    skiff.run("update", "-m", "128m", "--memory-swap", "128m", "box")
    assert skiff.run("wait", "box").stdout == "0\n"
    assert skiff.inspect("box")["State"]["OOMKilled"] is False
    assert skiff.run("logs", "box").stdout == "ok\n"


def test_oom_score(skiff):
    shown = skiff.run("run", "--rm", "--oom-score-adj", "500", "busybox", "cat",
                      "/proc/self/oom_score_adj").stdout
    assert shown == "500\n"


# ---- processors ----

def throttled(skiff, name):
    return CgroupFiles(skiff, name).numbers("cpu", "cpu.stat", "cpu.stat")["nr_throttled"]


@pytest.mark.parametrize("options", [("--cpus", "0.1"),
                                     ("--cpu-quota", "5000", "--cpu-period", "50000")])
def test_a_busy_container_is_throttled(skiff, options):
    skiff.start("--name", "busy", *options, command=("sh", "-c", "while :; do :; done"))
    wait_until(lambda: throttled(skiff, "busy") > 2)
    skiff.start("--name", "free", command=("sh", "-c", "while :; do :; done"))
    if has_controller("cpu"):
        assert throttled(skiff, "free") == 0


def test_shares(skiff):
    skiff.start("--name", "box", "-c", "512")
    assert CgroupFiles(skiff, "box").read("cpu", "cpu.shares", "cpu.weight") in ("512", "20")


def test_cpuset_is_where_processes_run(skiff):
    require(has_controller("cpuset"), "the cpuset controller")
    shown = skiff.run("run", "--rm", "--cpuset-cpus", "0", "--cpuset-mems", "0", "busybox", "grep",
                      "_allowed_list", "/proc/self/status").stdout
    assert shown.split() == ["Cpus_allowed_list:", "0", "Mems_allowed_list:", "0"]


def test_real_time_needs_a_share_of_it(skiff, probe):
    with_v1("cpu")
    run = ("run", "--rm", "--cap-add", "SYS_NICE", "-v", f"{probe}:/probe")
    first = skiff.run(*run, "busybox", "/probe", "realtime").stdout
    require(first != "ok\n", "CONFIG_RT_GROUP_SCHED")
    assert skiff.run(*run, "--cpu-rt-period", "500000", "--cpu-rt-runtime", "10000", "busybox",
                     "/probe", "realtime").stdout == "ok\n"
    result = skiff.fails(*run, "--cpu-rt-period", "1000", "--cpu-rt-runtime", "2000", "busybox",
                         "true", code=125)
    assert "real-time runtime cannot be higher" in result.stderr


# ---- processes ----

def test_a_fork_too_many_fails(skiff):
    require(has_controller("pids"), "the pids controller")
    skiff.start("--name", "box", "--pids-limit", "3")
    fork = ("exec", "box", "sh", "-c", "sleep 0 & sleep 0 & sleep 0 & wait")
    assert "can't fork" in skiff.fails(*fork).stderr
    skiff.run("update", "--pids-limit", "20", "box")
    skiff.run(*fork)
    skiff.run("update", "--pids-limit", "-1", "box")
    assert CgroupFiles(skiff, "box").read("pids", "pids.max", "pids.max") == "max"


# ---- block devices ----

def seconds_for(skiff, *args):
    begin = time.monotonic()
    skiff.run("exec", *args)
    return time.monotonic() - begin


def test_writing_and_reading_a_device_is_slowed_down(skiff, loop_device):
    require(has_controller("io") or has_controller("blkio"), "the io controller")
    skiff.start("--name", "box", "--device", loop_device,
                "--device-write-bps", f"{loop_device}:1mb",
                "--device-read-iops", f"{loop_device}:10")
    # Never faster than the limit, however loaded the machine is.
    write = ("box", "dd", "if=/dev/zero", f"of={loop_device}", "bs=512k", "count=4",
             "oflag=direct")
    assert seconds_for(skiff, *write) > 0.9
    read = ("box", "dd", "of=/dev/null", f"if={loop_device}", "bs=4k", "count=20", "iflag=direct")
    assert seconds_for(skiff, *read) > 0.9
    number = device_number(loop_device)
    files = CgroupFiles(skiff, "box")
    assert number in files.read("blkio", "blkio.throttle.write_bps_device", "io.max")
    host = skiff.inspect("box")["HostConfig"]
    assert host["BlkioDeviceWriteBps"] == [{"Path": loop_device, "Rate": MB}]
    assert host["BlkioDeviceReadIOps"] == [{"Path": loop_device, "Rate": 10}]
    # The same device again is another rate; 0 is none.
    skiff.run("update", "--device-write-bps", f"{loop_device}:2gb", "--device-read-iops",
              f"{loop_device}:0", "box")
    assert str(2 << 30) in files.read("blkio", "blkio.throttle.write_bps_device", "io.max")
    if "blkio" in cgroup_v1_controllers():
        assert files.read("blkio", "blkio.throttle.read_iops_device") == ""


def test_the_other_two_rates(skiff, loop_device):
    skiff.start("--name", "box", "--device-read-bps", f"{loop_device}:3mb",
                "--device-write-iops", f"{loop_device}:7")
    files = CgroupFiles(skiff, "box")
    number = device_number(loop_device)
    if "blkio" in cgroup_v1_controllers():
        assert files.read("blkio", "blkio.throttle.read_bps_device") == f"{number} {3 * MB}"
        assert files.read("blkio", "blkio.throttle.write_iops_device") == f"{number} 7"
    else:
        assert f"rbps={3 * MB}" in files.read("io", "", "io.max")


@pytest.fixture
def weighted_device(loop_device):
    """A device whose scheduler knows weights, until it is detached."""
    path = f"/sys/block/{os.path.basename(loop_device)}/queue/scheduler"
    before = open(path, encoding="ascii").read()
    require("bfq" in before, "the bfq scheduler")
    with open(path, "w", encoding="ascii") as file:
        file.write("bfq")
    yield loop_device
    with open(path, "w", encoding="ascii") as file:
        file.write(before[before.index("[") + 1:before.index("]")])


def test_weights(skiff, weighted_device):
    with_v1("blkio")
    skiff.start("--name", "box", "--blkio-weight", "300", "--blkio-weight-device",
                f"{weighted_device}:700")
    files = CgroupFiles(skiff, "box")
    assert files.read("blkio", "blkio.bfq.weight") == "300"
    shown = files.read("blkio", "blkio.bfq.weight_device")
    assert shown.splitlines() == ["default 300", f"{device_number(weighted_device)} 700"]
    skiff.run("update", "--blkio-weight", "400", "box")
    assert files.read("blkio", "blkio.bfq.weight") == "400"


def test_a_weight_that_the_device_cannot_have(skiff, loop_device):
    with_v1("blkio")
    result = skiff.fails("run", "--rm", "--blkio-weight-device", f"{loop_device}:700", "busybox",
                         "true", code=125)
    assert "needs a device with the bfq scheduler" in result.stderr
    assert skiff.containers() == []


# ---- update ----

def test_update_changes_what_runs_and_what_will_run(skiff):
    skiff.start("--name", "box", "-m", "32m")
    assert skiff.run("update", "-m", "64m", "--memory-reservation", "20m", "--cpus", "1.5",
                     "--cpuset-cpus", "0", "--pids-limit", "40", "box").stdout == "box\n"
    def check():
        files = CgroupFiles(skiff, "box")
        assert files.read("memory", "memory.limit_in_bytes", "memory.max") == str(64 * MB)
        assert files.read("cpuset", "cpuset.cpus", "cpuset.cpus") == "0"
        assert files.read("pids", "pids.max", "pids.max") == "40"
        assert files.read("cpu", "cpu.cfs_quota_us", "cpu.max").split()[0] == "150000"
    check()
    skiff.run("restart", "-t", "0", "box")
    check()
    host = skiff.inspect("box")["HostConfig"]
    assert (host["Memory"], host["MemoryReservation"]) == (64 * MB, 20 * MB)
    assert (host["NanoCpus"], host["PidsLimit"]) == (1500000000, 40)
    assert host["MemorySwap"] == 128 * MB


def test_update_of_a_stopped_container(skiff):
    skiff.run("create", "--name", "box", "-m", "32m", "busybox", "sleep", "1000")
    skiff.run("update", "-m", "16m", "--cpu-shares", "200", "box")
    skiff.run("start", "box")
    files = CgroupFiles(skiff, "box")
    assert files.read("memory", "memory.limit_in_bytes", "memory.max") == str(16 * MB)
    assert files.read("cpu", "cpu.shares", "cpu.weight") in ("200", "8")


def test_update_of_several_goes_on_after_one_that_fails(skiff):
    skiff.start("--name", "one")
    skiff.start("--name", "two", "--cpu-quota", "20000")
    skiff.start("--name", "three")
    result = skiff.run("update", "--cpus", "0.5", "one", "two", "nobody", "three", check=False)
    assert (result.code, result.stdout) == (1, "one\nthree\n")
    assert "Nano CPUs cannot be updated as CPU Quota has already been set" in result.stderr
    assert "No such container: nobody" in result.stderr
    assert skiff.inspect("three")["HostConfig"]["NanoCpus"] == 500000000


def test_an_update_that_the_kernel_refuses_changes_nothing(skiff):
    with_v1("cpu")
    skiff.start("--name", "box", "-m", "32m")
    before = skiff.inspect("box")["HostConfig"]
    # More real time than there is; memory comes first, and must be taken back.
    result = skiff.fails("update", "-m", "64m", "--cpu-rt-runtime", "990000", "box", code=1)
    assert "--cpu-rt-runtime" in result.stderr
    files = CgroupFiles(skiff, "box")
    assert files.read("memory", "memory.limit_in_bytes") == str(32 * MB)
    assert skiff.inspect("box")["HostConfig"] == before


def test_update_needs_something_to_change(skiff):
    skiff.start("--name", "box")
    assert "you must provide one or more flags" in skiff.fails("update", "box", code=1).stderr


def test_a_memory_limit_above_the_chosen_swap(skiff):
    skiff.start("--name", "box", "-m", "32m", "--memory-swap", "40m")
    result = skiff.fails("update", "-m", "64m", "box", code=1)
    assert "update the memoryswap at the same time" in result.stderr
    skiff.run("update", "-m", "64m", "--memory-swap", "64m", "box")
    skiff.run("update", "-m", "16m", "--memory-swap", "16m", "box")


# ---- bad values ----

BAD_VALUES = [
    ("--memory", "5m", "Minimum memory limit allowed is 6MB"),
    ("--memory", "lots", "invalid size: 'lots'"),
    ("--memory-reservation", "1m", "Minimum memory reservation allowed is 6MB"),
    ("--memory-swap", "64m", "You should always set the Memory limit"),
    ("--memory-swappiness", "101", "valid memory swappiness range is 0-100"),
    ("--oom-score-adj", "1001", "range for oom score adj is [-1000, 1000]"),
    ("--cpus", "0.001", "range of CPUs is from 0.01"),
    ("--cpus", "many", 'invalid argument "many" for "--cpus" flag'),
    ("--cpu-period", "10", "CPU cfs period can not be less than 1ms"),
    ("--cpu-quota", "10", "CPU cfs quota can not be less than 1ms"),
    ("--cpu-shares", "-1", "invalid CPU shares (-1)"),
    ("--cpuset-cpus", "0-", "Invalid value 0- for cpuset cpus"),
    ("--cpuset-mems", "100", "Requested memory nodes are not available"),
    ("--pids-limit", "-2", "invalid --pids-limit"),
    ("--blkio-weight", "5", "Range of blkio weight is from 10 to 1000"),
    ("--blkio-weight", "1001", "Range of blkio weight is from 10 to 1000"),
    ("--blkio-weight-device", "/dev/x", "bad format: /dev/x"),
    ("--blkio-weight-device", "/dev/x:9", "invalid weight for device: /dev/x:9"),
    ("--device-read-bps", "x:1mb", "bad format for device path: x:1mb"),
    ("--device-write-bps", "/dev/x:fast", "invalid rate for device: /dev/x:fast"),
    ("--device-read-iops", "/dev/x:1k", "invalid rate for device: /dev/x:1k"),
    ("--device-write-iops", "/dev/x:-1", "invalid rate for device: /dev/x:-1"),
]


def test_bad_values(skiff):
    for option, value, message in BAD_VALUES:
        result = skiff.fails("run", f"{option}={value}", "busybox", "true", code=125)
        assert message in result.stderr
    assert skiff.containers() == []


def test_limits_of_what_is_no_block_device(skiff):
    result = skiff.fails("run", "--rm", "--device-read-bps", "/dev/null:1mb", "busybox", "true",
                         code=125)
    assert "it is no block device" in result.stderr
    assert skiff.containers() == []
