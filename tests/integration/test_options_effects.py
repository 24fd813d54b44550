# SPDX-License-Identifier: Apache-2.0
"""Issue point 9: the image's defaults and every option of create, looked at from inside."""

import os
import re

import pytest

from helpers.custom_image import CustomImage
from helpers.features import cgroup_v1_controllers, cgroup_v2_mount, has_controller, require
from helpers.waiting import wait_until

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def inside(skiff, script, *args, image="busybox"):
    return skiff.run("run", "--rm", *args, image, "sh", "-c", script).stdout


def environment(skiff, *args, image="busybox"):
    text = skiff.run("run", "--rm", *args, image, "env").stdout
    return dict(line.split("=", 1) for line in text.splitlines())


def limit(controller, v1_file, v2_file):
    """The command that prints a limit from inside."""
    require(has_controller(controller), f"the {controller} controller")
    if controller in cgroup_v1_controllers():
        return f"cat /sys/fs/cgroup/{controller}/{v1_file}"
    return f"cat /sys/fs/cgroup/{v2_file}"


# ---- defaults from the image ----

@pytest.mark.core
def test_defaults_of_the_image(skiff):
    custom = CustomImage({
        "Env": ["A=1", "B=two words", "NOVALUE", "=x"], "Entrypoint": ["/bin/sh", "-c"],
        "Cmd": ["id -u; pwd; echo $A $B"], "WorkingDir": "/made/for/it", "User": "12:34",
        "Labels": {"from": "image"}})
    image = custom.load(skiff)
    assert skiff.run("run", "--rm", image).stdout == "12\n/made/for/it\n1 two words\n"
    skiff.run("create", "--name", "box", "--label", "mine=1", image)
    assert skiff.inspect("box")["Config"]["Labels"] == {"from": "image", "mine": "1"}


def test_path_has_dockers_default_when_the_image_has_none(skiff):
    image = CustomImage().load(skiff)
    assert environment(skiff, image=image)["PATH"] == DEFAULT_PATH
    assert environment(skiff, "-e", "PATH=/bin", image=image)["PATH"] == "/bin"


@pytest.mark.parametrize("entrypoint, cmd, options, args, output", [
    (["echo", "E"], ["C"], (), (), "E C"),
    (["echo", "E"], ["C"], (), ("A",), "E A"),
    (None, ["echo", "C"], (), (), "C"),
    (None, ["echo", "C"], (), ("echo", "A"), "A"),
    (["echo", "E"], ["C"], ("--entrypoint", "echo"), (), ""),
    (["echo", "E"], ["C"], ("--entrypoint", "echo"), ("A",), "A"),
    (["echo", "E"], ["C"], ("--entrypoint", ""), ("echo", "A"), "A"),
])
def test_entrypoint_and_cmd(skiff, entrypoint, cmd, options, args, output):
    image = CustomImage({"Entrypoint": entrypoint, "Cmd": cmd}).load(skiff)
    assert skiff.run("run", "--rm", *options, image, *args).stdout == output + "\n"


def test_volumes_of_the_image_are_filled_from_it(skiff):
    custom = CustomImage({"Volumes": {"/data": {}}})
    custom.layer.directory("data", mode=0o750, uid=33, gid=33)
    custom.layer.file("data/file", "from the image\n", uid=33)
    image = custom.load(skiff)
    script = "cat /data/file; stat -c '%a %u' /data; grep -c ' /data ' /proc/mounts"
    assert inside(skiff, script, image=image) == "from the image\n750 33\n1\n"
    assert inside(skiff, "cat /data/file", "-v", "named:/data", image=image) == "from the image\n"
    assert inside(skiff, "ls /data", "-v", "other:/data:nocopy", image=image) == ""
    inside(skiff, "echo changed > /data/file", "-v", "named:/data", image=image)
    assert inside(skiff, "cat /data/file", "-v", "named:/data", image=image) == "changed\n"


# ---- the process ----

def test_environment(skiff, tmp_path):
    file = tmp_path / "env"
    file.write_text("FROM_FILE=1\nBOTH=file\n# comment\nSKIFF_TEST_CANARY\n")
    seen = environment(skiff, "--env-file", file, "-e", "BOTH=option", "-e", "EMPTY=",
                       "-e", "HOME=/elsewhere", "-e", "SPACES=a b")
    assert seen["FROM_FILE"] == "1" and seen["BOTH"] == "option" and seen["EMPTY"] == ""
    assert seen["HOME"] == "/elsewhere" and seen["SPACES"] == "a b"
    assert seen["SKIFF_TEST_CANARY"] == "must-not-be-seen-inside"  # asked for by name
    assert "SKIFF_TEST_CANARY" not in environment(skiff)


@pytest.mark.parametrize("user, ids", [
    ("www-data", "33 33 33"), ("33", "33 33 33"), ("www-data:audio", "33 29 29"),
    ("33:100", "33 100 100"), ("4711", "4711 0 0"), ("operator", "37 37 37 6 29 100"),
    (":29", "0 29 29"),
])
def test_user(skiff, user, ids):
    uid, gid, *groups = ids.split()
    seen = inside(skiff, "id -u; id -g; id -G", "-u", user).splitlines()
    assert seen[:2] == [uid, gid] and set(seen[2].split()) == set(groups)


def test_group_add(skiff):
    seen = inside(skiff, "id -G", "-u", "33", "--group-add", "audio", "--group-add", "4712")
    assert set(seen.split()) == {"33", "29", "4712"}


def test_home_is_the_users(skiff):
    assert environment(skiff)["HOME"] == "/root"
    assert environment(skiff, "-u", "www-data")["HOME"] == "/var/www"
    assert environment(skiff, "-u", "4711")["HOME"] == "/"


def test_workdir_is_made(skiff):
    assert inside(skiff, "pwd; stat -c %U .", "-w", "/new/deep/../dir") == "/new/dir\nroot\n"


def test_hostname(skiff):
    assert inside(skiff, "hostname; cat /etc/hostname; echo $HOSTNAME",
                  "-h", "box.example") == "box.example\n" * 3


def test_init_is_pid_1_and_passes_signals(skiff):
    assert inside(skiff, "cat /proc/1/comm; echo $$", "--init").split()[0] == "skiff-init"
    skiff.start("--name", "box", "--init", command=("sh", "-c", "trap 'exit 7' TERM; echo ready; "
                                                     "while :; do sleep 0.05; done"))
    skiff.wait_for_output("box", "ready")
    skiff.run("stop", "box")
    assert skiff.inspect("box")["State"]["ExitCode"] == 7


# ---- mounts ----

def test_bind(skiff, tmp_path):
    (tmp_path / "file").write_text("host\n")
    inside(skiff, "cat /b/file; echo inside > /b/made", "-v", f"{tmp_path}:/b")
    assert (tmp_path / "made").read_text() == "inside\n"
    result = skiff.run("run", "--rm", "-v", f"{tmp_path}:/b:ro", "busybox", "touch", "/b/x",
                       check=False)
    assert result.code == 1 and "Read-only file system" in result.stderr
    assert inside(skiff, "cat /one", "-v", f"{tmp_path}/file:/one") == "host\n"


def test_bind_makes_a_missing_source_only_with_v(skiff, tmp_path):
    inside(skiff, "touch /b/x", "-v", f"{tmp_path}/made/here:/b")
    assert (tmp_path / "made/here/x").exists()
    skiff.fails("run", "--rm", "--mount", f"type=bind,src={tmp_path}/not,dst=/b", "busybox", "true",
                code=125)
    assert not (tmp_path / "not").exists()


def test_mount_option(skiff, tmp_path):
    (tmp_path / "file").write_text("host\n")
    assert inside(skiff, "cat /b/file; touch /b/x || echo no", "--mount",
                  f"type=bind,source={tmp_path},target=/b,readonly") == "host\nno\n"
    inside(skiff, "echo kept > /v/file", "--mount", "type=volume,src=vol,dst=/v")
    assert inside(skiff, "cat /v/file", "-v", "vol:/v") == "kept\n"
    seen = inside(skiff, "grep ' /t ' /proc/mounts; stat -c %a /t", "--mount",
                  "type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=0700")
    assert "size=1024k" in seen and seen.endswith("700\n")
    assert all(word in seen for word in ("noexec", "nosuid", "nodev"))


def test_mounts_below_mounts(skiff, tmp_path):
    assert inside(skiff, "ls /a; ls /a/b", "-v", f"{tmp_path}:/a/b", "--tmpfs", "/a") == "b\n"


def test_own_etc_files_win(skiff, tmp_path):
    (tmp_path / "hosts").write_text("mine\n")
    assert inside(skiff, "cat /etc/hosts", "-v", f"{tmp_path}/hosts:/etc/hosts") == "mine\n"


def test_read_only_root_with_tmpfs(skiff):
    seen = inside(skiff, "touch /x || echo no; touch /tmp/x /dev/shm/x && echo yes",
                  "--read-only", "--tmpfs", "/tmp")
    assert seen == "no\nyes\n"


def test_tmpfs_options(skiff):
    seen = inside(skiff, "grep ' /t ' /proc/mounts; stat -c '%a %u' /t", "--tmpfs",
                  "/t:size=64k,mode=0710,uid=33,exec")
    assert "size=64k" in seen and "noexec" not in seen and seen.endswith("710 33\n")
    assert inside(skiff, "stat -c %a /t", "--tmpfs", "/t") == "1777\n"


def test_shm_size(skiff):
    assert "size=65536k" in inside(skiff, "grep ' /dev/shm ' /proc/mounts")
    assert "size=1024k" in inside(skiff, "grep ' /dev/shm ' /proc/mounts", "--shm-size", "1m")


# ---- what it may do ----

@pytest.mark.parametrize("options, plus, minus", [
    (("--cap-add", "NET_ADMIN"), 12, None), (("--cap-add", "cap_sys_ptrace"), 19, None),
    (("--cap-drop", "CHOWN"), None, 0), (("--cap-drop", "ALL", "--cap-add", "KILL"), 5, 0),
    (("--cap-add", "ALL", "--cap-drop", "SYS_ADMIN"), 12, 21),
])
def test_capabilities(skiff, options, plus, minus):
    mask = int(inside(skiff, "grep CapEff /proc/self/status", *options).split()[1], 16)
    assert plus is None or mask >> plus & 1
    assert minus is None or not mask >> minus & 1


def test_cap_drop_all_leaves_nothing(skiff):
    seen = inside(skiff, "grep Cap /proc/self/status", "--cap-drop", "all")
    assert {int(line.split()[1], 16) for line in seen.splitlines()} == {0}


@pytest.mark.parametrize("option, expected", [
    ((), "0 2"), (("no-new-privileges",), "1 2"), (("no-new-privileges:true",), "1 2"),
    (("no-new-privileges=false",), "0 2"), (("seccomp=unconfined",), "0 0"),
    (("seccomp=builtin",), "0 2"), (("apparmor=unconfined",), "0 2"), (("label=disable",), "0 2"),
])
def test_security_options(skiff, option, expected):
    options = [part for text in option for part in ("--security-opt", text)]
    seen = inside(skiff, "grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status", *options)
    assert " ".join(line.split()[1] for line in seen.splitlines()) == expected


def test_seccomp_profile_of_ones_own(skiff, tmp_path):
    profile = tmp_path / "profile.json"
    profile.write_text('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", '
                       '"mkdirat"], "action": "SCMP_ACT_ERRNO"}]}')
    result = skiff.run("run", "--rm", "--security-opt", f"seccomp={profile}", "busybox", "mkdir",
                       "/x", check=False)
    assert result.code == 1 and "Operation not permitted" in result.stderr
    skiff.run("create", "--name", "box", "--security-opt", f"seccomp={profile}", "busybox",
              "mkdir", "/x")
    profile.unlink()  # it was read at create
    assert skiff.run("start", "-a", "box", check=False).code == 1


def test_systempaths_unconfined(skiff):
    script = "echo 1 > /proc/sys/kernel/domainname && echo yes; wc -c < /proc/timer_list"
    hidden = inside(skiff, "wc -c < /proc/timer_list")
    seen = inside(skiff, script + " 2>/dev/null", "--security-opt", "systempaths=unconfined",
                  "--cap-add", "SYS_ADMIN").split()
    assert hidden == "0\n" and seen[0] == "yes"


def test_privileged(skiff):
    seen = inside(skiff, "grep -E '^(CapEff|Seccomp):' /proc/self/status; ls /dev | wc -l",
                  "--privileged").split()
    assert bin(int(seen[1], 16)).count("1") > 30 and seen[3] == "0"
    assert int(seen[4]) > int(inside(skiff, "ls /dev | wc -l"))


def test_device(skiff):
    script = "ls -l /dev/other; : < /dev/other && echo read; (: > /dev/other) 2>/dev/null || echo no"
    require(os.path.exists("/dev/fuse"), "/dev/fuse")
    seen = inside(skiff, script, "--device", "/dev/fuse:/dev/other:r")
    assert "10, 229" in seen and "read" in seen and seen.endswith("no\n")


def test_ulimit(skiff):
    assert inside(skiff, "ulimit -n; ulimit -Hn; ulimit -c", "--ulimit", "nofile=64:128",
                  "--ulimit", "core=0") == "64\n128\n0\n"


def test_sysctl(skiff):
    assert inside(skiff, "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni",
                  "--sysctl", "net.ipv4.ip_forward=1", "--sysctl", "kernel.shmmni=77") == "1\n77\n"


# ---- limits ----

def test_memory(skiff):
    script = limit("memory", "memory.limit_in_bytes", "memory.max")
    assert inside(skiff, script, "-m", "64m") == f"{64 << 20}\n"
    result = skiff.run("run", "--rm", "-m", "8m", "busybox", "sh", "-c",
                       "head -c 100m /dev/zero | tail", check=False)
    assert result.code != 0


def test_memory_reservation(skiff):
    script = limit("memory", "memory.soft_limit_in_bytes", "memory.low")
    assert inside(skiff, script, "-m", "64m", "--memory-reservation", "32m") == f"{32 << 20}\n"


def test_cpus(skiff):
    require(has_controller("cpu"), "the cpu controller")
    if "cpu" in cgroup_v1_controllers():
        script = "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us"
    else:
        script = "tr ' ' '\\n' < /sys/fs/cgroup/cpu.max"
    assert inside(skiff, script, "--cpus", "0.5") == "50000\n100000\n"


def test_pids_limit(skiff):
    assert inside(skiff, limit("pids", "pids.max", "pids.max"), "--pids-limit", "10") == "10\n"
    result = skiff.run("run", "--rm", "--pids-limit", "5", "busybox", "sh", "-c",
                       "for i in 1 2 3 4 5 6 7 8; do sleep 1 & done", check=False)
    assert "can't fork" in result.stderr
    assert inside(skiff, limit("pids", "pids.max", "pids.max"), "--pids-limit", "-1") == "max\n"


def test_cpuset(skiff):
    script = limit("cpuset", "cpuset.cpus", "cpuset.cpus")
    assert inside(skiff, script, "--cpuset-cpus", "0") == "0\n"
    result = skiff.fails("run", "--rm", "--cpuset-cpus", "8191", "busybox", "true", code=125)
    assert "not available" in result.stderr


# ---- names and networks ----

def test_add_host_and_dns(skiff):
    hosts = inside(skiff, "cat /etc/hosts", "--add-host", "db:10.1.2.3", "--add-host", "v6:fd00::1")
    assert hosts.startswith("127.0.0.1\tlocalhost\n")
    assert hosts.endswith("10.1.2.3\tdb\nfd00::1\tv6\n")
    assert inside(skiff, "cat /etc/resolv.conf", "--dns", "192.0.2.1", "--dns-search", "example",
                  "--dns-option", "ndots:3") == ("nameserver 192.0.2.1\nsearch example\n"
                                                 "options ndots:3\n")


def test_the_configuration_chooses_the_default_network(skiff):
    assert inside(skiff, "ls /sys/class/net") == "lo\n"
    assert re.search("^Default Network: none$", skiff.run("info").stdout, re.M)
    (skiff.directory / "skiff.conf").write_text("# mine\n\n network = host \n")
    assert set(inside(skiff, "ls /sys/class/net").split()) == set(os.listdir("/sys/class/net"))
    (skiff.directory / "skiff.conf").write_text("network = none\nnonsense\n")
    assert "skiff.conf, line 2: 'nonsense'" in skiff.fails("create", "busybox").stderr


def test_network_host(skiff):
    assert set(inside(skiff, "ls /sys/class/net", "--network", "host").split()) == set(
        os.listdir("/sys/class/net"))
    assert inside(skiff, "hostname", "--network", "host") == os.uname().nodename + "\n"


def test_network_of_another_container(skiff):
    skiff.start("--name", "server", "--add-host", "here:10.9.8.7",
                command=("nc", "-l", "-p", "1234"))
    # Port 1234 is open, as seen by somebody else.
    sockets = "cat /proc/net/tcp /proc/net/tcp6"
    wait_until(lambda: ":04D2 " in inside(skiff, sockets, "--network", "container:server"))
    assert ":04D2 " not in inside(skiff, sockets)
    seen = inside(skiff, "cat /etc/hostname; grep here /etc/hosts", "--network", "container:server")
    assert seen == f"{skiff.full_id('server')[:12]}\n10.9.8.7\there\n"
    skiff.run("create", "--name", "client", "--network", "container:server", "busybox")
    skiff.run("stop", "-t", "0", "server")
    assert "non running container" in skiff.fails("start", "client", code=1).stderr


def test_cgroup_parent(skiff):
    skiff.start("--name", "box", "--cgroup-parent", "/skiff-test-parent")
    group = open(f"/proc/{skiff.pid('box')}/cgroup", encoding="utf-8").read()
    expected = f":/skiff-test-parent/skiff-{skiff.full_id('box')}\n"
    assert group.count(expected) == len(group.splitlines())
    skiff.run("rm", "-f", "box")
    mounts = set(cgroup_v1_controllers().values()) | {cgroup_v2_mount()}
    for mount in mounts - {None}:
        if os.path.isdir(f"{mount}/skiff-test-parent"):  # may stay: it is the user's to name
            os.rmdir(f"{mount}/skiff-test-parent")
