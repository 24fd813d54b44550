# SPDX-License-Identifier: Apache-2.0
"""inspect against docker's own, after the same `create`: a case is a line."""

import json
import subprocess

import pytest

from helpers.features import require_tool
from helpers.foreign import Dockerd

CASES = [
    [],
    ["-l", "b=1", "-l", "a=2"],
    ["-e", "A=1", "-w", "/x", "-u", "1:2", "--hostname", "h"],
    ["-v", "/tmp:/t:ro", "--tmpfs", "/run:size=1m"],
    ["--mount", "type=bind,src=/tmp,dst=/m,readonly"],
    ["--memory", "64m", "--cpus", "1.5", "--pids-limit", "100", "--cpu-shares", "512"],
    ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only"],
    ["--ulimit", "nofile=100:200", "--sysctl", "net.ipv4.ip_forward=1"],
    ["--device", "/dev/null:/dev/x:r"],
    ["--restart", "on-failure:3", "--stop-signal", "INT", "--stop-timeout", "3"],
    ["--log-opt", "max-size=1m", "--dns", "1.1.1.1", "--add-host", "a:1.2.3.4"],
    ["-it", "--rm", "--init", "--privileged", "--ipc", "host", "--pid", "host"],
    ["--entrypoint", "sh"],
]

# What must differ, or differs with the version of dockerd (Debian's 20.10 has not all of 28's keys).
IGNORED = {
    "Id", "Created", "Image", "Hostname",  # of each container
    "ResolvConfPath", "HostnamePath", "HostsPath", "LogPath", "GraphDriver", "Driver",  # paths
    "Runtime",  # its name
    "Propagation",  # docker's rslave, when the data lies below the source
    "IpcMode", "CgroupnsMode",  # the daemon's defaults
    "MaskedPaths", "KernelMemory", "KernelMemoryTCP", "IOMaximumIOps", "OomKillDisable",
    "ConsoleSize", "Networks",
}


def differences(where, docker, ours):
    if isinstance(docker, dict) and isinstance(ours, dict):
        for key in sorted((set(docker) | set(ours)) - IGNORED):
            if key not in docker or key not in ours:
                yield f"{where}.{key}: only {'skiff' if key in ours else 'docker'}"
            else:
                yield from differences(f"{where}.{key}", docker[key], ours[key])
    elif isinstance(docker, list) and isinstance(ours, list) and len(docker) == len(ours):
        for number, pair in enumerate(zip(docker, ours)):
            yield from differences(f"{where}[{number}]", *pair)
    elif docker != ours:
        yield f"{where}: docker {docker!r}, skiff {ours!r}"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory, busybox):
    require_tool("docker")
    with Dockerd(tmp_path_factory.mktemp("docker")) as running:
        running.run("load", "-i", str(busybox))
        yield running


def test_inspect_is_dockers(skiff, daemon):
    found = {}
    for number, case in enumerate(CASES):
        create = ["create", "--network", "none", "--name", f"case{number}", *case, "busybox", "true"]
        daemon.run(*create)
        skiff.run(*create)
        (docker,) = json.loads(daemon.run("inspect", f"case{number}"))
        (ours,) = json.loads(skiff.run("inspect", f"case{number}").stdout)
        found[" ".join(case)] = list(differences("", docker, ours))
    assert found == {" ".join(case): [] for case in CASES}


TEMPLATES = [
    "{{.State}}", "{{.State.Health}}", "{{.Config.Cmd}} {{.Config.Env}} {{.Config.Entrypoint}}",
    "{{.HostConfig.RestartPolicy}} {{.HostConfig.PidsLimit}} {{.HostConfig.CapAdd}}",
    "{{json .Config.Labels}} {{json .Mounts}} {{json .State.Health}}", "{{.Mounts}}",
    "{{.HostConfig.LogConfig}} {{.NetworkSettings.Ports}} {{.NetworkSettings.IPAddress}}",
    "{{.Nothing}}", "{{.State.Health.Status}}", "{{index .Config.Labels \"x\"}}|", "{{.Name",
    "{{.State.Status.More}}", "{{range .Config.Env}}{{.}}{{end}}", "{{.Config.Labels.x}}",
    "{{with .HostConfig}}{{.Memory}} {{.NanoCpus}}{{end}}", "{{upper .Name}} {{len .Args}}",
    "{{join .Config.Cmd \",\"}}", "{{printf \"%d %s %v\" .RestartCount .Name .State.Running}}",
    "{{.Config.Labels}} {{eq .State.Status \"created\"}}", "{{len .Nothing}}", "{{slice .Name 1 3}}",
]


def test_templates_are_dockers(skiff, daemon):
    create = ["create", "--network", "none", "--name", "web", "-l", "a=b", "-v", "/tmp:/t:rshared",
              "busybox", "true"]
    daemon.run(*create)
    skiff.run(*create)
    for template in TEMPLATES:
        docker = subprocess.run([*daemon.docker, "inspect", "-f", template, "web"], check=False,
                                capture_output=True, text=True)
        ours = skiff.run("inspect", "-f", template, "web", check=False)
        assert (template, docker.returncode, docker.stdout, docker.stderr) == (
            template, ours.code, ours.stdout, ours.stderr.removeprefix("skiff: "))
