# SPDX-License-Identifier: MIT
"""The watchdog of a Machine of lan.py: a FIFO, which faults.so lets a program take for a device."""

import os
import signal
import threading
import time

import plugin

_DISARM = ord("V")
# What lets a program take a FIFO for a watchdog. What it sets as the timeout comes as a byte.
ENVIRONMENT = ["env", f"LD_PRELOAD={plugin.BUILD / 'tests/faults.so'}", "WATCHDOG_FIFO=1",
               "ASAN_OPTIONS=verify_asan_link_order=0"]


class Watchdog:
    """Ends all that runs on a machine, as a reset does, when it was armed and is not fed in time."""

    def __init__(self, machine, path):
        self._machine, self._timeout_s, self._fed, self._down = machine, None, None, False
        os.mkfifo(path, 0o600)
        self._fifo = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self):
        """Stop watching; a machine that was reset has its network again."""
        self._over.set()
        self._thread.join()
        os.close(self._fifo)
        if self._down:
            self._machine.run("ip", "link", "set", "eth0", "up")
            self._machine.add(f"{self._machine.ipv6}/64")

    def _run(self):
        while not self._over.wait(0.05):
            self._eat()
            if self._timeout_s and time.monotonic() - self._fed > self._timeout_s:
                self._timeout_s = None
                self._reset()

    def _reset(self):
        # No packet tells others that sessions end.
        self._down = True
        self._machine.run("ip", "link", "set", "eth0", "down")
        self._machine.signal(signal.SIGKILL)

    def _eat(self):
        try:
            food = os.read(self._fifo, 4096)
        except BlockingIOError:
            return
        self._fed = time.monotonic()
        for byte in food:
            if byte == _DISARM:
                self._timeout_s = None
            elif byte:
                self._timeout_s = byte
