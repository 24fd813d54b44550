# SPDX-License-Identifier: Apache-2.0
"""inspect: what it prints, and --format over it."""

import json

import pytest

# Keys and their order, as docker 28 prints them.
CONTAINER_KEYS = """
    Id Created Path Args State Image ResolvConfPath HostnamePath HostsPath LogPath Name RestartCount
    Driver Platform MountLabel ProcessLabel AppArmorProfile ExecIDs HostConfig GraphDriver Mounts
    Config NetworkSettings""".split()
HOST_CONFIG_KEYS = """
    Binds ContainerIDFile LogConfig NetworkMode PortBindings RestartPolicy AutoRemove VolumeDriver
    VolumesFrom ConsoleSize CapAdd CapDrop CgroupnsMode Dns DnsOptions DnsSearch ExtraHosts GroupAdd
    IpcMode Cgroup Links OomScoreAdj PidMode Privileged PublishAllPorts ReadonlyRootfs SecurityOpt
    UTSMode UsernsMode ShmSize Runtime Isolation CpuShares Memory NanoCpus CgroupParent BlkioWeight
    BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps
    BlkioDeviceWriteIOps CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime CpusetCpus CpusetMems
    Devices DeviceCgroupRules DeviceRequests MemoryReservation MemorySwap MemorySwappiness
    OomKillDisable PidsLimit Ulimits CpuCount CpuPercent IOMaximumIOps IOMaximumBandwidth MaskedPaths
    ReadonlyPaths""".split()
CONFIG_KEYS = """
    Hostname Domainname User AttachStdin AttachStdout AttachStderr Tty OpenStdin StdinOnce Env Cmd
    Image Volumes WorkingDir Entrypoint OnBuild Labels""".split()
NETWORK_KEYS = """
    Bridge SandboxID SandboxKey Ports HairpinMode LinkLocalIPv6Address LinkLocalIPv6PrefixLen
    SecondaryIPAddresses SecondaryIPv6Addresses EndpointID Gateway GlobalIPv6Address
    GlobalIPv6PrefixLen IPAddress IPPrefixLen IPv6Gateway MacAddress Networks""".split()
IMAGE_KEYS = """
    Id RepoTags RepoDigests Parent Comment Created DockerVersion Author Config Architecture Os Size
    GraphDriver RootFS Metadata""".split()


@pytest.mark.core
def test_keys_and_their_order(skiff):
    skiff.run("create", "--name", "web", "-l", "z=1", "-l", "a=2", "busybox", "true")
    (container,) = json.loads(skiff.run("inspect", "web").stdout)
    assert list(container) == CONTAINER_KEYS
    assert list(container["HostConfig"]) == HOST_CONFIG_KEYS
    assert list(container["Config"]) == CONFIG_KEYS
    assert list(container["NetworkSettings"]) == NETWORK_KEYS
    assert list(container["Config"]["Labels"]) == ["a", "z"]
    (image,) = json.loads(skiff.run("image", "inspect", "busybox").stdout)
    assert list(image) == IMAGE_KEYS
    assert "    " in skiff.run("inspect", "web").stdout.splitlines()[1]


def test_formats(skiff):
    ident = skiff.run("create", "--name", "web", "-l", "a=b", "-e", "X=1", "-v", "/tmp:/t", "busybox",
                      "true").stdout.strip()

    def formatted(text, *names):
        return skiff.run("inspect", "-f", text, *(names or ["web"])).stdout

    assert formatted("{{.Id}}") == ident + "\n"
    assert formatted("{{.ID}} {{.Name}}") == f"{ident} /web\n"
    assert formatted("{{.State.Health}}") == "<nil>\n"
    assert formatted("{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}") == "none\n"
    assert formatted('{{index .Config.Labels "a"}}{{index .Config.Labels "b"}}') == "b\n"
    assert formatted("{{.Config.Labels.b}}") == "<no value>\n"
    assert formatted("{{json .Config.Labels}}") == '{"a":"b"}\n'
    assert formatted("{{range .Mounts}}{{.Source}}:{{.Destination}}{{end}}") == "/tmp:/t\n"
    assert formatted("{{.HostConfig.PidsLimit}} {{.HostConfig.Memory}}") == "<nil> 0\n"
    assert formatted("{{.Args}} {{.HostConfig.CapAdd}} {{.NetworkSettings.Ports}}") == "[] [] map[]\n"
    assert formatted("{{.HostConfig.RestartPolicy}}") == "{no 0}\n"
    assert formatted("{{len .Config.Env}}{{range .Config.Env}} {{.}}{{end}}").startswith("2 X=1 ")
    assert formatted('{{printf "%.12s" .Id}} {{slice .Id 0 4}}') == f"{ident[:12]} {ident[:4]}\n"
    assert json.loads(formatted("json")) == json.loads(skiff.run("inspect", "web").stdout)
    assert formatted("json").count("\n") == 1
    assert formatted("{{.RepoTags}}", "busybox") == "[busybox:latest]\n"
    assert formatted("{{.Id}}", "web", "busybox").count("\n") == 2


def test_what_is_wrong_reads_like_docker(skiff):
    skiff.run("create", "--name", "web", "busybox", "true")
    result = skiff.run("inspect", "-f", "{{.State.Health.Status}}", "web", check=False)
    assert result.code == 1 and result.stdout == "\n"
    assert result.stderr == (
        'skiff: template parsing error: template: :1:8: executing "" at <.State.Health.Status>: '
        'map has no entry for key "Health"\n')
    result = skiff.run("inspect", "-f", "{{.Id", "web", check=False)
    assert (result.code, result.stdout) == (64, "")
    assert result.stderr == "skiff: template parsing error: template: :1: unclosed action\n"


def test_what_is_not_there(skiff):
    skiff.run("create", "--name", "web", "busybox", "true")
    result = skiff.run("inspect", "nobody", "web", "nothing", check=False)
    assert result.code == 1
    assert [each["Name"] for each in json.loads(result.stdout)] == ["/web"]
    assert result.stderr == "skiff: No such object: nobody\nskiff: No such object: nothing\n"
    result = skiff.run("inspect", "nobody", check=False)
    assert (result.code, result.stdout) == (1, "[]\n")
    result = skiff.run("inspect", "-f", "{{.Id}}", "nobody", check=False)
    assert (result.code, result.stdout) == (1, "\n")
    result = skiff.run("inspect", "--type", "image", "web", check=False)
    assert (result.code, result.stdout) == (1, "[]\n") and "No such image" in result.stderr
    result = skiff.run("container", "inspect", "busybox", check=False)
    assert (result.code, result.stdout) == (1, "[]\n") and "No such container" in result.stderr
    result = skiff.run("inspect", "--type", "thing", "web", check=False)
    assert result.code == 1
    assert result.stderr.startswith('skiff: unknown type: "thing": must be one of ')


def test_sizes(skiff):
    skiff.run("run", "--name", "web", "busybox", "sh", "-c",
              "head -c 1000 /dev/zero > /a; ln /a /b; ln -s /a /c; mkdir /d; echo > /d/e")
    (web,) = json.loads(skiff.run("inspect", "--size", "web").stdout)
    size = json.loads(skiff.run("inspect", "busybox").stdout)[0]["Size"]
    assert web["SizeRw"] == 1000 + 2 + 1
    assert web["SizeRootFs"] == web["SizeRw"] + size
    assert list(web)[list(web).index("GraphDriver") + 1] == "SizeRw"
    assert skiff.run("inspect", "-s", "-f", "{{.SizeRw}}", "web").stdout == "1003\n"
    assert skiff.run("inspect", "-f", "{{.SizeRw}}", "web").stdout == "<nil>\n"
