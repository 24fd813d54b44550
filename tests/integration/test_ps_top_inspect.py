# SPDX-License-Identifier: Apache-2.0
"""Issue point 8 and what people look at: ps, top, inspect, and that they tell the truth."""

import json
import os
import re
import subprocess

import pytest

from helpers import processes
from helpers.custom_image import CustomImage
from helpers.waiting import wait_until


def ps(skiff, *args):
    """Ids, full, in the order of ps."""
    return skiff.run("ps", "-q", "--no-trunc", *args).stdout.split()


def top(skiff, selector):
    """Rows of top as dictionaries."""
    lines = skiff.run("top", selector).stdout.splitlines()
    names = re.split(r"\s{2,}", lines[0].strip())
    return [dict(zip(names, re.split(r"\s{2,}", line.strip(), maxsplit=len(names) - 1)))
            for line in lines[1:]]


def row(rows, command):
    found = [each for each in rows if each["COMMAND"] == command]
    assert len(found) == 1, rows
    return found[0]


# ---- ps ----

@pytest.mark.core
def test_ps_shows_what_runs(skiff):
    running = skiff.start("--name", "running")
    created = skiff.run("create", "--name", "created", "busybox").stdout.strip()
    skiff.run("run", "--name", "exited", "busybox", "sh", "-c", "exit 3", check=False)
    exited = skiff.full_id("exited")
    assert ps(skiff) == [running]
    assert ps(skiff, "-a") == [exited, created, running]  # newest first
    assert ps(skiff, "-n", "2") == [exited, created]
    assert ps(skiff, "-l") == [exited]
    text = skiff.run("ps", "-a").stdout
    assert re.search(r"\bUp .*running", text) and re.search(r"\bCreated .*created", text)
    assert re.search(r"\bExited \(3\) .*exited", text)


@pytest.mark.parametrize("filters, names", [
    (("name=ex",), {"exited"}),
    (("name=^run",), {"running"}),
    (("name=running", "name=exited"), {"running", "exited"}),
    (("status=exited",), {"exited"}),
    (("status=running", "status=created"), {"running", "created"}),
    (("exited=3",), {"exited"}),
    (("exited=0",), set()),
    (("label=a",), {"running", "created"}),
    (("label=a=1",), {"running"}),
    (("label=a", "label=b"), {"created"}),
    (("ancestor=busybox",), {"running", "created", "exited"}),
    (("ancestor=nothing",), set()),
    (("before=exited",), {"running", "created"}),
    (("since=running",), {"created", "exited"}),
    (("volume=/data",), {"created"}),
    (("status=exited", "label=a"), set()),
])
def test_filters(skiff, filters, names):
    skiff.start("--name", "running", "--label", "a=1")
    skiff.run("create", "--name", "created", "--label", "a=2", "--label", "b", "-v", "/data",
              "busybox")
    skiff.run("run", "--name", "exited", "busybox", "sh", "-c", "exit 3", check=False)
    arguments = [part for text in filters for part in ("--filter", text)]
    assert {skiff.inspect(each)["Name"][1:] for each in ps(skiff, "-a", *arguments)} == names


@pytest.mark.parametrize("text", ["bogus=1", "status=bogus", "exited=x", "name",
                                  "before=nobody"])
def test_filters_that_make_no_sense(skiff, text):
    skiff.fails("ps", "--filter", text)


def test_ps_while_containers_come_and_go(skiff):
    """No line is ever wrong or missing because something ended while it was looked at."""
    stays = skiff.start("--name", "stays")
    script = "for i in 1 2 3 4 5 6; do \"$@\" run --rm busybox true || exit 1; done"
    running = [subprocess.Popen(["sh", "-c", script, "sh", *skiff.command()],
                                stdin=subprocess.DEVNULL, env=skiff.environment)
               for _ in range(2)]
    try:
        while any(process.poll() is None for process in running):
            assert stays in ps(skiff) and stays in ps(skiff, "-a")
        assert [process.wait() for process in running] == [0, 0]
    finally:
        for process in running:
            process.kill()
            process.wait()


def test_image_column_is_what_was_typed(skiff):
    skiff.run("tag", "busybox", "other:1")
    skiff.run("create", "--name", "one", "other:1")
    skiff.run("create", "--name", "two", "busybox")
    text = skiff.run("ps", "-a").stdout
    assert re.search(r"other:1 .* one$", text, re.M) and re.search(r"busybox .* two$", text, re.M)


# ---- top ----

@pytest.mark.core
def test_top_of_exec_and_children(skiff):
    skiff.start("--name", "box", command=("sh", "-c", "sleep 101 & exec sleep 102"))
    skiff.run("exec", "-d", "box", "sleep", "103")
    wait_until(lambda: len(top(skiff, "box")) == 3)
    rows = top(skiff, "box")
    first, child, extra = (row(rows, f"sleep {n}") for n in (102, 101, 103))
    assert (first["PID"], first["PPID"]) == ("1", "0")
    assert child["PPID"] == "1" and int(child["PID"]) > 1
    assert extra["PPID"] == "0"  # its parent is outside
    assert int(first["HOST PID"]) == skiff.pid("box")
    for each in rows:
        assert processes.command_line(int(each["HOST PID"])) == each["COMMAND"]
        assert processes.status_field(int(each["HOST PID"]), "NSpid").split()[1] == each["PID"]


def test_top_of_a_nested_pid_namespace(skiff):
    skiff.start("--name", "box", "--privileged",
                command=("sh", "-c", "unshare -p -f -m sleep 107; sleep 1000"))
    wait_until(lambda: any(each["COMMAND"] == "sleep 107" for each in top(skiff, "box")))
    rows = top(skiff, "box")
    inner = row(rows, "sleep 107")
    assert len(processes.status_field(int(inner["HOST PID"]), "NSpid").split()) == 3
    assert int(inner["PID"]) > 1  # the number in the container, not in the namespace below
    assert inner["PPID"] == row(rows, "unshare -p -f -m sleep 107")["PID"]


def test_top_of_the_hosts_pid_namespace(skiff):
    skiff.start("--name", "box", "--pid", "host", command=("sh", "-c", "sleep 108 & sleep 109; :"))
    wait_until(lambda: len(top(skiff, "box")) == 3)
    rows = top(skiff, "box")
    assert all(each["PID"] == each["HOST PID"] for each in rows)
    assert {each["COMMAND"] for each in rows} >= {"sleep 108", "sleep 109"}


def test_top_names_users_by_the_containers_own_file(skiff):
    custom = CustomImage()
    custom.layer.file("etc/passwd", "root:x:0:0::/:/bin/sh\nalice:x:4711:4711::/:/bin/sh\n")
    image = custom.load(skiff)
    skiff.start("--name", "box", image=image)
    skiff.run("exec", "-d", "-u", "alice", "box", "sleep", "111")
    skiff.run("exec", "-d", "-u", "4712", "box", "sleep", "112")
    wait_until(lambda: len(top(skiff, "box")) == 3)
    rows = top(skiff, "box")
    assert [row(rows, f"sleep {n}")["USER"] for n in (1000, 111, 112)] == ["root", "alice", "4712"]


@pytest.mark.parametrize("script", [
    "rm /etc/passwd; mkfifo /etc/passwd", "ln -sf /dev/zero /etc/passwd", "rm /etc/passwd",
    "ln -sf /proc/self/fd/0 /etc/passwd", "dd if=/dev/zero of=/etc/passwd bs=1M count=3"])
def test_top_does_not_hang_on_what_is_no_passwd_file(skiff, script):
    skiff.start("--name", "box", command=("sh", "-c", f"{script}; echo ready; exec sleep 1000"))
    skiff.wait_for_output("box", "ready")
    assert row(top(skiff, "box"), "sleep 1000")["USER"] in ("0", "root")


def test_top_cannot_be_used_to_write_to_the_terminal(skiff):
    skiff.start("--name", "box", command=("sh", "-c", "sleep 1000; :", "\033]0;title\007\n"))
    # Three lines: the heading, the shell, and sleep, which the shell may not have begun yet.
    text = wait_until(lambda: (lambda said: said if said.count("\n") == 3 else None)(
        skiff.run("top", "box").stdout))
    assert "\033" not in text and "\007" not in text and "title" in text


def test_top_while_it_dies(skiff):
    """Right or refused, never a crash and never a stranger's process."""
    for _ in range(5):
        skiff.start("--rm", "--name", "box", command=("sh", "-c", "sleep 0.1"))
        while True:
            result = skiff.run("top", "box", check=False)
            if result.code != 0:
                assert "is not running" in result.stderr or "No such container" in result.stderr
                break
            # A process that is ending has its name only, in brackets.
            assert all("sleep" in each for each in result.stdout.splitlines()[1:]), result
        wait_until(lambda: skiff.containers() == [])


def test_top_of_what_does_not_run(skiff):
    skiff.run("create", "--name", "box", "busybox")
    assert "is not running" in skiff.fails("top", "box", code=1).stderr


# ---- inspect ----

# API 1.50, ContainerInspectResponse and what it contains; keys that docker leaves out when they are
# empty are not here.
KEYS = {
    "": """Id Created Path Args State Image ResolvConfPath HostnamePath HostsPath LogPath Name
           RestartCount Driver Platform MountLabel ProcessLabel AppArmorProfile ExecIDs HostConfig
           GraphDriver Mounts Config NetworkSettings""",
    "State": """Status Running Paused Restarting OOMKilled Dead Pid ExitCode Error StartedAt
                FinishedAt""",
    "Config": """Hostname Domainname User AttachStdin AttachStdout AttachStderr Tty OpenStdin
                 StdinOnce Env Cmd Image Volumes WorkingDir Entrypoint OnBuild Labels""",
    "HostConfig": """Binds ContainerIDFile LogConfig NetworkMode PortBindings RestartPolicy
                     AutoRemove VolumeDriver VolumesFrom CapAdd CapDrop CgroupnsMode Dns DnsOptions
                     DnsSearch ExtraHosts GroupAdd IpcMode Cgroup Links OomScoreAdj PidMode
                     Privileged PublishAllPorts ReadonlyRootfs SecurityOpt UTSMode UsernsMode
                     ShmSize Runtime Isolation CpuShares Memory NanoCpus CgroupParent BlkioWeight
                     CpuPeriod CpuQuota CpusetCpus CpusetMems Devices DeviceCgroupRules
                     DeviceRequests MemoryReservation MemorySwap MemorySwappiness OomKillDisable
                     PidsLimit Ulimits MaskedPaths ReadonlyPaths""",
    "NetworkSettings": "SandboxID SandboxKey Ports Networks",
}


def test_inspect_has_dockers_keys(skiff):
    skiff.run("create", "--name", "box", "busybox")
    facts = skiff.inspect("box")
    for path, names in KEYS.items():
        part = facts[path] if path else facts
        assert set(names.split()) <= set(part), path


def test_inspect_says_what_was_asked_for(skiff, tmp_path):
    skiff.run("create", "--name", "box", "-i", "-t", "-e", "A=1", "-w", "/srv", "-u", "33:33",
              "-h", "host", "--label", "l=v=w", "--entrypoint", "/bin/echo", "-v", f"{tmp_path}:/b:ro",
              "--mount", "type=volume,src=vol,dst=/v", "--tmpfs", "/t:size=1m", "--cap-add", "net_admin",
              "--cap-drop", "ALL", "--memory", "64m", "--cpus", "1.5", "--pids-limit", "9",
              "--read-only", "--init", "--shm-size", "1m", "--sysctl", "net.ipv4.ip_forward=1",
              "--ulimit", "nofile=10:20", "--device", "/dev/null:/dev/n:r", "--add-host", "h:1.2.3.4",
              "--dns", "1.1.1.1", "--stop-signal", "INT", "--stop-timeout", "3", "--group-add", "29",
              "--security-opt", "no-new-privileges", "--rm", "busybox", "x", "y")
    facts = skiff.inspect("box")
    config, host = facts["Config"], facts["HostConfig"]
    assert (facts["Path"], facts["Args"]) == ("/bin/echo", ["x", "y"])
    assert config["Tty"] and config["OpenStdin"] and config["Hostname"] == "host"
    assert config["Entrypoint"] == ["/bin/echo"] and config["Cmd"] == ["x", "y"]
    assert "A=1" in config["Env"] and config["WorkingDir"] == "/srv" and config["User"] == "33:33"
    assert config["Labels"] == {"l": "v=w"} and config["StopSignal"] == "INT"
    assert config["StopTimeout"] == 3 and config["Image"] == "busybox"
    assert host["Binds"] == [f"{tmp_path}:/b:ro"] and host["Tmpfs"] == {"/t": "size=1m"}
    assert host["Mounts"] == [{"Type": "volume", "Source": "vol", "Target": "/v"}]
    assert host["CapAdd"] == ["CAP_NET_ADMIN"] and host["CapDrop"] == ["ALL"]
    assert host["Memory"] == 64 << 20 and host["NanoCpus"] == 1500000000 and host["PidsLimit"] == 9
    assert host["ReadonlyRootfs"] and host["Init"] and host["AutoRemove"]
    assert host["ShmSize"] == 1 << 20 and host["Sysctls"] == {"net.ipv4.ip_forward": "1"}
    assert host["Ulimits"] == [{"Name": "nofile", "Hard": 20, "Soft": 10}]
    assert host["Devices"] == [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/n",
                                "CgroupPermissions": "r"}]
    assert host["ExtraHosts"] == ["h:1.2.3.4"] and host["Dns"] == ["1.1.1.1"]
    assert host["GroupAdd"] == ["29"] and host["SecurityOpt"] == ["no-new-privileges"]
    assert host["NetworkMode"] == "none"
    mounts = {mount["Destination"]: mount for mount in facts["Mounts"]}
    assert set(mounts) == {"/b", "/v"}
    assert mounts["/b"]["Type"] == "bind" and not mounts["/b"]["RW"]
    assert mounts["/v"]["Name"] == "vol" and mounts["/v"]["Source"].endswith("/volumes/vol/_data")


def test_inspect_state_follows_the_container(skiff):
    skiff.run("create", "--name", "box", "busybox", "sh", "-c", "exit 5")
    skiff.run("start", "-a", "box", check=False)
    state = skiff.inspect("box")["State"]
    assert state["Status"] == "exited" and state["ExitCode"] == 5 and not state["Running"]
    assert state["StartedAt"] < state["FinishedAt"]
    skiff.start("--name", "other")
    state = skiff.inspect("other")["State"]
    assert state["Running"] and processes.is_alive(state["Pid"])
    assert state["FinishedAt"] == "0001-01-01T00:00:00Z"


def test_inspect_several_and_one_that_is_not_there(skiff):
    skiff.run("create", "--name", "one", "busybox")
    skiff.run("create", "--name", "two", "busybox")
    both = json.loads(skiff.run("inspect", "one", "two").stdout)
    assert [each["Name"] for each in both] == ["/one", "/two"]
    result = skiff.run("inspect", "one", "nobody", check=False)
    assert result.code == 1 and "nobody" in result.stderr
    assert [each["Name"] for each in json.loads(result.stdout)] == ["/one"]


def test_oom_kill_is_seen(skiff):
    skiff.run("run", "--name", "box", "--memory", "8m", "busybox", "sh", "-c",
              "head -c 100m /dev/zero | tail", check=False)
    state = skiff.inspect("box")["State"]
    assert state["OOMKilled"] and state["ExitCode"] != 0


# ---- ps --ns ----

NAMESPACES = {"CGROUPNS": "cgroup", "IPC": "ipc", "MNT": "mnt", "NET": "net", "PIDNS": "pid", "USERNS": "user",
              "UTS": "uts"}


def test_ps_shows_the_namespaces_that_the_kernel_has(skiff):
    skiff.start("--name", "box")
    skiff.run("create", "--name", "idle", "busybox")
    row = json.loads(skiff.run("ps", "--ns", "--format", "json").stdout)
    pid = skiff.pid("box")
    assert row["Names"] == "box" and row["Pid"] == str(pid)
    for field, name in NAMESPACES.items():
        assert os.readlink(f"/proc/{pid}/ns/{name}") == f"{name}:[{row[field]}]"
    rows = skiff.run("ps", "-a", "--namespace", "--format", "{{.Names}} {{.Pid}} {{.MNT}}.").stdout.splitlines()
    assert rows == ["idle 0 .", f"box {pid} {row['MNT']}."]
    header = skiff.run("ps", "--ns").stdout.splitlines()[0].split()
    assert header == ["CONTAINER", "ID", "NAMES", "PID", "CGROUPNS", "IPC", "MNT", "NET", "PIDNS", "USERNS", "UTS"]
    assert skiff.run("ps", "--ns", "-q").stdout == skiff.full_id("box")[:12] + "\n"
    assert "together" in skiff.fails("ps", "--ns", "--size", code=1).stderr
    assert "MNT" not in skiff.run("ps", "--format", "json").stdout


def test_who_shares_a_namespace_has_the_same_number(skiff):
    skiff.start("--name", "one")
    skiff.start("--name", "two", "--pid", "container:one", "--ipc", "host")
    rows = [json.loads(line) for line in skiff.run("ps", "--ns", "--format", "json").stdout.splitlines()]
    assert rows[0]["PIDNS"] == rows[1]["PIDNS"] and rows[0]["MNT"] != rows[1]["MNT"]
    assert {"Names": "two", "IPC": str(os.stat("/proc/self/ns/ipc").st_ino)}.items() <= rows[0].items()
