#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An automounter of one directory: mounts a tmpfs on it when a process uses it.

    automounter.py MOUNT_POINT LOG

Speaks the protocol of linux/auto_fs4.h, version 5, for a direct mount. The log gets a line when the
point is there and one per request.
"""

import ctypes
import fcntl
import os
import struct
import subprocess
import sys

_READY = 0x9360  # AUTOFS_IOC_READY
_PACKET_SIZE = 304  # of struct autofs_v5_packet
_TOKEN_AT = 8


def main(point, log):
    """Mount the point, then serve requests for ever."""
    requests, kernel_end = os.pipe()
    options = f"fd={kernel_end},pgrp={os.getpgrp()},minproto=5,maxproto=5,direct"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"automounter", point.encode(), b"autofs", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), "autofs")
    os.close(kernel_end)
    below = os.open(point, os.O_RDONLY | os.O_DIRECTORY)
    while True:
        with open(log, "a", encoding="ascii") as lines:
            lines.write("waiting\n")
        packet = os.read(requests, _PACKET_SIZE)
        if not packet:
            return
        token, = struct.unpack_from("I", packet, _TOKEN_AT)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "nas:/export", point], check=True)
        fcntl.ioctl(below, _READY, token)


if __name__ == "__main__":
    main(*sys.argv[1:])
