# SPDX-License-Identifier: Apache-2.0
"""The program under test, with a store of its own."""

import json
import os
import subprocess
from dataclasses import dataclass

import pexpect

from helpers import processes
from helpers.waiting import wait_until

TIMEOUT = 120  # generous: two cores, sanitizers, other tests beside


@dataclass
class Result:
    stdout: str
    stderr: str
    code: int

    def __str__(self):
        return f"exit code {self.code}\nstdout: {self.stdout!r}\nstderr: {self.stderr!r}"


class Skiff:
    """`skiff --root R --state S`, one store per test.

    run() waits for the end, popen() does not, spawn() gives it a terminal.
    """

    def __init__(self, program, directory, environment):
        self.program = program
        self.directory = directory
        self.root = directory / "root"
        self.state = directory / "state"
        self.environment = environment
        self._started = []

    def command(self, *args):
        return [str(self.program), "--root", str(self.root), "--state", str(self.state),
                *map(str, args)]

    def run(self, *args, input=None, timeout=TIMEOUT, check=True, env=None, cwd=None, text=True,
            stdin=None, **popen_options):
        """Runs a command. `input` is text or bytes for its standard input (none: /dev/null).

        check=True asserts success; text=False leaves the output as bytes.
        """
        if isinstance(input, str):
            input = input.encode()
        if input is None and stdin is None:
            stdin = subprocess.DEVNULL
        done = subprocess.run(
            self.command(*args), input=input, stdin=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=timeout, check=False, cwd=cwd,
            env={**self.environment, **(env or {})}, **popen_options)
        out, err = done.stdout, done.stderr
        if text:
            out, err = out.decode(errors="replace"), err.decode(errors="replace")
        result = Result(out, err, done.returncode)
        if check:
            assert result.code == 0, f"skiff {' '.join(map(str, args))}: {result}"
        return result

    def fails(self, *args, code=None, **options):
        """run() of something that must fail: with this code, nothing on stdout, one clear line."""
        result = self.run(*args, check=False, **options)
        if code is None:
            assert result.code != 0, f"skiff {' '.join(map(str, args))}: {result}"
        else:
            assert result.code == code, f"skiff {' '.join(map(str, args))}: {result}"
        return result

    def popen(self, *args, env=None, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
              stderr=subprocess.PIPE, **options):
        """Starts a command and returns the Popen object; it is killed when the test ends."""
        process = subprocess.Popen(self.command(*args), stdin=stdin, stdout=stdout, stderr=stderr,
                                   env={**self.environment, **(env or {})}, **options)
        self._started.append(process)
        return process

    def spawn(self, *args, rows=24, columns=80, timeout=60, env=None):
        """Starts a command on a terminal of this size; a pexpect object."""
        command = self.command(*args)
        child = pexpect.spawn(command[0], command[1:], dimensions=(rows, columns), timeout=timeout,
                              encoding="utf-8", codec_errors="replace",
                              env={**self.environment, "TERM": "xterm", **(env or {})})
        child.delaybeforesend = None
        self._started.append(child)
        return child

    # ---- images ----

    def load(self, archive):
        return self.run("load", "-i", archive)

    # ---- containers ----

    def start(self, *args, image="busybox", command=("sleep", "1000")):
        """`run -d ARGS IMAGE COMMAND`; the container's id."""
        return self.run("run", "-d", *args, image, *command).stdout.strip()

    def containers(self):
        """Full ids of all containers, running or not."""
        return self.run("ps", "-a", "-q", "--no-trunc").stdout.split()

    def inspect(self, selector):
        return json.loads(self.run("inspect", selector).stdout)[0]

    def pid(self, selector):
        """The container's first process, as the host sees it."""
        return self.inspect(selector)["State"]["Pid"]

    def status(self, selector):
        return self.inspect(selector)["State"]["Status"]

    def full_id(self, selector):
        return self.inspect(selector)["Id"]

    def monitor_pid(self, selector):
        """The process behind the container: the parent of its first process."""
        return processes.parent(self.pid(selector))

    def wait_for_output(self, selector, text, deadline=60):
        """Waits until the container's log holds the text."""
        def logged():
            result = self.run("logs", selector)
            return text in result.stdout + result.stderr
        wait_until(logged, deadline, what=f"no {text!r} in the log of {selector}")

    # ---- the end of a test ----

    def close(self):
        """Ends what the test left running of ours in the foreground."""
        for process in self._started:
            if isinstance(process, subprocess.Popen):
                if process.poll() is None:
                    process.kill()
                process.communicate()
            else:
                process.close(force=True)

    def remove_all(self):
        """`rm -f` of everything; says whether it worked the first time."""
        if not (self.root / "skiff.db").exists():
            return
        ids = self.containers()
        if ids:
            self.run("rm", "-f", "-v", *ids)

    def leftovers(self):
        """Files below root and state that should not be there when no container exists."""
        found = []
        for base, directories in ((self.root, ("containers", "staging")),
                                  (self.state, ("containers",))):
            for directory in directories:
                path = base / directory
                if path.is_dir():
                    found += [str(path / name) for name in os.listdir(path)]
        return sorted(found)
