# SPDX-License-Identifier: MIT
"""Everything that the demonstration starts, and all that this starts in its turn."""

import ctypes
import os

from nagios import kill_children
from servers import wait_until

_PR_SET_CHILD_SUBREAPER = 36


class Descendants:
    """From its creation on no process that descends from this program outlives close().

    Python does not wait for a program that it has killed because of Ctrl-C, does not know one whose
    start was interrupted, and never knows what a program leaves running. The kernel does.
    """

    def __init__(self):
        # An orphan becomes a child of this program instead of the machine's first one.
        arguments = map(ctypes.c_ulong, (1, 0, 0, 0))
        if ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, *arguments) != 0:
            raise OSError("prctl(PR_SET_CHILD_SUBREAPER) failed")

    def close(self, timeout=20.0):
        """Kill all and wait for their end; TimeoutError when one is still there after `timeout` s."""
        wait_until(_are_gone, timeout, "all that was started to end")


def _are_gone():
    kill_children()
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return True  # Who has no child has no other descendant either.
    return False
