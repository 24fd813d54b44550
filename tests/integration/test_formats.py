# SPDX-License-Identifier: Apache-2.0
"""--format of ps, info, version and context, and the sizes of ps."""

import json

import pytest


@pytest.mark.core
def test_fields_of_ps(skiff):
    ident = skiff.run("create", "--name", "web", "-l", "a=b", "-v", "data:/d", "-v",
                      "/a/very/long/path/on/the/host:/h", "busybox", "true").stdout.strip()
    shown = json.loads(skiff.run("ps", "-a", "--format", "json").stdout)
    assert list(shown) == sorted(shown)
    assert (shown["ID"], shown["Labels"], shown["LocalVolumes"], shown["Command"]) == (
        ident[:12], "a=b", "1", '"true"')
    assert shown["Mounts"] == "data,/a/very/long/p…"
    assert shown["HealthStatus"] == "none" and shown["Size"] == "0B"
    assert skiff.run("ps", "-a", "--no-trunc", "--format", "{{.Mounts}}").stdout == (
        "data,/a/very/long/path/on/the/host\n")
    assert skiff.run("ps", "-a", "--format", '{{.Label "a"}}|{{.Label "x"}}').stdout == "b|\n"
    assert skiff.run("ps", "-a", "-q", "--format", "raw").stdout == f"container_id: {ident[:12]}\n"
    raw = skiff.run("ps", "-a", "--format", "raw").stdout.splitlines()
    assert raw[:3] == [f"container_id: {ident[:12]}", "image: busybox", 'command: "true"']
    assert "state: created" in raw and "names: web" in raw


def test_sizes_of_ps(skiff):
    skiff.run("run", "--name", "web", "busybox", "sh", "-c", "head -c 1500 /dev/zero > /a")
    assert skiff.run("ps", "-a", "--format", "{{.Size}}").stdout.startswith("1.5kB (virtual ")
    header, row = skiff.run("ps", "-as").stdout.splitlines()
    assert header.split()[-1] == "SIZE" and "1.5kB (virtual " in row
    assert skiff.run("ps", "-a", "-s", "--format", "table {{.Names}}").stdout.splitlines()[0] == (
        "NAMES     SIZE")


def test_info(skiff):
    skiff.run("create", "busybox", "true")

    def info(text):
        return skiff.run("info", "--format", text).stdout

    assert info("{{.Containers}} {{.ContainersRunning}} {{.ContainersStopped}} {{.Images}}") == (
        "1 0 1 1\n")
    assert info("{{.Swarm.LocalNodeState}} {{.OSType}} {{.DefaultRuntime}}") == (
        "inactive linux skiff\n")
    assert info("{{.DockerRootDir}}") == f"{skiff.root}\n"
    assert info("{{json .ServerErrors}} {{.SystemStatus}} {{.Debug}}") == "null [] false\n"
    whole = json.loads(info("json"))
    assert whole == {**json.loads(info("{{json .}}")), "SystemTime": whole["SystemTime"]}
    assert list(whole)[:7] == ["ID", "Containers", "ContainersRunning", "ContainersPaused",
                               "ContainersStopped", "Images", "Driver"]
    assert skiff.fails("info", "-f", "{{", code=64).stderr == (
        "skiff: template parsing error: template: :1: unclosed action\n")
    assert "can't evaluate field Nothing in type system.dockerInfo" in (
        skiff.fails("info", "-f", "{{.Nothing}}", code=1).stderr)


def test_version(skiff):
    version = json.loads(skiff.run("version", "--format", "json").stdout)
    assert version["Client"]["Version"] == version["Server"]["Version"]
    assert skiff.run("version", "--format", "{{.Server.Os}}/{{.Client.Version}}").stdout == (
        f"linux/{version['Client']['Version']}\n")
    assert skiff.run("version", "-f", "{{range .Server.Components}}{{.Name}} {{end}}").stdout == (
        "Engine sqlite libseccomp \n")


def test_the_one_context(empty_skiff):
    skiff = empty_skiff
    assert skiff.run("context", "show").stdout == "default\n"
    assert skiff.run("context", "ls", "-q").stdout == "default\n"
    assert skiff.run("context", "ls").stdout.splitlines()[1].startswith("default *   ")
    assert skiff.run("context", "ls", "--format", "{{.Name}} {{.Current}}").stdout == "default true\n"
    result = skiff.run("context", "use", "default")
    assert (result.stdout, result.stderr) == (
        "default\n", 'Current context is now "default"\n')
    assert "context not found" in skiff.fails("context", "use", "other", code=1).stderr
    (context,) = json.loads(skiff.run("context", "inspect").stdout)
    assert context["Name"] == "default"
    assert skiff.run("context", "inspect", "-f", "{{.Endpoints.docker.Host}}").stdout == "local\n"
    assert json.loads(skiff.run("context", "inspect", "other", check=False).stdout) == []
