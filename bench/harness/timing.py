# SPDX-License-Identifier: Apache-2.0
"""Starting a command and taking its time, with as little of Python in between as possible."""

import concurrent.futures
import ctypes
import os
import statistics
import threading
import time

CLONE_FS = 0x00000200
CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
MNT_DETACH = 2
MS_REC_PRIVATE = 0x4000 | 0x40000


class CommandFailed(Exception):
    pass


def percentile(values, fraction):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * fraction))]


def summary(seconds):
    """What the report needs to know of a list of durations, in milliseconds."""
    ms = [one * 1000.0 for one in seconds]
    return {"n": len(ms), "median": statistics.median(ms), "p10": percentile(ms, 0.10),
            "p99": percentile(ms, 0.99), "min": min(ms)}


def spawn(argv, env, log_path, stdout_path="/dev/null", usage=None):
    """Runs a command to its end; returns seconds. Its standard error is kept for the message.

    `usage` is a list that gets the rusage of the command and of all that it waited for.
    """
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, stdout_path, write, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, log_path, write, 0o600),
    ]
    start = time.perf_counter()
    pid = os.posix_spawnp(argv[0], argv, env, file_actions=actions)
    _, status, used = os.wait4(pid, 0)
    seconds = time.perf_counter() - start
    if usage is not None:
        usage.append(used)
    if status != 0:
        with open(log_path, encoding="utf-8", errors="replace") as log:
            raise CommandFailed(f"{' '.join(argv)}: exit code {os.waitstatus_to_exitcode(status)}:"
                                f" {log.read().strip()[-400:]}")
    return seconds


class Spawner:
    """Runs commands in this process's own view of the host. Safe for several threads."""

    def __init__(self, directory):
        self._directory = directory

    def _path(self, name):
        return os.path.join(self._directory, f"{name}-{threading.get_ident()}")

    def time(self, argv, usage=None):
        return spawn(argv, os.environ, self._path("stderr"), usage=usage)

    def output(self, argv):
        path = self._path("stdout")
        spawn(argv, os.environ, self._path("stderr"), path)
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()

    def close(self):
        pass


class PrivateSpawner(Spawner):
    """Runs commands in a mount namespace of their own, where `hidden` is unmounted.

    With `network`, the path of a network namespace, they run in that, too.

    crun refuses a host whose otherwise empty cgroup v2 hierarchy offers a controller; without that
    mount it runs. The host's own mounts stay as they are. The namespace belongs to a pool of
    threads, and lasts as long as they (and what they started).
    """

    def __init__(self, directory, hidden, threads=16, network=None):
        super().__init__(directory)
        self._network = network
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._hidden = hidden
        self._lock = threading.Lock()
        self._namespace = None
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, initializer=self._enter)

    def _check(self, result):
        if result:
            raise OSError(ctypes.get_errno(), "private mount namespace")

    def _enter(self):
        with self._lock:
            if self._network:
                with open(self._network, "rb") as file:
                    self._check(self._libc.setns(file.fileno(), CLONE_NEWNET))
            if self._namespace is not None:
                self._check(self._libc.unshare(CLONE_FS))
                self._check(self._libc.setns(self._namespace, CLONE_NEWNS))
                return
            self._check(self._libc.unshare(CLONE_NEWNS))
            self._check(self._libc.mount(None, b"/", None, MS_REC_PRIVATE, None))
            for path in self._hidden:
                self._check(self._libc.umount2(path.encode(), MNT_DETACH))
            self._namespace = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)

    def time(self, argv, usage=None):
        return self._pool.submit(super().time, argv, usage).result()

    def output(self, argv):
        return self._pool.submit(super().output, argv).result()

    def close(self):
        self._pool.shutdown()
        if self._namespace is not None:
            os.close(self._namespace)


SETTLE_S = 0.04
IDLE_SHARE = 0.9
IDLE_DEADLINE_S = 1.0


def cpu_times():
    """Ticks that were idle, and all of them."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(one) for one in file.readline().split()[1:]]
    return ticks[3], sum(ticks)


def rest():
    """A pause in which the kernel finishes what the last sample left, and until nobody else works.

    On a machine that is never idle the samples are taken all the same, after a deadline.
    """
    time.sleep(SETTLE_S)
    deadline = time.monotonic() + IDLE_DEADLINE_S
    while time.monotonic() < deadline:
        idle, total = cpu_times()
        time.sleep(0.05)
        idle_after, total_after = cpu_times()
        if idle_after - idle >= IDLE_SHARE * (total_after - total):
            return


class Case:
    """One thing to measure: its name, the function that does it once and returns seconds."""

    def __init__(self, name, once):
        self.name = name
        self.once = once
        self.seconds = []
        self.reason = None  # why there are no figures


def interleave(cases, rounds, warmup=2, budget=None):
    """A B C A B C …, each after a rest.

    A case that fails is reported and left out. With a budget (seconds), the slow ones stop
    early, but not before three samples.
    """
    spent = {id(case): 0.0 for case in cases}
    for index in range(-warmup, rounds):
        for case in cases:
            tired = budget and spent[id(case)] > budget and len(case.seconds) >= 3
            if case.reason or tired:
                continue
            rest()
            try:
                seconds = case.once()
            except (CommandFailed, OSError) as error:
                case.reason = str(error)
                continue
            spent[id(case)] += seconds
            if index >= 0:
                case.seconds.append(seconds)
    return {case.name: ({"reason": case.reason} if case.reason else summary(case.seconds))
            for case in cases}


def in_parallel(once, workers, total):
    """`total` calls by `workers` at a time; seconds of each and of all."""
    lock, seconds, failures = threading.Lock(), [], []
    left = [total]

    def work():
        while not failures:
            with lock:
                if left[0] == 0:
                    return
                left[0] -= 1
            try:
                one = once()
            except (CommandFailed, OSError) as error:
                failures.append(error)
                return
            with lock:
                seconds.append(one)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - start
    if failures:
        raise CommandFailed(str(failures[0]))
    result = summary(seconds)
    result["per_second"] = total / elapsed
    # Little's law: with this throughput, `workers` in flight wait this long on average.
    result["queueing_bound"] = workers / result["per_second"] * 1000.0
    return result
