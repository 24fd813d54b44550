# SPDX-License-Identifier: Apache-2.0
"""Networks, in a world of two network namespaces: a host, and a client on another machine.

The engines run once more in the host's namespace, with their own firewalls and bridges; the real
host's network is not touched.
"""

import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from harness.engines import Docker, Podman, Skiff, Unavailable, which
from harness.images import IMAGE, tool
from harness.timing import Case, CommandFailed, interleave, rest

HOST_ADDRESS, CLIENT_ADDRESS = "198.51.100.1", "198.51.100.2"  # RFC 5737: nobody's
SECONDS = 2
ROUNDS = 3
CONNECTIONS = 32
DNS_CLIENTS, DNS_RATE = 200, 20000
RANGE = "20000-29999"
THROUGHPUT_PORT, REQUEST_PORT = 5201, 8080
PUBLISHED = {"skiff": 0, "podman": 1000, "docker": 2000}  # added to the port on the host
NGINX = """user root; daemon off; worker_processes 1; pid /tmp/nginx.pid; error_log /tmp/errors;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; server { listen %d; location / {
default_type text/plain; return 200 "%s"; } } }
"""


class World:
    """The namespaces, the engines in one of them, and a root for this machine's own programs."""

    def __init__(self, bench):
        self.directory = Path(tempfile.mkdtemp(prefix="network-", dir=bench.directory))
        self.names = {side: f"bench-{os.getpid()}-{side}" for side in ("host", "client")}
        self.engines, self.unavailable = [], {}
        self._bench = bench

    def path(self, side):
        return f"/run/netns/{self.names[side]}"

    def __enter__(self):
        try:
            self._make_namespaces()
            self._make_root()
            self._open_engines()
        except BaseException:
            self.close()
            raise
        return self

    def _make_namespaces(self):
        host, client = self.names["host"], self.names["client"]
        for name in (host, client):
            tool("ip", "netns", "add", name)
            tool("ip", "-n", name, "link", "set", "lo", "up")
        tool("ip", "-n", host, "link", "add", "outside", "type", "veth", "peer", "name", "outside",
             "netns", client)
        for name, address in ((host, HOST_ADDRESS), (client, CLIENT_ADDRESS)):
            tool("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "outside")
            tool("ip", "-n", name, "link", "set", "outside", "up")
        tool("nsenter", f"--net={self.path('host')}", "sysctl", "-q", "-w",
             "net.ipv4.ip_forward=1")

    def _make_root(self):
        """What a container changes its root to, so that it runs this machine's iperf3 and nginx."""
        root = self.directory / "programs"
        for name in ("usr", "tmp", "dev", "var/log/nginx", "var/lib/nginx"):
            (root / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (root / name).symlink_to(f"usr/{name}")
        (root / "nginx.conf").write_text(NGINX % (REQUEST_PORT, "x" * 1024), encoding="ascii")
        self.volumes = ["-v", f"{root}:/programs", "-v", "/usr:/programs/usr:ro"]

    def _open_engines(self):
        bench, network = self._bench, self.path("host")
        for engine in bench.engines:
            try:
                if isinstance(engine, Skiff):
                    here = Skiff(self.directory, engine.program.parents[1], network)
                elif isinstance(engine, Podman):
                    here = Podman(self.directory, bench.hidden, network)
                else:
                    here = Docker(self.directory, network)
                self.engines.append(here)
                here.time("load", "-i", str(bench.busybox))
                here.time("network", "create", "bench")
            except (CommandFailed, Unavailable) as error:
                self.unavailable[engine.name] = str(error)
                self.engines = [one for one in self.engines if one.name != engine.name]

    def __exit__(self, *_):
        self.close()

    def close(self):
        for engine in self.engines:
            engine.close()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL, check=False)

    def from_side(self, side, *command):
        return tool("nsenter", f"--net={self.path(side)}", *command)

    def start(self, engine, name, *args):
        engine.time("run", "-d", "--name", name, "--network", "bench", *engine.run_options(),
                    *self.volumes, *args)

    def address(self, engine, name):
        networks = json.loads(engine.output("inspect", name))[0]["NetworkSettings"]["Networks"]
        return networks["bench"]["IPAddress"]


# ---- starting ----

def start_with_bridge(world, engine):
    return engine.time("run", "--rm", *engine.run_options(), IMAGE, "true")


def bridge(bench):
    """`run --rm` with the default network; ours with `none` beside it."""
    with World(bench) as world:
        cases = [Case(engine.name, lambda engine=engine: start_with_bridge(world, engine))
                 for engine in world.engines]
        cases += [Case("none, skiff", engine.time_run) for engine in world.engines
                  if engine.name == "skiff"]
        return interleave(cases, bench.rounds, budget=bench.budget)


def monitor_of(engine, name):
    status = Path(f"/proc/{engine.pid(name)}/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:")))


def private_kb(pid):
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


def time_ports(world, engine, kilobytes, *options):
    """Seconds of a start with these ports; what the process behind it keeps is noted."""
    seconds = engine.time("run", "-d", "--name", "ports", *options, IMAGE, "sleep", "100000")
    kilobytes.append(private_kb(monitor_of(engine, "ports")))
    engine.remove("ports")
    return seconds


def ports(bench):
    """skiff only: what a range of 10,000 published ports costs a start, and keeps."""
    plain, ranged = [], []
    with World(bench) as world:
        engine = next(one for one in world.engines if one.name == "skiff")
        cases = [Case("skiff, no ports", lambda: time_ports(world, engine, plain)),
                 Case("10,000 ports", lambda: time_ports(world, engine, ranged, "-p",
                                                         f"{RANGE}:{RANGE}"))]
        result = {"starts": interleave(cases, 10)}
    result["kept"] = {"no ports": statistics.median(plain), "10,000": statistics.median(ranged)}
    return result


# ---- traffic ----

class Paths:
    """A server of one engine, and the ways to it."""

    def __init__(self, world, engine):
        self.world, self.engine = world, engine
        self.shift = PUBLISHED[engine.name]
        published = [part for port in (THROUGHPUT_PORT, REQUEST_PORT)
                     for part in ("-p", f"{port + self.shift}:{port}")]
        world.start(engine, "server", *published, IMAGE, "sh", "-c",
                    "chroot /programs /usr/sbin/nginx -e /tmp/errors -c /nginx.conf & "
                    "exec chroot /programs /usr/bin/iperf3 -s")
        world.start(engine, "other", IMAGE, "sleep", "100000")
        self.address = world.address(engine, "server")

    def inside(self, *command):
        return self.engine.output("exec", "other", "chroot", "/programs", *command)

    def ways(self):
        """name: (runs a command there, address, what is added to the port)"""
        host = lambda *command: self.world.from_side("host", *command)
        client = lambda *command: self.world.from_side("client", *command)
        return {"host to container": (host, self.address, 0),
                "container to container": (self.inside, self.address, 0),
                "published, from outside": (client, HOST_ADDRESS, self.shift),
                "published, from the host by 127.0.0.1": (host, "127.0.0.1", self.shift)}

    def throughput(self, way):
        command, address, shift = way
        said = command("/usr/bin/iperf3", "-J", "-t", SECONDS, "-c", address, "-p",
                       str(THROUGHPUT_PORT + shift))
        return json.loads(said)["end"]["sum_received"]["bits_per_second"] / 1e9

    def requests(self, way):
        command, address, shift = way
        said = command("/usr/bin/wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s",
                       f"http://{address}:{REQUEST_PORT + shift}/")
        return float(next(line.split()[1] for line in said.splitlines()
                          if line.startswith("Requests/sec:")))


def traffic(bench):
    """Gbit/s by iperf3 and requests a second by wrk against nginx; peers in turn."""
    for program in ("iperf3", "wrk", "nginx"):
        which(program)
    samples, reasons = {}, {}
    with World(bench) as world:
        reasons.update(world.unavailable)
        servers = []
        for engine in world.engines:
            try:
                servers.append(Paths(world, engine))
            except CommandFailed as error:
                reasons[engine.name] = str(error)
        for _ in range(ROUNDS):
            for name in servers[0].ways():
                for what in ("throughput", "requests"):
                    for server in servers:
                        rest()
                        way = server.ways()[name]
                        row = samples.setdefault(what, {}).setdefault(name, {})
                        row.setdefault(server.engine.name, []).append(getattr(server, what)(way))
    return {"medians": {what: {name: {engine: statistics.median(values)
                                      for engine, values in row.items()}
                               for name, row in rows.items()}
                        for what, rows in samples.items()}, "reasons": reasons}


# ---- names ----

def ask(engine, *options):
    return json.loads(engine.output("exec", "other", "/dns_load", "--clients", str(DNS_CLIENTS),
                                    "--seconds", str(SECONDS), *options, "server"))


def dns(bench):
    """What the resolver of one container answers to 200 clients in it."""
    program = Path(bench.floor_program).parent / "dns_load"
    rows, reasons = {}, {}
    with World(bench) as world:
        reasons.update(world.unavailable)
        for engine in world.engines:
            try:
                world.start(engine, "server", IMAGE, "sleep", "100000")
                world.start(engine, "other", "-v", f"{program}:/dns_load:ro", IMAGE, "sleep",
                            "100000")
                row = {}
                for label, options in ((f"{DNS_RATE:,} a second", ["--rate", str(DNS_RATE)]),
                                       ("as fast as it goes", [])):
                    before = private_kb(monitor_of(engine, "other"))
                    taken = []
                    for _ in range(ROUNDS):
                        rest()
                        taken.append(ask(engine, *options))
                    row[label] = {key: statistics.median(one[key] for one in taken)
                                  for key in taken[0]}
                    row[label]["grown_kb"] = private_kb(monitor_of(engine, "other")) - before
                rows[engine.name] = row
            except CommandFailed as error:
                reasons[engine.name] = str(error)
    return {"rows": rows, "reasons": reasons}
