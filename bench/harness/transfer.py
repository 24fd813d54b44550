# SPDX-License-Identifier: Apache-2.0
"""Pulling from Debian's docker-registry, on loopback and through a link that is slow and far."""

import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.request

from harness import images
from harness.images import tool
from harness.link import Link
from harness.timing import Case, CommandFailed, interleave, spawn, summary

BUDGET_S = 40
ROUNDS = 2
DEADLINE_S = 30
MANIFEST_TYPES = ("application/vnd.oci.image.manifest.v1+json, "
                  "application/vnd.docker.distribution.manifest.v2+json")
DELAY_S, BITS_PER_S = 0.02, 200e6  # each way
REPOSITORY = "bench/large"


class Registry:
    """docker-registry with a directory of its own; `inside` goes before its command."""

    def __init__(self, directory, host, inside=()):
        self.host = host
        config = directory / f"registry-{host}.json"
        config.write_text(json.dumps({
            "version": 0.1, "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(directory / "registry")}},
            "http": {"addr": self.host, "secret": "x"}}), encoding="utf-8")
        self.process = subprocess.Popen(
            [*inside, "docker-registry", "serve", str(config)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + DEADLINE_S
        while subprocess.run([*inside, "curl", "-sf", "-o", "/dev/null", self.url("")],
                             check=False).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise CommandFailed("docker-registry does not start")
            time.sleep(0.05)

    def url(self, path):
        return f"http://{self.host}/v2/{path}"

    def close(self):
        self.process.kill()
        self.process.wait()

    def put(self, archive, tag, compression):
        tool("skopeo", "copy", "-q", "--format", "oci", "--dest-tls-verify=false",
             "--dest-compress-format", compression, f"docker-archive:{archive}",
             f"docker://{self.host}/{REPOSITORY}:{tag}")

    def layer_urls(self, tag):
        request = urllib.request.Request(self.url(f"{REPOSITORY}/manifests/{tag}"),
                                         headers={"Accept": MANIFEST_TYPES})
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            manifest = json.load(answer)
        return [self.url(f"{REPOSITORY}/blobs/{layer['digest']}") for layer in manifest["layers"]]


def free_host():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


class Usage:
    """Processor seconds, and the memory of the largest process, of each engine's samples."""

    def __init__(self):
        self.cpu, self.peak_kb = {}, {}

    def note(self, name, cpu, peak_kb):
        self.cpu.setdefault(name, []).append(cpu)
        self.peak_kb[name] = max(peak_kb, self.peak_kb.get(name, 0))

    def rows(self):
        return {name: summary(seconds) for name, seconds in self.cpu.items()}


def forget(engine, name):
    with contextlib.suppress(CommandFailed):
        engine.time("rmi", name)
    os.sync()


def measured(engine, usage, *args):
    seconds, cpu, peak_kb = engine.measured(*args)
    usage.note(engine.name, cpu, peak_kb)
    return seconds


def pull_once(engine, name, usage):
    forget(engine, name)
    return measured(engine, usage, "pull", *engine.pull_options(), name)


def skopeo_umoci(bench, name, usage):
    oci, bundle = bench.directory / "skopeo-oci", bench.directory / "umoci-bundle"
    tool("rm", "-rf", oci, bundle)
    os.sync()
    seconds = 0.0
    cpu, peak = 0.0, 0
    for command in (["skopeo", "copy", "-q", "--src-tls-verify=false", f"docker://{name}",
                     f"oci:{oci}:large"],
                    ["umoci", "unpack", "--image", f"{oci}:large", str(bundle)]):
        used = []
        seconds += spawn(command, os.environ, str(bench.directory / "stderr"), usage=used)
        cpu += used[0].ru_utime + used[0].ru_stime
        peak = max(peak, used[0].ru_maxrss)
    usage.note("skopeo + umoci", cpu, peak)
    tool("rm", "-rf", oci, bundle)
    return seconds


def pull_cases(bench, name, usage, others=True):
    cases = [Case(engine.name, lambda engine=engine: pull_once(engine, name, usage))
             for engine in bench.engines]
    if others:
        cases.append(Case("skopeo + umoci", lambda: skopeo_umoci(bench, name, usage)))
    return cases


def update_once(engine, host, usage):
    """What is there has all layers but the last."""
    for tag in ("twenty-gzip", "updated"):
        forget(engine, f"{host}/{REPOSITORY}:{tag}")
    engine.time("pull", *engine.pull_options(), f"{host}/{REPOSITORY}:twenty-gzip")
    return measured(engine, usage, "pull", *engine.pull_options(), f"{host}/{REPOSITORY}:updated")


def fill(bench, registry):
    """Tags "one-gzip", "twenty-zstd" …, and "updated": twenty-gzip with a layer more."""
    layer_tar = bench.large_tar()
    parts = images.split_layer(bench.directory, layer_tar, 20)
    more = bench.directory / "more.tar"
    images.make_files_tar(more, 100, 64 << 10, seed=1)
    sets = {"one": [layer_tar], "twenty": parts}
    for label, layers in sets.items():
        archive, made = images.make_archive(bench.directory, f"pull-{label}", layers, "plain")
        for compression in ("gzip", "zstd"):
            registry.put(archive, f"{label}-{compression}", compression)
        tool("rm", "-f", archive, *made)
    archive, made = images.make_archive(bench.directory, "pull-updated", [*parts, more], "plain")
    registry.put(archive, "updated", "gzip")
    tool("rm", "-f", archive, *made, *parts)


def pull(bench):
    """From a registry on loopback, everything in the page cache but what the case says."""
    result = {}
    with contextlib.ExitStack() as stack:
        registry = Registry(bench.directory, free_host())
        stack.callback(registry.close)
        fill(bench, registry)
        for tag in ("one-gzip", "one-zstd", "twenty-gzip", "twenty-zstd"):
            usage = Usage()
            name = f"{registry.host}/{REPOSITORY}:{tag}"
            result[tag.replace("-", " layer, " if tag.startswith("one") else " layers, ")] = (
                interleave(pull_cases(bench, name, usage, others=tag == "one-gzip"), ROUNDS,
                           warmup=0, budget=BUDGET_S))
            result[f"{tag}: processor time"] = usage.rows()
            result[f"{tag}: memory"] = {"memory_kb": usage.peak_kb}
            for engine in bench.engines:
                forget(engine, name)
        usage = Usage()
        cases = [Case(engine.name, lambda engine=engine: update_once(engine, registry.host, usage))
                 for engine in bench.engines]
        result["one layer more than what is there"] = interleave(cases, ROUNDS, warmup=0,
                                                                 budget=BUDGET_S)
        for engine in bench.engines:
            for tag in ("twenty-gzip", "updated"):
                forget(engine, f"{registry.host}/{REPOSITORY}:{tag}")
    return result


def bare(bench, inside, urls):
    """All layers by one curl, one after the other on one connection, into nothing."""
    config = bench.directory / "curl.conf"
    config.write_text("".join(f'url = "{url}"\noutput = "/dev/null"\n' for url in urls),
                      encoding="utf-8")
    return spawn([*inside, "curl", "-sf", "--config", str(config)], os.environ,
                 str(bench.directory / "stderr"))


def slow_once(bench, engine, inside, name):
    forget(engine, name)
    return spawn([*inside, *engine.argv("pull", "--tls-verify=false", name)], os.environ,
                 str(bench.directory / "stderr"))


def slow(bench):
    """The daemon of docker cannot be put there."""
    result = {}
    with contextlib.ExitStack() as stack:
        near = Registry(bench.directory, free_host())
        stack.callback(near.close)
        fill(bench, near)
        link = stack.enter_context(Link(DELAY_S, BITS_PER_S))
        far = Registry(bench.directory, f"{link.ADDRESS_THERE}:5000", link.there)
        stack.callback(far.close)
        for tag in ("one-gzip", "twenty-gzip", "twenty-zstd"):
            name = f"{far.host}/{REPOSITORY}:{tag}"
            urls = [url.replace(near.host, far.host) for url in near.layer_urls(tag)]
            cases = [Case("bare transfer", lambda urls=urls: bare(bench, link.here, urls))]
            cases += [Case(engine.name, lambda engine=engine, name=name:
                           slow_once(bench, engine, link.here, name))
                      for engine in bench.engines if engine.name != "docker"]
            result[tag] = interleave(cases, ROUNDS, warmup=0, budget=BUDGET_S)
            for engine in bench.engines:
                forget(engine, name)
    return result
