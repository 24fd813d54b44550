# SPDX-License-Identifier: Apache-2.0
"""skiff-oci, called as other engines call an OCI runtime: one command at a time, nothing in between."""

import fcntl
import json
import os
import resource
import shutil
import socket
import subprocess
import uuid

import pytest

from helpers.waiting import wait_until

QUIET = ("nosuid", "noexec", "nodev")


class Oci:
    """The program with a --root and a bundle of its own."""

    def __init__(self, program, directory):
        self.program = program
        self.directory = directory
        self.root = directory / "root"
        self.bundle = directory / "bundle"
        self.started = []

    def command(self, *args):
        return [str(self.program), "--root", str(self.root), *map(str, args)]

    def run(self, *args, check=True, **options):
        """Output is in files: a container that waits keeps what it inherited."""
        options.setdefault("stdin", subprocess.DEVNULL)
        if args[0] in ("create", "run"):
            self.started.append(args[-1])
        with open(self.directory / "out", "w+b") as out, open(self.directory / "err", "w+b") as err:
            process = subprocess.run(self.command(*args), stdout=out, stderr=err, timeout=60,
                                     check=False, **options)
            out.seek(0)
            err.seek(0)
            result = subprocess.CompletedProcess(args, process.returncode, out.read().decode(),
                                                 err.read().decode())
        assert not check or result.returncode == 0, result
        return result

    def fails(self, *args, **options):
        result = self.run(*args, check=False, **options)
        assert result.returncode == 1, result
        return result.stderr

    def output(self):
        """What a container has written that create left behind."""
        return (self.directory / "out").read_text()

    def state(self, name):
        return json.loads(self.run("state", name).stdout)

    def status(self, name):
        return self.state(name)["status"]

    def configure(self, *args, **changes):
        """`changes`: functions by property, given its present value."""
        config = json.loads((self.bundle / "config.json").read_text())
        config["process"]["terminal"] = False
        if args:
            config["process"]["args"] = list(args)
        for key, value in changes.items():
            place = config
            *parents, last = key.split("__")
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = value(place.get(last)) if callable(value) else value
        (self.bundle / "config.json").write_text(json.dumps(config))

    def create(self, name, *options, **more):
        return self.run("create", "--bundle", self.bundle, *options, name, **more)

    def run_bundle(self, name="one", *options, **more):
        return self.run("run", "--bundle", self.bundle, *options, name, **more)


@pytest.fixture
def oci(tmp_path, prefix):
    busybox = shutil.which("busybox")
    assert busybox
    oci = Oci(prefix / "bin" / "skiff-oci", tmp_path)
    binaries = oci.bundle / "rootfs" / "bin"
    binaries.mkdir(parents=True)
    shutil.copy(busybox, binaries)
    for applet in ("sh", "cat", "echo", "sleep", "id", "mount", "true", "stat", "touch", "uname"):
        (binaries / applet).symlink_to("busybox")
    oci.run("spec", "--bundle", oci.bundle)
    # One of its own: tests run side by side.
    oci.configure("sleep", "1000", root__readonly=False,
                  linux__cgroupsPath=f"/skiff-oci-{uuid.uuid4().hex}")
    yield oci
    for name in oci.started:
        oci.run("delete", "--force", name, check=False)


@pytest.mark.core
def test_a_life(oci):
    oci.create("one", "--pid-file", oci.directory / "pid")
    state = oci.state("one")
    assert state["status"] == "created"
    assert state["bundle"] == str(oci.bundle)
    assert state["id"] == "one"
    assert (oci.directory / "pid").read_text() == str(state["pid"])
    assert os.readlink(f"/proc/{state['pid']}/ns/pid") != os.readlink("/proc/self/ns/pid")
    oci.run("start", "one")
    assert oci.status("one") == "running"
    assert oci.run("list", "--quiet").stdout == "one\n"
    assert json.loads(oci.run("ps", "--format", "json", "one").stdout) == [state["pid"]]
    assert "that is not stopped: running" in oci.fails("delete", "one")
    oci.run("kill", "one", "9")
    wait_until(lambda: oci.status("one") == "stopped", 30)
    assert oci.state("one")["pid"] == 0
    assert "container not running" in oci.fails("kill", "one", "TERM")
    oci.run("delete", "one")
    assert "container does not exist" in oci.fails("state", "one")
    assert oci.run("list", "--quiet").stdout == ""


def test_nothing_runs_before_start(oci):
    marker = oci.bundle / "rootfs" / "marker"
    oci.configure("touch", "/marker")
    oci.create("one")
    assert not marker.exists()
    oci.run("start", "one")
    wait_until(marker.exists, 30)


def test_start_only_once(oci):
    oci.create("one")
    oci.run("start", "one")
    assert "cannot start an already running container" in oci.fails("start", "one")


def test_deleted_without_a_start(oci):
    oci.create("one")
    oci.run("delete", "one")
    assert oci.run("list", "--quiet").stdout == ""


def test_exit_code_of_run(oci):
    oci.configure("sh", "-c", "echo out; echo err >&2; exit 7")
    result = oci.run_bundle(check=False)
    assert (result.returncode, result.stdout, result.stderr) == (7, "out\n", "err\n")
    assert oci.run("list", "--quiet").stdout == ""


def test_name_is_taken(oci):
    oci.create("one")
    assert "already exists" in oci.fails("create", "--bundle", oci.bundle, "one")
    assert oci.status("one") == "created"


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a b", "x" * 300])
def test_bad_name(oci, name):
    assert "container" in oci.fails("create", "--bundle", oci.bundle, name)
    assert "container" in oci.fails("state", name)


def test_unknown_command_and_option(oci):
    assert "no such command" in oci.fails("frobnicate")
    assert "unknown flag" in oci.fails("create", "--frobnicate", "one")
    assert "requires" in oci.fails("state")


@pytest.mark.parametrize("args,words", [
    (["nothere"], 'exec: "nothere": executable file not found in $PATH'),
    (["/nothere"], "no such file or directory"),
    (["/etc-file"], "permission denied"),
    (["/bin"], "is a directory"),
])
def test_words_for_a_missing_command(oci, args, words):
    """docker derives 127 and 126 from them; create says them, before anything waits."""
    (oci.bundle / "rootfs" / "etc-file").write_text("text")
    oci.configure(*args)
    assert words in oci.fails("create", "--bundle", oci.bundle, "one")
    assert oci.run("list", "--quiet").stdout == ""


@pytest.mark.parametrize("kind", ["text", "json"])
def test_log(oci, kind):
    log = oci.directory / "log"
    subprocess.run([str(oci.program), "--root", str(oci.root), "--log", str(log), "--log-format",
                    kind, "state", "none"], check=False, stderr=subprocess.DEVNULL)
    line = log.read_text()
    if kind == "json":
        entry = json.loads(line)
        assert (entry["level"], entry["msg"]) == ("error", "container does not exist")
        assert entry["time"]
    else:
        assert 'level=error msg="container does not exist"' in line


# ---- a process more ----

def test_exec(oci):
    oci.create("one")
    oci.run("start", "one")
    assert oci.run("exec", "one", "echo", "hello").stdout == "hello\n"
    assert oci.run("exec", "one", "sh", "-c", "exit 9", check=False).returncode == 9
    assert oci.run("exec", "--user", "5:6", "one", "id").stdout == "uid=5 gid=6\n"
    result = oci.run("exec", "--cwd", "/bin", "--env", "WHO=me", "one", "sh", "-c",
                     "echo $WHO $PWD")
    assert result.stdout == "me /bin\n"
    assert "not found in $PATH" in oci.fails("exec", "one", "nothere")


def test_exec_with_a_process(oci):
    oci.create("one")
    oci.run("start", "one")
    process = {"args": ["sh", "-c", "id; echo $A; cat /proc/self/status"], "cwd": "/",
               "env": ["PATH=/bin", "A=b"], "user": {"uid": 1000, "gid": 1000},
               "noNewPrivileges": True}
    (oci.directory / "process.json").write_text(json.dumps(process))
    pid_file = oci.directory / "pid"
    output = oci.run("exec", "--process", oci.directory / "process.json", "--pid-file", pid_file,
                     "one").stdout
    assert output.startswith("uid=1000 gid=1000\nb\n")
    assert "CapEff:\t0000000000000000" in output
    assert "NoNewPrivs:\t1" in output
    assert int(pid_file.read_text()) > 1


def test_exec_detached(oci):
    oci.create("one")
    oci.run("start", "one")
    pid_file = oci.directory / "pid"
    oci.run("exec", "--detach", "--pid-file", pid_file, "one", "sleep", "500")
    pids = json.loads(oci.run("ps", "--format", "json", "one").stdout)
    assert int(pid_file.read_text()) in pids
    assert len(pids) == 2


def test_exec_needs_a_running_one(oci):
    oci.create("one")
    oci.run("start", "one")
    oci.run("kill", "one", "KILL")
    wait_until(lambda: oci.status("one") == "stopped", 30)
    assert "stopped container" in oci.fails("exec", "one", "true")


# ---- what callers hand over ----

def receive_terminal(listener):
    connection, _ = listener.accept()
    with connection:
        _, descriptors, _, _ = socket.recv_fds(connection, 256, 1)
    return descriptors[0]


def test_console_socket(oci):
    oci.configure("sh", "-c", "stat -c %t /dev/console; echo size $(stty size 2>&1); sleep 1000")
    oci.configure(process__terminal=True, process__consoleSize={"height": 33, "width": 99})
    path = oci.directory / "console"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.settimeout(60)
        listener.bind(str(path))
        listener.listen()
        oci.create("one", "--console-socket", path)
        master = receive_terminal(listener)
    try:
        assert os.get_terminal_size(master) == (99, 33)
        oci.run("start", "one")
        assert b"88" in os.read(master, 100)
    finally:
        os.close(master)


def test_terminal_needs_a_socket(oci):
    oci.configure(process__terminal=True)
    assert "console socket" in oci.fails("create", "--bundle", oci.bundle, "one")
    oci.configure(process__terminal=False)
    assert "console socket" in oci.fails("create", "--bundle", oci.bundle, "--console-socket",
                                         "/nowhere", "one")


def test_preserved_descriptors(oci):
    oci.configure("cat", "/proc/self/fd/3")
    read, write = os.pipe()
    high = fcntl.fcntl(read, fcntl.F_DUPFD, 7)
    os.close(read)
    os.write(write, b"through the pipe\n")
    os.close(write)
    # The command in between puts it on descriptor 3.
    command = oci.command("run", "--bundle", oci.bundle, "--preserve-fds", "1", "one")
    result = subprocess.run(["bash", "-c", f'exec "$@" 3<&{high} {high}<&-', "bash", *command],
                            pass_fds=[high], capture_output=True, text=True, timeout=60, check=True)
    os.close(high)
    assert result.stdout == "through the pipe\n"
    assert "not open" in oci.fails("run", "--bundle", oci.bundle, "--preserve-fds", "90", "two")


def test_nothing_else_is_open(oci):
    oci.configure("sh", "-c", "echo /proc/1/fd/*")
    assert oci.run_bundle().stdout.split()[:3] == ["/proc/1/fd/0", "/proc/1/fd/1", "/proc/1/fd/2"]
    assert "/proc/1/fd/4" not in oci.run_bundle("two").stdout.split()


# ---- hooks ----

def hook(oci, name, body="", **more):
    """A script on the host that notes its point and what it was told."""
    path = oci.directory / f"hook-{name}"
    path.write_text(f"#!/bin/sh\nread state\necho \"{name} $state\" >>{oci.directory}/hooks\n{body}\n")
    path.chmod(0o755)
    return {"path": str(path), **more}


def told(oci):
    lines = (oci.directory / "hooks").read_text().splitlines()
    return [(name, json.loads(state)) for name, state in (line.split(" ", 1) for line in lines)]


def test_hooks_at_every_point(oci):
    points = ("prestart", "createRuntime", "createContainer", "poststart", "poststop")
    inside = oci.bundle / "rootfs" / "hook"
    inside.write_text("#!/bin/sh\nread state\necho \"$state\" >/inside\n")
    inside.chmod(0o755)
    oci.configure(annotations={"a": "b"}, hooks={
        **{point: [hook(oci, point)] for point in points},
        "startContainer": [{"path": "/hook"}]})
    oci.create("one")
    pid = oci.state("one")["pid"]
    assert [name for name, _ in told(oci)] == ["prestart", "createRuntime", "createContainer"]
    for _, state in told(oci):
        assert (state["id"], state["status"], state["annotations"]) == ("one", "creating", {"a": "b"})
    assert told(oci)[1][1]["pid"] == pid
    assert not (oci.bundle / "rootfs" / "inside").exists()
    oci.run("start", "one")
    assert json.loads((oci.bundle / "rootfs" / "inside").read_text())["status"] == "created"
    assert told(oci)[-1][0] == "poststart"
    assert told(oci)[-1][1]["status"] == "running"
    oci.run("delete", "--force", "one")
    assert told(oci)[-1][0] == "poststop"
    assert told(oci)[-1][1]["status"] == "stopped"


def test_hook_sees_the_finished_root(oci):
    """At its place in the host's tree, in the mounts of the container, before they are pivoted."""
    look = f"nsenter -t $(echo $state | sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/') -m " \
           f"ls {oci.bundle}/rootfs/proc/1/ >{oci.directory}/seen"
    oci.configure(hooks={"createRuntime": [hook(oci, "createRuntime", look)]})
    oci.create("one")
    assert "mountinfo" in (oci.directory / "seen").read_text()
    oci.run("start", "one")
    mounts = oci.run("exec", "one", "cat", "/proc/self/mountinfo").stdout.splitlines()
    assert not [line for line in mounts if line.split()[4].startswith(str(oci.directory))]


@pytest.mark.parametrize("point", ["prestart", "createRuntime", "createContainer"])
def test_hook_that_fails(oci, point):
    oci.configure(hooks={point: [hook(oci, point, "echo the reason; exit 3")]})
    message = oci.fails("create", "--bundle", oci.bundle, "one")
    assert f"{point} hook" in message and "exit status 3: the reason" in message
    assert oci.run("list", "--quiet").stdout == ""


def test_hook_that_takes_too_long(oci):
    oci.configure(hooks={"createRuntime": [hook(oci, "slow", "exec sleep 1000", timeout=1)]})
    assert "did not end within 1 s" in oci.fails("create", "--bundle", oci.bundle, "one")


# ---- properties ----

@pytest.mark.parametrize("key,value,words", [
    ("linux__intelRdt", {"closID": "x"}, "linux.intelRdt"),
    ("linux__mountLabel", "label", "linux.mountLabel"),
    ("linux__memoryPolicy", {"mode": "MPOL_BIND"}, "linux.memoryPolicy"),
    ("linux__netDevices", {"eth0": {}}, "linux.netDevices"),
    ("linux__rootfsPropagation", "sideways", "rootfsPropagation"),
    ("linux__personality", {"domain": "VMS"}, "personality"),
    ("linux__cgroupsPath", "/a/../../b", "'..'"),
    ("linux__resources__cpu", {"shares": 1}, "cpu shares"),
    ("linux__resources__cpu", {"shares": 300000}, "cpu shares"),
    ("linux__resources__memory", {"checkBeforeUpdate": True}, "checkBeforeUpdate"),
    ("linux__resources__rdma", {"mlx5": {"hcaHandles": 1}}, "rdma"),
    ("linux__sysctl", {"kernel.panic": "1"}, "not in a separate kernel namespace"),
    ("linux__timeOffsets", {"boottime": {"secs": 5}}, "time namespace"),
    ("process__selinuxLabel", "label", "process.selinuxLabel"),
    ("process__scheduler", {"policy": "SCHED_ISO"}, "SCHED_ISO"),
    ("process__ioPriority", {"class": "IOPRIO_CLASS_X"}, "ioPriority"),
    ("ociVersion", "9.0", "ociVersion"),
    ("hooks", {"prestart": [{"path": "relative"}]}, "hooks.prestart"),
    ("vm", {"kernel": {"path": "/x"}}, "vm is not supported"),
])
def test_refused_by_name(oci, key, value, words):
    oci.configure(**{key: value})
    assert words in oci.fails("create", "--bundle", oci.bundle, "one")
    assert oci.run("list", "--quiet").stdout == ""


def test_nothing_over_proc(oci):
    oci.configure(mounts=lambda mounts: mounts + [
        {"destination": "/proc", "type": "tmpfs", "source": "tmpfs"}])
    assert "/proc" in oci.fails("create", "--bundle", oci.bundle, "one")


def test_no_bind_instead_of_proc(oci):
    (oci.bundle / "fake").mkdir()
    oci.configure(mounts=lambda mounts: [
        {"destination": "/proc", "type": "bind", "source": "fake", "options": ["rbind"]},
        *mounts[1:]])
    assert "/proc" in oci.fails("create", "--bundle", oci.bundle, "one")


def test_tmpcopyup(oci):
    (oci.bundle / "rootfs" / "full").mkdir()
    (oci.bundle / "rootfs" / "full" / "file").write_text("copied")
    oci.configure("sh", "-c", "cat /full/file; echo other >/full/file", mounts=lambda mounts: mounts + [
        {"destination": "/full", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}])
    assert oci.run_bundle().stdout == "copied"
    assert (oci.bundle / "rootfs" / "full" / "file").read_text() == "copied"


@pytest.mark.parametrize("option", ["remount", "sync", "nonsense"])
def test_mount_options_refused(oci, option):
    oci.configure(mounts=lambda mounts: mounts + [
        {"destination": "/mnt", "type": "bind", "source": "/usr", "options": ["bind", option]}])
    assert option in oci.fails("create", "--bundle", oci.bundle, "one")


@pytest.mark.parametrize("option", ["async", "loud", "silent", "ratime", "rnorelatime", "nolazytime"])
def test_mount_options_taken(oci, option):
    oci.configure("true", mounts=lambda mounts: mounts + [
        {"destination": "/mnt", "type": "bind", "source": "/usr", "options": ["rbind", option]},
        {"destination": "/opt", "type": "tmpfs", "source": "tmpfs", "options": [option]}])
    oci.run_bundle()


def test_time_namespace(oci):
    oci.configure("cat", "/proc/uptime", linux__namespaces=lambda n: n + [{"type": "time"}],
                  linux__timeOffsets={"boottime": {"secs": 500000000}})
    assert float(oci.run_bundle().stdout.split()[0]) > 500000000
    assert float(open("/proc/uptime", encoding="ascii").read().split()[0]) < 500000000


def test_process_properties(oci):
    oci.configure("sh", "-c", "cat /proc/self/stat; uname -m", linux__personality={"domain": "LINUX32"},
                  process__scheduler={"policy": "SCHED_BATCH", "nice": 7},
                  process__oomScoreAdj=500)
    stat, machine = oci.run_bundle().stdout.splitlines()
    fields = stat.rsplit(") ", 1)[1].split()
    assert fields[16] == "7"  # nice, field 19
    assert fields[38] == "3"  # policy, field 41
    assert machine in ("i686", "armv8l", machine)


def test_relative_root_and_binds(oci):
    (oci.bundle / "data").mkdir()
    (oci.bundle / "data" / "file").write_text("bound")
    oci.configure("cat", "/mnt/file", mounts=lambda mounts: mounts + [
        {"destination": "/mnt", "type": "none", "source": "data", "options": ["rbind", "ro"]}])
    assert oci.run_bundle().stdout == "bound"


def test_sysctl_and_names(oci):
    oci.configure("sh", "-c", "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/hostname",
                  hostname="inside", linux__sysctl={"net.ipv4.ip_forward": "1"})
    assert oci.run_bundle().stdout == "1\ninside\n"


def test_unlimited(oci):
    """As Go writes it. The soft limit alone is ours to choose here."""
    largest = 2**64 - 1
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    oci.configure("sh", "-c", "ulimit -H -c", process__rlimits=[
        {"type": "RLIMIT_CORE", "soft": 0, "hard": largest}])
    result = oci.run_bundle(check=False)
    if hard == resource.RLIM_INFINITY:
        assert result.stdout == "unlimited\n"
    else:
        assert "cannot be raised" in result.stderr


def test_empty_home(oci):
    oci.configure("sh", "-c", "echo $HOME", process__env=["PATH=/bin", "HOME="])
    assert oci.run_bundle().stdout == "/\n"


def test_seccomp(oci):
    oci.configure("busybox", "mkdir", "/made", linux__seccomp={
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]})
    assert "not permitted" in oci.run_bundle(check=False).stderr
    oci.configure(linux__seccomp={"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x"})
    assert "listenerPath is not supported" in oci.fails("create", "--bundle", oci.bundle, "two")


# ---- what stands around it ----

def test_spec_is_not_overwritten(oci):
    assert "Remove it first" in oci.fails("spec", "--bundle", oci.bundle)


def test_features(oci):
    features = json.loads(oci.run("features").stdout)
    assert "createContainer" in features["hooks"]
    assert "time" in features["linux"]["namespaces"]
    assert features["linux"]["intelRdt"] == {"enabled": False}
    assert features["annotations"]["org.opencontainers.runc.checkpoint.enabled"] == "false"


def controller_file(oci, name, controller, file):
    """A file of the container's group as the kernel shows it, on v1 or v2."""
    lines = open(f"/proc/{oci.state(name)['pid']}/cgroup").read().splitlines()
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return open(f"/sys/fs/cgroup/{controller}{path}/{file}").read().strip()
    path = next(line[3:] for line in lines if line.startswith("0::"))
    return open(f"/sys/fs/cgroup{path}/{file}").read().strip()


def is_v1(oci, name):
    return "memory:" in open(f"/proc/{oci.state(name)['pid']}/cgroup").read()


def test_events_are_what_the_kernel_counts(oci):
    """The container writes more than its limit holds: cache is dropped again and again, nothing is killed."""
    oci.configure("sh", "-c", "busybox dd if=/dev/zero of=/big bs=1M count=24 2>/dev/null; echo >/done; "
                  "exec sleep 1000", linux__resources__memory={"limit": 8 << 20},
                  linux__resources__pids={"limit": 77})
    oci.create("one")
    oci.run("start", "one")
    wait_until(lambda: (oci.bundle / "rootfs" / "done").exists(), 60)
    event = json.loads(oci.run("events", "--stats", "one").stdout)
    assert (event["type"], event["id"]) == ("stats", "one")
    memory = event["data"]["memory"]
    assert memory["usage"]["limit"] == 8 << 20
    assert 0 < memory["usage"]["usage"] <= memory["usage"]["max"] <= 8 << 20
    assert memory["usage"]["failcnt"] > 0
    if is_v1(oci, "one"):
        assert memory["usage"]["failcnt"] == int(controller_file(oci, "one", "memory", "memory.failcnt"))
    assert 0 < memory["cache"] <= 8 << 20
    assert event["data"]["pids"] == {"current": 1, "limit": 77}
    cpu = event["data"]["cpu"]["usage"]
    assert cpu["total"] > 0 and cpu["kernel"] >= 0


def test_update_reaches_the_kernel(oci):
    """0 changes nothing, as with runc; what is given is in the kernel afterwards."""
    oci.configure("sleep", "1000", linux__resources__memory={"limit": 64 << 20})
    oci.create("one")
    oci.run("start", "one")
    file = "memory.limit_in_bytes" if is_v1(oci, "one") else "memory.max"

    def limit():
        return controller_file(oci, "one", "memory", file)

    oci.run("update", "--memory", "0", "one")
    assert limit() == str(64 << 20)
    oci.run("update", "--memory", "32m", "--pids-limit", "50", "one")
    assert limit() == str(32 << 20)
    assert controller_file(oci, "one", "pids", "pids.max") == "50"
    oci.run("update", "--pids-limit", "-1", "one")
    assert controller_file(oci, "one", "pids", "pids.max") == "max"
    assert "memory" in oci.fails("update", "--memory", "much", "one")


def test_paused_processes_stand_still(oci):
    oci.configure("sh", "-c", "while true; do echo x >>/count; done")
    oci.create("one")
    oci.run("start", "one")
    count = oci.bundle / "rootfs" / "count"

    def size():
        return count.stat().st_size if count.exists() else 0

    wait_until(lambda: size() > 0, 60)
    oci.run("pause", "one")
    assert oci.status("one") == "paused"
    before = size()
    # Time passes for others, whose command runs as long as it takes.
    oci.run("ps", "one")
    oci.run("state", "one")
    assert size() == before
    oci.run("resume", "one")
    assert oci.status("one") == "running"
    wait_until(lambda: size() > before, 60)


@pytest.mark.parametrize("command", ["checkpoint", "restore"])
def test_not_supported(oci, command):
    assert f"{command} is not supported" in oci.fails(command, "one")


def test_systemd_cgroups_are_refused(oci):
    result = subprocess.run([str(oci.program), "--systemd-cgroup", "list"], capture_output=True,
                            text=True, check=False)
    assert result.returncode == 1 and "cgroupfs" in result.stderr


def test_user_namespace(oci, tmp_path):
    """The caller has given the root away, as engines do; binds are mapped only when they say so."""
    ids = [{"containerID": 0, "hostID": 200000, "size": 1000}]
    rootfs = oci.bundle / "rootfs"
    for path in (tmp_path, oci.bundle, rootfs):
        path.chmod(0o755)
    for path in (rootfs, *rootfs.rglob("*")):
        os.chown(path, 200000, 200000, follow_symlinks=False)
    mounts = [{"destination": f"/{name}", "type": "bind", "source": str(tmp_path / name),
               "options": ["bind", *options]}
              for name, options in (("plain", []), ("mapped", ["idmap"]))]
    for name in "plain", "mapped":
        (tmp_path / name).mkdir()
    oci.configure("sh", "-c", "cat /proc/self/uid_map; id -u; stat -c %u / /plain /mapped;"
                  " touch /mapped/new; sleep 1000", linux__uidMappings=ids, linux__gidMappings=ids,
                  linux__namespaces=lambda old: [*old, {"type": "user"}],
                  mounts=lambda old: [*old, *mounts])
    oci.create("one")
    oci.run("start", "one")
    wait_until(lambda: (tmp_path / "mapped/new").exists(), 30)
    assert oci.output().split() == ["0", "200000", "1000", "0", "0", "65534", "0"]
    assert (tmp_path / "mapped/new").stat().st_uid == 0
    assert oci.run("exec", "one", "sh", "-c", "id -u; touch /made").stdout == "0\n"
    assert (rootfs / "made").stat().st_uid == 200000
