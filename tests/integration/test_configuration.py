# SPDX-License-Identifier: Apache-2.0
"""skiff.conf: every key has its effect, options win over it, and mistakes are errors with their line."""

import os
import subprocess

import pytest


@pytest.fixture
def conf(skiff):
    """Writes the file that this store's commands read."""
    path = skiff.directory / "skiff.conf"

    def write(*lines):
        path.write_text("\n".join(("network = none", *lines)) + "\n")
        return path
    return write


def inside(skiff, script, *args):
    return skiff.run("run", "--rm", *args, "busybox", "sh", "-c", script).stdout


@pytest.mark.core
def test_defaults_and_options_that_win(skiff, conf):
    conf("shm_size = 3m", "init = true", "ulimit = nofile=100:200", "ulimit = core=0",
         "dns = 192.0.2.1", "dns_search = example.org", "dns_option = ndots:7",
         "no_new_privileges = true")
    script = """df -k /dev/shm | tail -1 | awk '{print $2}'; cat /proc/1/comm
                ulimit -Sn; ulimit -Hn; ulimit -c; cat /etc/resolv.conf
                grep NoNewPrivs /proc/self/status"""
    assert inside(skiff, script).splitlines() == [
        "3072", "skiff-init", "100", "200", "0", "nameserver 192.0.2.1", "search example.org",
        "options ndots:7", "NoNewPrivs:\t1"]
    assert inside(skiff, script, "--shm-size", "2m", "--init=false", "--ulimit", "nofile=50",
                  "--dns", "192.0.2.9", "--security-opt", "no-new-privileges=false"
                  ).splitlines() == [
        "2048", "sh", "50", "50", "0", "nameserver 192.0.2.9", "search example.org",
        "options ndots:7", "NoNewPrivs:\t0"]


def test_logs(skiff, conf):
    conf("log_opt = max-size=1m", "log_opt = max-file=7")
    skiff.run("create", "--name", "one", "--log-opt", "max-file=2", "busybox")
    assert skiff.inspect("one")["HostConfig"]["LogConfig"]["Config"] == {
        "max-size": "1m", "max-file": "2"}
    skiff.run("create", "--name", "other", "--log-driver", "none", "busybox")
    assert skiff.inspect("other")["HostConfig"]["LogConfig"]["Config"] == {}
    conf("log_driver = none")
    skiff.run("create", "--name", "third", "busybox")
    assert skiff.inspect("third")["HostConfig"]["LogConfig"]["Type"] == "none"


def test_namespaces_and_cgroup(skiff, conf):
    conf("ipc = shareable", "cgroupns = host", "cgroup_parent = skiff-test-conf")
    skiff.run("create", "--name", "box", "busybox")
    host = skiff.inspect("box")["HostConfig"]
    assert (host["IpcMode"], host["CgroupnsMode"]) == ("shareable", "host")
    assert host["CgroupParent"] == "/skiff-test-conf"


def test_seccomp_profile(skiff, conf, tmp_path):
    profile = tmp_path / "profile.json"
    profile.write_text('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": '
                       '[{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}')
    conf(f"seccomp_profile = {profile}")
    assert "not permitted" in skiff.fails("run", "--rm", "busybox", "mkdir", "/x").stderr
    skiff.run("run", "--rm", "--security-opt", "seccomp=builtin", "busybox", "mkdir", "/x")
    skiff.run("run", "--rm", "--privileged", "busybox", "mkdir", "/x")


def test_names_do_not_follow_into_another_network(skiff, conf):
    conf("dns = 192.0.2.1")
    skiff.start("--name", "owner")
    assert "192.0.2.1" in inside(skiff, "cat /etc/resolv.conf", "--network", "container:owner")


def test_root_and_state(skiff, conf, tmp_path):
    path = conf(f"root = {tmp_path}/root", f"state = {tmp_path}/state")
    done = subprocess.run(
        [skiff.program, "--config", path, "info"], env=skiff.environment, check=True, text=True,
        capture_output=True)
    assert f"Root Dir: {tmp_path}/root\n" in done.stdout
    assert f"State Dir: {tmp_path}/state\n" in done.stdout
    assert f" root = {tmp_path}/root ({path}:2)\n" in done.stdout


def test_no_configuration_at_all(skiff, conf):
    conf("shm_size = 32m")
    assert "Configuration:" in skiff.run("info").stdout
    assert "Configuration:" not in skiff.run("--config", "/dev/null", "info").stdout
    assert "is not a regular file" in skiff.fails("--config", "/dev/zero", "info", code=1).stderr


def test_info_says_what_came_from_where(skiff, conf):
    path = conf("# a comment", "shm_size = 64m")
    assert skiff.run("info").stdout.endswith(
        f"Configuration:\n network = none ({path}:1)\n shm_size = 64m ({path}:3)\n")


def test_the_users_file_is_read_over_the_machines(skiff):
    home = skiff.directory / "home"
    path = home / ".config/skiff/skiff.conf"
    path.parent.mkdir(parents=True)
    path.write_text("network = none\nshm_size = 5m\n")
    environment = {"SKIFF_CONFIG": ""}
    assert f" shm_size = 5m ({path}:2)\n" in skiff.run("info", env=environment).stdout
    other = skiff.directory / "xdg"
    (other / "skiff").mkdir(parents=True)
    (other / "skiff/skiff.conf").write_text("network = none\nshm_size = 6m\n")
    environment["XDG_CONFIG_HOME"] = str(other)
    shown = skiff.run("info", env=environment).stdout
    assert f" shm_size = 6m ({other}/skiff/skiff.conf:2)\n" in shown
    assert "5m" not in shown


def test_mistakes_are_errors_with_their_line(skiff, conf):
    for line, message in (("shmsize = 1m", "'shmsize' is no key that skiff knows"),
                          ("shm_size", "is not understood"),
                          ("init = maybe", "init = maybe: must be true or false"),
                          ("network = host", "'network' is set twice")):
        path = conf("# fine", line)
        result = skiff.fails("run", "--rm", "busybox", "true", code=125)
        assert result.stderr == f"skiff: {path}, line 3: {result.stderr.split('line 3: ')[1]}"
        assert message in result.stderr
    conf()
    assert skiff.containers() == []


def test_a_file_that_others_can_change(skiff, conf):
    path = conf("init = true")
    os.chmod(path, 0o666)
    assert "can be changed by others" in skiff.fails("run", "busybox", code=125).stderr
    os.chmod(path, 0o644)
    os.chown(path, 65534, 65534)
    assert "can be changed by others" in skiff.fails("run", "busybox", code=125).stderr
    path.unlink()
    path.mkdir()
    assert "is not a regular file" in skiff.fails("run", "busybox", code=125).stderr
    path.rmdir()
    assert "No such file" in skiff.fails("--config", path, "info", code=1).stderr
    conf()
