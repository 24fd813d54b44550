# SPDX-License-Identifier: Apache-2.0
"""skiff and those it is compared with, each with a store of its own below one directory."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from harness import bundle
from harness.images import IMAGE, tool
from harness.timing import CommandFailed, PrivateSpawner, Spawner

DEADLINE_S = 30


class Unavailable(Exception):
    """This engine cannot run here; the message goes into the report."""


def which(program):
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if not path:
        raise Unavailable(f"{program} is not installed")
    return path


def wait_until(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise Unavailable(f"{what} took more than {DEADLINE_S} s")
        time.sleep(0.02)


def first_line(*command):
    return tool(*command).splitlines()[0].strip()


class Engine:
    """Something with images and containers. Commands are lists, run by `spawner`.

    With `network`, the path of a network namespace, that is its host's network.
    """

    name = ""

    def __init__(self, directory):
        self.directory = directory / self.name
        self.directory.mkdir()
        self.spawner = None
        self.version = ""

    def argv(self, *args):
        raise NotImplementedError

    def run_options(self):
        return []

    def output(self, *args):
        return self.spawner.output(self.argv(*args))

    def time(self, *args):
        return self.spawner.time(self.argv(*args))

    def measured(self, *args):
        """(seconds, processor seconds, KB of the largest process), a daemon's among them."""
        usage, before = [], self.daemon_cpu()
        seconds = self.spawner.time(self.argv(*args), usage)
        cpu = usage[0].ru_utime + usage[0].ru_stime + self.daemon_cpu() - before
        return seconds, cpu, max(usage[0].ru_maxrss, self.daemon_peak_kb())

    def daemon_cpu(self):
        return 0.0

    def daemon_peak_kb(self):
        return 0

    def pull_options(self):
        return []

    def time_run(self):
        return self.time("run", "--rm", "--network", "none", *self.run_options(), IMAGE, "true")

    def check(self):
        """That a container does what it is told, before it is timed."""
        said = self.output("run", "--rm", "--network", "none", *self.run_options(), IMAGE, "echo",
                           "it runs")
        if said != "it runs":
            raise Unavailable(f"a container said {said!r}")

    def start_sleeper(self, name):
        self.time("run", "-d", "--name", name, "--network", "none", *self.run_options(), IMAGE,
                  "sleep", "100000")

    def create(self, name):
        self.time("create", "--name", name, "--network", "none", *self.run_options(), IMAGE,
                  "true")

    def pid(self, name):
        return json.loads(self.output("inspect", name))[0]["State"]["Pid"]

    def remove(self, *names):
        self.time("rm", "-f", *names)

    def close(self):
        self.spawner.close()


class Skiff(Engine):
    name = "skiff"

    def __init__(self, directory, prefix, network=None):
        super().__init__(directory)
        self.program = Path(prefix) / "bin/skiff"
        if not self.program.exists():
            raise Unavailable(f"{self.program} does not exist (set SKIFF_PREFIX)")
        self.spawner = (PrivateSpawner(self.directory, [], network=network) if network
                        else Spawner(self.directory))
        self.version = self.output("--version")

    def argv(self, *args):
        return [str(self.program), "--root", str(self.directory / "root"),
                "--state", str(self.directory / "state"), *args]

    def close(self):
        names = self.output("ps", "-aq").split()
        if names:
            self.remove(*names)
        super().close()


class Podman(Engine):
    """Below a private mount namespace where cgroup v2 stands empty beside v1 (see PrivateSpawner)."""

    name = "podman"

    def __init__(self, directory, hidden, network=None):
        super().__init__(directory)
        self.program = which("podman")
        self.version = first_line(self.program, "--version") + ", " + first_line(
            which("crun"), "--version")
        self.spawner = PrivateSpawner(self.directory, hidden, network=network)

    def argv(self, *args):
        base = self.directory
        return [self.program, "--root", str(base / "root"), "--runroot", str(base / "run"),
                "--tmpdir", str(base / "tmp"), "--storage-driver", "overlay",
                "--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", "crun",
                *args]

    def pull_options(self):
        return ["--tls-verify=false"]

    def run_options(self):
        # Its own defaults raise limits, which a root without CAP_SYS_RESOURCE may not.
        return ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]

    def close(self):
        try:
            self.time("rm", "-f", "-a", "-t", "0")
        except CommandFailed:
            pass
        super().close()


class Docker(Engine):
    """Debian's dockerd, started by hand, with nothing of the host's networking touched."""

    name = "docker"

    def __init__(self, directory, network=None):
        super().__init__(directory)
        self.program = which("docker")
        base = self.directory
        self.socket = f"unix://{base}/sock"
        self.spawner = Spawner(base)
        where = [which("nsenter"), f"--net={network}"] if network else []
        nothing = [] if network else ["--iptables=false", "--ip6tables=false", "--bridge=none"]
        with open(base / "log", "wb") as log:
            self.daemon = subprocess.Popen(
                [*where, which("dockerd"), "--data-root", str(base / "data"), "--exec-root",
                 str(base / "exec"), "--pidfile", str(base / "pid"), "-H", self.socket,
                 *nothing],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(self._answers, "starting dockerd")
        except Unavailable:
            self.close()
            raise
        self.version = "dockerd " + self.output("version", "--format", "{{.Server.Version}}")

    def _answers(self):
        if self.daemon.poll() is not None:
            last = (self.directory / "log").read_text(errors="replace").strip().splitlines()
            raise Unavailable("dockerd does not start here: " + (last[-1] if last else "no log"))
        return subprocess.run(self.argv("version"), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0

    def argv(self, *args):
        return [self.program, "-H", self.socket, *args]

    def _processes(self):
        """The daemon, and containerd, which it keeps."""
        pid = self.daemon.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return [pid, *map(int, children.split())]

    def daemon_cpu(self):
        """Their own, and that of what they waited for (they unpack in processes of their own)."""
        ticks = 0
        for pid in self._processes():
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2]
            ticks += sum(int(one) for one in stat.split()[11:15 if pid == self.daemon.pid else 13])
        return ticks / os.sysconf("SC_CLK_TCK")

    def daemon_peak_kb(self):
        peaks = []
        for pid in self._processes():
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            peaks += [int(line.split()[1]) for line in status.splitlines()
                      if line.startswith("VmHWM:")]
        return max(peaks)

    def remove(self, *names):
        for start in range(0, len(names), 100):
            super().remove(*names[start:start + 100])

    def close(self):
        if self.daemon.poll() is None:
            ids = subprocess.run(self.argv("ps", "-q"), stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, check=False,
                                 text=True).stdout.split()
            if ids:
                subprocess.run(self.argv("kill", *ids), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, check=False)
            self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait()


class OciRuntime:
    """crun or runc with a ready bundle: no image, no overlay, no log, no record but its own."""

    def __init__(self, directory, program, spawner, rootfs):
        self.name = f"{program} run"
        self.program = which(program)
        self.version = first_line(self.program, "--version")
        self.directory = directory / program
        self.directory.mkdir()
        self.spawner = spawner
        self._numbers = itertools.count(1)
        self._true = bundle.write(self.directory / "true", rootfs, ["true"])
        self._sleep = bundle.write(self.directory / "sleep", rootfs, ["sleep", "100000"])

    def argv(self, *args):
        return [self.program, "--root", str(self.directory / "state"), *args]

    def time(self, *args):
        return self.spawner.time(self.argv(*args))

    def _new_name(self):
        return f"bench-{self.program.rsplit('/', 1)[-1]}-{os.getpid()}-{next(self._numbers)}"

    def time_run(self):
        return self.time("run", "--bundle", str(self._true), self._new_name())

    def start_sleeper(self, name):
        self.time("run", "--detach", "--bundle", str(self._sleep), name)

    def remove(self, *names):
        for name in names:
            self.time("delete", "--force", name)


class Bwrap:
    """Namespaces, proc, dev and binds; no cgroup, no overlay, no seccomp."""

    name = "bwrap"

    def __init__(self, directory, rootfs):
        self.program = which("bwrap")
        self.version = first_line(self.program, "--version")
        self.spawner = Spawner(directory)
        self.argv = [
            self.program, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
            "--unshare-cgroup", "--bind", str(rootfs), "/", "--proc", "/proc", "--dev", "/dev",
            "--ro-bind", "/sys", "/sys", "--hostname", "bench", "--die-with-parent",
        ]
        for name in ("hosts", "hostname", "resolv.conf"):
            self.argv += ["--bind", str(rootfs / "etc" / name), f"/etc/{name}"]
        self.argv += ["/bin/true"]

    def time_run(self):
        return self.spawner.time(self.argv)


class Floor:
    """bench/floor.c: what the kernel takes for one default container."""

    name = "floor"

    def __init__(self, directory, program, rootfs):
        if not program or not Path(program).exists():
            raise Unavailable("bench/floor is not built (set FLOOR, or build with meson)")
        work = directory / "floor"
        work.mkdir()
        self.version = ""
        self.spawner = Spawner(work)
        self.argv = [str(program), "--layer", str(rootfs), "--work", str(work)]

    def time_run(self):
        return self.spawner.time(self.argv)

    def phases(self, count):
        return tool(*self.argv, "--json", "--repeat", str(count))


class Process:
    """The harness's own cost: the same static program, without any container."""

    name = "process"

    def __init__(self, directory, rootfs):
        self.version = ""
        self.spawner = Spawner(directory)
        self.argv = [str(rootfs / "bin/busybox"), "true"]

    def time_run(self):
        return self.spawner.time(self.argv)
