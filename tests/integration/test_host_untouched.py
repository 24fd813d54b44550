# SPDX-License-Identifier: Apache-2.0
"""Issue point 4: the host looks the same before, during and after.

Every test of this suite ends with a comparison (the `host` fixture); these look while containers
run, and at the moments when an engine most likely leaves something behind.
"""

import os
import signal
import socket
import subprocess

import pytest

from helpers import processes
from helpers.features import cgroup_mounts
from helpers.host_snapshot import HostSnapshot, mount_table
from helpers.waiting import wait_until

STARTS = 12


def differences_without_cgroups(before):
    """What differs now; a running container has cgroups, and parallel tests have theirs."""
    return [line for line in before.differences(HostSnapshot())
            if line.split(":")[0] not in ("+ cgroups", "- cgroups", "+ temporary", "- temporary")]


def test_during_a_run(skiff, host, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    skiff.start("--name", "box", "-h", "inside", "-v", f"{source}:/bound", "-v", "named:/volume",
                "--tmpfs", "/scratch", "--shm-size", "1m", "-t")

    assert not differences_without_cgroups(host.before)
    assert skiff.run("exec", "box", "hostname").stdout == "inside\n"
    assert socket.gethostname() == host.before.values["host name"]


def test_no_process_of_ours_holds_a_mount_on_the_host(skiff, host):
    """The monitor lives in the host's mount namespace, and the container's root is not in it."""
    skiff.start("--name", "box")
    monitor = skiff.monitor_pid("box")
    mounts = [line for line in mount_table(monitor)
              if f"of PID 1: {line}" not in host.before.mounts]
    assert not mounts


def test_mounts_made_inside_stay_inside(skiff, host, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    skiff.start("--name", "box", "--privileged", "-v", f"{source}:/bound")
    skiff.run("exec", "--privileged", "box", "mount", "-t", "tmpfs", "none", "/bound")
    skiff.run("exec", "--privileged", "box", "mount", "-t", "tmpfs", "none", "/mnt", check=False)

    assert not differences_without_cgroups(host.before)


def test_mounts_made_on_the_host_stay_outside(skiff, tmp_path):
    """A bind mount is private by default, as docker's: what the host mounts later is not seen."""
    source = tmp_path / "source"
    (source / "later").mkdir(parents=True)
    script = f"""
        mount -t tmpfs none {source}/later
        touch {source}/later/file
        exec {' '.join(skiff.command('exec', 'box', 'ls', '/bound/later'))}
    """
    skiff.start("--name", "box", "-v", f"{source}:/bound")
    done = subprocess.run(["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script],
                          env=skiff.environment, stdout=subprocess.PIPE, check=True)
    assert done.stdout == b""


def test_cgroups_appear_and_go(skiff, host):
    container = skiff.start("--name", "box")
    during = host.our_cgroups() if host.remember_ids() is None else []
    assert during, "the container has no cgroup"
    assert all(container in path for path in during)

    skiff.run("stop", "-t", "0", "box")
    assert not host.our_cgroups(), "stop returned before the cgroups were gone"


def test_remove_works_the_first_time(skiff):
    """Nothing is ever busy: right after the end, and right after a start."""
    for number in range(STARTS):
        name = f"c{number}"
        skiff.run("run", "--name", name, "-v", "shared:/data", "busybox", "true")
        skiff.run("rm", name)
        skiff.run("run", "-d", "--name", name, "-v", "shared:/data", "busybox", "sleep", "1000")
        skiff.run("rm", "-f", name)
    assert skiff.containers() == []
    assert not skiff.leftovers()


def test_many_at_once(skiff):
    """Sixteen runs side by side: all succeed, none leaves anything."""
    clients = [skiff.popen("run", "--rm", "busybox", "echo", str(number), stdin=subprocess.DEVNULL)
               for number in range(16)]
    for number, client in enumerate(clients):
        out, err = client.communicate(timeout=120)
        assert (client.returncode, out, err) == (0, f"{number}\n".encode(), b"")
    assert skiff.containers() == []
    assert not skiff.leftovers()


@pytest.mark.parametrize("arguments, code", [
    (["busybox", "/no/such/command"], 127),
    (["busybox", "/etc/passwd"], 126),
    (["busybox", "/etc"], 126),
    (["-w", "/etc/passwd", "busybox", "true"], None),
    (["-u", "no-such-user", "busybox", "true"], 125),
    (["-v", "relative:path:extra:much", "busybox", "true"], 125),
    (["--mount", "type=bind,source=/no/such/path,target=/x", "busybox", "true"], 125),
    (["--device", "/dev/no-such-device", "busybox", "true"], 125),
    (["--sysctl", "net.no.such.value=1", "busybox", "true"], None),
    (["no-such-image", "true"], 125),
])
@pytest.mark.parametrize("more", [["--rm"], ["-d", "--rm"], ["-t", "--rm"]],
                         ids=["foreground", "detached", "terminal"])
def test_failed_start_leaves_nothing(skiff, arguments, code, more):
    if "-t" in more:
        child = skiff.spawn("run", *more, *arguments)
        child.read()
        child.wait()
        found = child.exitstatus
    else:
        found = skiff.fails("run", *more, *arguments).code
    assert found == code if code is not None else found in (125, 126, 127)
    assert skiff.containers() == []
    assert not skiff.leftovers()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_client_told_to_end(skiff, number):
    """The signal goes to the container (--sig-proxy), which ends, and --rm removes it."""
    client = skiff.popen("run", "--rm", "--name", "box", "busybox", "sh", "-c",
                         "trap 'exit 7' TERM INT HUP; echo ready; while :; do sleep 0.1; done")
    assert client.stdout.readline() == b"ready\n"
    client.send_signal(number)
    client.communicate(timeout=60)
    assert client.returncode == 7
    assert skiff.containers() == []


def test_sysctls_are_the_containers_own(skiff, host):
    skiff.start("--name", "box", "--sysctl", "kernel.msgmax=12345", "--sysctl",
                "net.ipv4.ip_forward=1")
    assert skiff.run("exec", "box", "cat", "/proc/sys/kernel/msgmax").stdout == "12345\n"
    assert skiff.run("exec", "box", "cat", "/proc/sys/net/ipv4/ip_forward").stdout == "1\n"
    assert not differences_without_cgroups(host.before)


def test_double_forked_daemons_go_with_the_container(skiff, host):
    skiff.start("--name", "box", command=(
        "sh", "-c", "for i in 1 2 3; do (setsid sh -c 'sleep 2000 & sleep 2000' &); done; "
                    "trap '' TERM; sleep 3000"))
    pid = skiff.pid("box")
    wait_until(lambda: len(skiff.run("top", "box").stdout.splitlines()) == 8,
               what=lambda: skiff.run("top", "box").stdout)
    skiff.run("stop", "-t", "0", "box")
    assert not processes.is_alive(pid)
    host.remember_ids()
    left = [one for one in host.our_processes() if "sleep" in processes.command_line(one)]
    assert not left


def test_nothing_outside_root_and_state(skiff):
    """A whole life of a container writes nothing outside of --root, --state and /proc, /sys."""
    log = skiff.directory / "trace"
    command = ["strace", "-f", "-qq", "-e", "trace=openat,mkdirat,mkdir,open,creat,symlinkat,"
               "linkat,renameat2,renameat,rename,unlinkat,mknodat", "-o", str(log), "--",
               *skiff.command("run", "-d", "--name", "box", "busybox", "true")]
    subprocess.run(command, env=skiff.environment, stdout=subprocess.DEVNULL, check=True)
    skiff.run("wait", "box", check=False)
    writes = []
    for line in log.read_text(errors="replace").splitlines():
        absolute = f'AT_FDCWD, "/' in line
        changes = "openat(" not in line or "O_CREAT" in line or "O_WRONLY" in line
        ours = any(f'"{base}' in line for base in
                   (skiff.root, skiff.state, skiff.directory, "/proc", "/sys", "/dev/null"))
        if absolute and changes and not ours and " = -1 " not in line:
            writes.append(line)
    assert not writes, "\n".join(writes)


def test_store_is_empty_after_removing_everything(skiff):
    skiff.run("run", "--name", "box", "-v", "/anonymous", "busybox", "true")
    skiff.run("rm", "-v", "box")
    skiff.run("rmi", "busybox")
    skiff.run("prune", "-f", check=False)
    for directory in ("containers", "staging", "layers", "volumes"):
        path = skiff.root / directory
        assert not path.is_dir() or os.listdir(path) == [], directory
    blobs = skiff.root / "oci/blobs/sha256"
    assert not blobs.is_dir() or os.listdir(blobs) == []


def test_every_hierarchy_is_looked_at():
    """The comparison itself must see cgroups, or it proves nothing."""
    assert cgroup_mounts()
    for mount in cgroup_mounts():
        assert os.path.isdir(mount)
