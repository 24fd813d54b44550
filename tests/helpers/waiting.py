# SPDX-License-Identifier: Apache-2.0
"""Waiting for something to become true, with a deadline: the only loop of its kind in the tests."""

import threading
import time

POLL_SECONDS = 0.01


def wait_until(condition, deadline=60.0, what=None):
    """Calls condition() until it returns something true, and returns that.

    `what` says in the failure what was waited for: a text, or a function that makes one.
    """
    end = time.monotonic() + deadline
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            text = what() if callable(what) else what
            raise AssertionError(f"after {deadline:g} s: {text or condition}")
        pause.wait(POLL_SECONDS)
