# SPDX-License-Identifier: Apache-2.0
"""A link between two network namespaces, as slow and as long as one likes.

    with Link(delay_s=0.02, bits_per_s=200e6) as link:
        run([*link.here, "curl", f"http://{link.ADDRESS_THERE}/"])

What `tc … netem` would do, also on kernels without it: a process moves packets between two tun
devices and lets each wait. Packets are those of an ordinary link (MTU 1500), so connections start
slowly and fill their windows as they do anywhere.
"""

import collections
import ctypes
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import time

from harness.images import tool

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000
CLONE_NEWNET = 0x40000000
MTU = 1500
QUEUE_BYTES = 16 << 20
DEVICE = b"link0"


def open_tun(namespace):
    """A tun device in that namespace; this process stays there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}", "rb") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", DEVICE, IFF_TUN | IFF_NO_PI))
    return fd


class Direction:
    """Packets on their way from one device to the other."""

    def __init__(self, source, target, delay_s, bits_per_s):
        self.source, self.target = source, target
        self.delay_s, self.seconds_per_byte = delay_s, 8.0 / bits_per_s
        self.free_at = 0.0  # when the wire has sent all that came before
        self.queue, self.queued = collections.deque(), 0

    def take(self):
        """A packet that finds the queue full is lost, as everywhere."""
        try:
            while True:
                packet = os.read(self.source, MTU + 100)
                if self.queued + len(packet) > QUEUE_BYTES:
                    continue
                start = max(self.free_at, time.monotonic())
                self.free_at = start + len(packet) * self.seconds_per_byte
                self.queue.append((self.free_at + self.delay_s, packet))
                self.queued += len(packet)
        except BlockingIOError:
            pass

    def give(self):
        now = time.monotonic()
        while self.queue and self.queue[0][0] <= now:
            packet = self.queue.popleft()[1]
            self.queued -= len(packet)
            try:
                os.write(self.target, packet)
            except OSError:
                pass  # the device is down, or full: lost
        return self.queue[0][0] - now if self.queue else None


def move(one, other, delay_s, bits_per_s):
    """Until killed."""
    directions = [Direction(one, other, delay_s, bits_per_s),
                  Direction(other, one, delay_s, bits_per_s)]
    while True:
        waits = [wait for wait in (way.give() for way in directions) if wait is not None]
        select.select([one, other], [], [], min(waits) if waits else None)
        for way in directions:
            way.take()


class Link:
    ADDRESS_HERE, ADDRESS_THERE = "192.0.2.1", "192.0.2.2"  # RFC 5737: nobody's

    def __init__(self, delay_s, bits_per_s):
        self.delay_s, self.bits_per_s = delay_s, bits_per_s
        self.names = [f"bench-{os.getpid()}-{side}" for side in ("here", "there")]
        self.here, self.there = (("ip", "netns", "exec", name) for name in self.names)
        self.mover = None

    def __enter__(self):
        try:
            for name in self.names:
                tool("ip", "netns", "add", name)
            ready, writing = os.pipe()
            self.mover = os.fork()
            if self.mover == 0:
                self._run(writing)
            os.close(writing)
            with os.fdopen(ready, "rb") as file:
                if file.read() != b"ready":
                    raise OSError("the link cannot be made: no tun device?")
            for name, address in zip(self.names, (self.ADDRESS_HERE, self.ADDRESS_THERE)):
                tool("ip", "-n", name, "link", "set", "lo", "up")
                tool("ip", "-n", name, "addr", "add", f"{address}/24", "dev", DEVICE.decode())
                tool("ip", "-n", name, "link", "set", DEVICE.decode(), "up", "mtu", MTU,
                     "txqueuelen", 10000)
        except BaseException:
            self.close()
            raise
        return self

    def _run(self, writing):
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            devices = [open_tun(name) for name in self.names]
            os.write(writing, b"ready")
            os.close(writing)
            move(*devices, self.delay_s, self.bits_per_s)
        except BaseException as error:
            print(f"bench: link: {error}", file=sys.stderr)
        finally:
            os._exit(1)

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.mover:
            os.kill(self.mover, signal.SIGKILL)
            os.waitpid(self.mover, 0)
            self.mover = None
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)
