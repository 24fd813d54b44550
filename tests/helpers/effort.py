# SPDX-License-Identifier: Apache-2.0
"""How long tests try that could try for ever: SKIFF_TEST_LONG=1 is the long lane, `make check-long`."""

import os

LONG = os.environ.get("SKIFF_TEST_LONG", "") not in ("", "0")


def effort(check, long):
    """So many in a check, so many in the long lane."""
    return long if LONG else check
