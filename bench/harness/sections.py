# SPDX-License-Identifier: Apache-2.0
"""What is measured. Each section takes a Bench and returns plain data for the report."""

import json
import os
import re
import statistics
import subprocess
import time
from pathlib import Path

from harness import network, transfer
from harness.images import IMAGE, LARGE, tool
from harness.timing import Case, CommandFailed, in_parallel, interleave, summary

CHILD_PREFIX = "child_"


def failure(error):
    return {"reason": str(error)}


def floor_phases(bench):
    """Medians of the time between neighbouring points of the floor, in microseconds."""
    rows = json.loads(bench.floor.phases(bench.rounds))
    sides = {"parent": [], "child": []}
    for point in rows[0]:
        sides["child" if point.startswith(CHILD_PREFIX) else "parent"].append(point)
    result = {"total": statistics.median(row["removed"] for row in rows)}
    for side, points in sides.items():
        points.sort(key=lambda point: statistics.median(row[point] for row in rows))
        steps, before = [], None
        for point in points:
            if before or side == "parent":
                took = statistics.median(row[point] - (row[before] if before else 0.0)
                                         for row in rows)
                steps.append([point.removeprefix(CHILD_PREFIX), took])
            before = point
        result[side] = steps
    return result


def run(bench):
    cases = [Case(peer.name, peer.time_run) for peer in bench.runners]
    return interleave(cases, bench.rounds, budget=bench.budget)


def exec_in(bench):
    """`exec C true` into a container that sleeps."""
    cases, started = [], []
    for engine in bench.engines + bench.runtimes:
        try:
            name = f"bench-exec-{os.getpid()}"
            engine.start_sleeper(name)
            started.append((engine, name))
        except CommandFailed as error:
            cases.append(Case(engine.name, None))
            cases[-1].reason = str(error)
            continue
        cases.append(Case(engine.name.replace(" run", " exec"),
                          lambda engine=engine, name=name: engine.time("exec", name, "true")))
    result = interleave(cases, bench.rounds, budget=bench.budget)
    for engine, name in started:
        engine.remove(name)
    return result


def ps_times(bench, engines, *args):
    cases = [Case(engine.name, lambda engine=engine: engine.time("ps", *args))
             for engine in engines]
    return interleave(cases, bench.rounds, budget=bench.budget)


def ps(bench):
    """With one running container, and with 1,000 created ones (`ps -a`)."""
    result = {}
    for engine in bench.engines:
        engine.start_sleeper("bench-ps")
    result["1 running"] = ps_times(bench, bench.engines)
    for engine in bench.engines:
        engine.remove("bench-ps")
    many = bench.engines if not bench.quick else bench.only_skiff()
    for engine in many:
        in_parallel(Creator(engine), 4, bench.many)
    result[f"{bench.many} created, ps -a"] = ps_times(bench, many, "-a")
    for engine in many:
        names = [f"bench-many-{index}" for index in range(bench.many)]
        start = time.perf_counter()
        engine.remove(*names)
        result.setdefault("removal of them, s", {})[engine.name] = time.perf_counter() - start
    return result


class Creator:
    """Creates bench-many-0, bench-many-1, …; safe for several threads."""

    def __init__(self, engine):
        self.engine = engine
        self.numbers = iter(range(1 << 30))

    def __call__(self):
        start = time.perf_counter()
        self.engine.create(f"bench-many-{next(self.numbers)}")
        return time.perf_counter() - start


def parallel(bench):
    """Whole runs, 1, 4, 8 and 16 at a time."""
    result = {}
    for peer in bench.runners:
        if peer.name in ("process", "bwrap", "docker", "podman") and bench.quick:
            continue
        slow = peer.name in ("podman", "docker")
        if peer.name in ("process", "floor"):
            continue
        rows = {}
        for workers in (1, 4, 8, 16):
            total = max(workers * 2, bench.parallel_total // (8 if slow else 1))
            try:
                rows[str(workers)] = in_parallel(peer.time_run, workers, total)
            except CommandFailed as error:
                rows = failure(error)
                break
        result[peer.name] = rows
    return result


# ---- memory ----

CALM_S = 2.5  # an idle container is one in which nothing has happened for a while

def rollup(pid):
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    fields = {key: int(value) for key, value in re.findall(r"^(\w+): +(\d+) kB$", text, re.M)}
    return {"private_kb": fields["Private_Clean"] + fields["Private_Dirty"],
            "pss_kb": fields["Pss"]}


def parent_of(pid):
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    return int(re.search(r"^PPid:\t(\d+)$", text, re.M).group(1))


def command_of(pid):
    return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()


def memory(bench):
    """The process behind an idle container: the parent of its first process."""
    result = {}
    for engine in bench.engines:
        names = [f"bench-memory-{index}" for index in range(bench.sleepers)]
        for name in names:
            engine.start_sleeper(name)
        monitors = [parent_of(engine.pid(name)) for name in names]
        time.sleep(CALM_S)
        rows = [rollup(pid) for pid in monitors]
        result[engine.name] = {
            "monitor": command_of(monitors[0]),
            "private_kb": statistics.median(row["private_kb"] for row in rows),
            "pss_kb": statistics.median(row["pss_kb"] for row in rows),
            "beside_kb": resident_beside(engine, monitors),
        }
        engine.remove(*names)
    return result


def resident_beside(engine, monitors):
    """Private memory of what else the engine keeps running: a daemon and its children."""
    daemon = getattr(engine, "daemon", None)
    if daemon is None:
        return 0
    total = rollup(daemon.pid)["private_kb"]
    children = Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children")
    for pid in children.read_text(encoding="ascii").split():
        if int(pid) not in monitors:
            total += rollup(pid)["private_kb"]
    return total


# ---- many at once ----

def thousand(bench):
    """skiff only: start, list, stop and remove many running containers."""
    result = {}
    for engine in bench.only_skiff():
        names = [f"bench-run-{index}" for index in range(bench.many)]
        left = iter(names)

        def start_next():
            start = time.perf_counter()
            engine.start_sleeper(next(left))
            return time.perf_counter() - start

        started = in_parallel(start_next, 4, bench.many)
        rows = {"containers": bench.many,
                "start each (4 at a time), ms": started["median"],
                "start all, s": bench.many / started["per_second"],
                "ps, ms": summary([engine.time("ps") for _ in range(5)])["median"]}
        start = time.perf_counter()
        engine.time("stop", "-t", "0", *names)
        rows["stop all, s"] = time.perf_counter() - start
        start = time.perf_counter()
        engine.time("rm", *names)
        rows["rm all, s"] = time.perf_counter() - start
        rows["left in ps -a"] = len(engine.output("ps", "-aq").split())
        result[engine.name] = rows
    return result


# ---- load ----

LOAD_BUDGET_S = 40

def drop_caches():
    """Whether the kernel let us: cold figures need it."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3\n", encoding="ascii")
    except OSError:
        return False
    return True


def load_once(engine, archive, usage, cold):
    """Forgets the image of the time before, then takes the time of loading it again."""
    transfer.forget(engine, LARGE)
    if cold and not drop_caches():
        raise CommandFailed("the kernel does not let us drop caches")
    return transfer.measured(engine, usage, "load", "-i", str(archive))


def skopeo_umoci(bench, archive):
    """docker-archive to an OCI layout by skopeo, then to a directory by umoci."""
    oci, bundle = bench.directory / "skopeo-oci", bench.directory / "umoci-bundle"
    for path in (oci, bundle):
        tool("rm", "-rf", path)
    os.sync()
    start = time.perf_counter()
    tool("skopeo", "copy", "-q", f"docker-archive:{archive}", f"oci:{oci}:large")
    tool("umoci", "unpack", "--image", f"{oci}:large", bundle)
    seconds = time.perf_counter() - start
    for path in (oci, bundle):
        tool("rm", "-rf", path)
    return seconds


def timed(*command, **options):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdin=options.pop("stdin", subprocess.DEVNULL),
                   stdout=subprocess.DEVNULL, **options)
    return time.perf_counter() - start


def limits(bench, layer_tar, layers):
    """What bounds any loader: inflating in one process, hashing, and tar(1) writing the files."""
    target = bench.directory / "untar"

    def untar():
        tool("rm", "-rf", target)
        target.mkdir()
        os.sync()
        return timed("tar", "-xf", layer_tar, "-C", target)

    cases = [
        Case("gzip -dc", lambda: timed("gzip", "-dc", stdin=open(layers["gzip"], "rb"))),
        Case("zstd -dc", lambda: timed("zstd", "-dcq", stdin=open(layers["zstd"], "rb"))),
        Case("sha256sum of the tar", lambda: timed("sha256sum", layer_tar)),
        Case("tar -x of the plain layer", untar),
    ]
    result = interleave(cases, 3, warmup=1)
    tool("rm", "-rf", target)
    return result


def load(bench):
    """One layer unless it says otherwise, gzip for the made-up files.

    Warm: the archive is in the page cache, it was just written. Cold, and skopeo with umoci, which
    is slow: gzip only.
    """
    layer_tar, archives, layers = bench.large_archives()
    result = {"limits": limits(bench, layer_tar, layers)}
    for compression, archive in archives.items():
        usage = transfer.Usage()
        cases = [Case(engine.name, lambda engine=engine, archive=archive, usage=usage:
                      load_once(engine, archive, usage, cold=False)) for engine in bench.engines]
        rounds = 2
        if compression == "gzip":
            rounds = bench.load_rounds
            cases.append(Case("skopeo + umoci",
                              lambda archive=archive: skopeo_umoci(bench, archive)))
        result[f"{compression}, warm"] = interleave(cases, rounds, warmup=0, budget=LOAD_BUDGET_S)
        result[f"{compression}: processor time"] = usage.rows()
        result[f"{compression}: memory"] = {"memory_kb": usage.peak_kb}
    cold = transfer.Usage()
    cases = [Case(engine.name,
                  lambda engine=engine: load_once(engine, archives["gzip"], cold, cold=True))
             for engine in bench.engines]
    result["gzip, cold"] = interleave(cases, 2, warmup=0, budget=LOAD_BUDGET_S)
    for engine in bench.engines:
        engine.time("rmi", LARGE)
    return result


SECTIONS = {
    "floor": floor_phases,
    "run": run,
    "exec": exec_in,
    "ps": ps,
    "parallel": parallel,
    "memory": memory,
    "thousand": thousand,
    "load": load,
    "pull": transfer.pull,
    "slow": transfer.slow,
    "bridge": network.bridge,
    "ports": network.ports,
    "traffic": network.traffic,
    "dns": network.dns,
}
QUICK = ("floor", "run", "exec", "ps", "parallel", "memory")
assert IMAGE != LARGE
