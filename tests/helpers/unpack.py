# SPDX-License-Identifier: Apache-2.0
"""skiff-unpack, driven as the engine drives it: src/unpack/protocol.h is the manual."""

import fcntl
import json
import os
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

RESULT, INPUT, OUTPUT, EXTRA = 3, 4, 5, 6


@dataclass
class Answer:
    code: int
    value: dict
    progress: list = field(default_factory=list)

    @property
    def error(self):
        assert self.code == 1 and "error" in self.value, f"should have failed: {self}"
        return self.value["error"]


def spawn(program, arguments, descriptors):
    """fork and exec with `descriptors` (number -> descriptor) in place."""
    pid = os.fork()
    if pid == 0:
        try:
            null = os.open("/dev/null", os.O_RDWR)
            moved = {number: fcntl.fcntl(fd, fcntl.F_DUPFD, 20)
                     for number, fd in {**descriptors, 0: null, 1: null, 2: 2}.items()}
            for number, fd in moved.items():
                os.dup2(fd, number)
            os.execv(program, ["skiff-unpack", *arguments])
        finally:
            os._exit(127)
    return pid


def feed(fd, data):
    try:
        with os.fdopen(fd, "wb", buffering=0) as pipe:
            view = memoryview(data)
            while view:
                view = view[pipe.write(view):]
    except BrokenPipeError:
        pass


class Unpack:
    """`directory` is the layer; its parent holds canaries that must stay as they are."""

    def __init__(self, program, base):
        self.program = str(program)
        self.base = base
        self.directory = base / "layer"
        self.extra = base / "extra"
        self.directory.mkdir(mode=0o700)
        self.canary = base / "canary"
        self.canary.write_text("canary")
        self.ignored = {"extra"}
        self.before = self.state()

    def state(self):
        """Everything beside the layer."""
        canary = os.stat(self.canary)
        return (sorted(set(os.listdir(self.base)) - self.ignored), self.canary.read_text(),
                canary.st_ino, canary.st_nlink, canary.st_mtime_ns, canary.st_uid,
                sorted(os.listdir("/")))

    def beside(self, name):
        """A path beside the layer that the test may use."""
        self.ignored.add(name)
        return self.base / name

    def run(self, job, data, *options, pipe=False, extra=None, output=None):
        """`data`: bytes or the path of a file. Always checks the canaries."""
        descriptors = {OUTPUT: os.open(output or self.directory, os.O_RDONLY | os.O_DIRECTORY)}
        writer = None
        if pipe:
            descriptors[INPUT], feeding = os.pipe()
            writer = threading.Thread(target=feed, args=(feeding, data))
        elif isinstance(data, bytes):
            descriptors[INPUT] = os.memfd_create("input")
            with os.fdopen(os.dup(descriptors[INPUT]), "wb") as file:
                file.write(data)
            os.lseek(descriptors[INPUT], 0, os.SEEK_SET)
        else:
            descriptors[INPUT] = os.open(data, os.O_RDONLY)
        if extra or "--blob" in options or "--spool" in options:
            descriptors[EXTRA] = os.open(extra or self.extra,
                                         os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        reading, descriptors[RESULT] = os.pipe()
        pid = spawn(self.program, [job, *options], descriptors)
        for fd in descriptors.values():
            os.close(fd)
        if writer:
            writer.start()
        with os.fdopen(reading, "rb") as file:
            lines = file.read().splitlines()
        _, status = os.waitpid(pid, 0)
        if writer:
            writer.join()
        assert self.state() == self.before, "something beside the layer was touched"
        code = os.waitstatus_to_exitcode(status)
        assert lines, f"no answer, exit code {code}"
        values = [json.loads(line) for line in lines]
        return Answer(code, values[-1], values[:-1])

    def layer(self, data, *options, **more):
        """Must succeed; what is said about the layer."""
        answer = self.run("layer", data, *options, **more)
        assert answer.code == 0, answer
        return answer.value["layer"]

    def layer_fails(self, data, *options, kind="invalid", message="", **more):
        error = self.run("layer", data, *options, **more).error
        assert error["kind"] == kind and message in error["message"], error
        assert "\n" not in error["message"] and error["errno"] > 0, error
        return error

    def index(self, data, *options, **more):
        answer = self.run("index", data, *options, **more)
        assert answer.code == 0, answer
        return answer.value["index"]

    def index_fails(self, data, *options, kind="invalid", message="", **more):
        error = self.run("index", data, *options, **more).error
        assert error["kind"] == kind and message in error["message"], error
        return error

    def names(self):
        """Every path in the layer."""
        found = []
        for base, directories, files in os.walk(self.directory):
            found += [os.path.relpath(os.path.join(base, name), self.directory)
                      for name in directories + files]
        return sorted(found)


@pytest.fixture
def unpack(prefix, session_directory):
    base = Path(tempfile.mkdtemp(prefix="unpack-", dir=session_directory))
    yield Unpack(prefix / "libexec" / "skiff" / "skiff-unpack", base)
    # Not shutil: it recurses, and some of these trees are deep.
    subprocess.run(["rm", "-rf", "--", base], check=True)
