# SPDX-License-Identifier: MIT
"""Machines in one Ethernet, as far as a network is concerned: namespaces, cables and a switch.

    with Lan("db1", "db2", "watcher") as lan:
        lan["db1"].add("10.77.0.10/32")
        lan["watcher"].run("ip", "neigh")

A namespace lives as long as a process in it. These processes end with the block, and the kernel ends
them with this program, so nothing is ever left behind.
"""

import collections
import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import plugin
from server import spawn, uninterrupted, wait_until

# The n-th machine has the n-th address of each.
IPV4, IPV6 = "10.77.0.{}", "fd77::{}"
MOVER = plugin.BUILD / "tests/vip_mover"
_CLONE_NEWNET = 0x40000000
_ETH_P_ALL = 0x0003
_FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


class Machine:
    """A network namespace with an interface eth0."""

    def __init__(self, name, number):
        self.name = name
        self.ipv4, self.ipv6 = IPV4.format(number), IPV6.format(number)
        with uninterrupted():
            self.process = spawn(["unshare", "--net", "sleep", "infinity"], os.devnull, "/")
        self.entry = ["nsenter", f"--net=/proc/{self.process.pid}/ns/net", "--"]
        self.inside = self.entry  # what is run there begins with it
        wait_until(self._is_apart, what=f"the namespace of {name}")
        self.run("ip", "link", "set", "lo", "up")

    def _is_apart(self):
        return os.readlink(f"/proc/{self.process.pid}/ns/net") != os.readlink("/proc/self/ns/net")

    def run(self, *command, check=True):
        """Run a command there; return its output."""
        return subprocess.run([*self.inside, *command], check=check, text=True, timeout=30,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout

    @property
    def mac(self):
        """Return the hardware address of eth0."""
        words = self.run("ip", "-o", "link", "show", "dev", "eth0").split()
        return words[words.index("link/ether") + 1]

    def add(self, address, interface="eth0"):
        """Put an address on an interface, as an operator who does not look for others."""
        self.run("ip", "addr", "add", address, "dev", interface,
                 *(["nodad"] if ":" in address else []))

    def delete(self, address, interface="eth0"):
        """Remove an address."""
        self.run("ip", "addr", "del", address, "dev", interface)

    def holds(self, address):
        """Tell whether the machine has an address, usable or not."""
        return f" {address}/" in self.run("ip", "-o", "addr", "show")

    def neighbour(self, address):
        """Return the hardware address that this machine knows for another's address, or None."""
        words = self.run("ip", "neigh", "show", "to", address).split()
        return words[words.index("lladdr") + 1] if "lladdr" in words else None

    def enter(self):
        """Let the calling thread open its sockets there from now on."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/proc/{self.process.pid}/ns/net", "rb") as namespace:
            if libc.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"cannot enter the namespace of {self.name}")

    def be_deaf_to(self, other):
        """Receive nothing any more of what another machine sends."""
        self._drop("--source", other.ipv4)

    def lose(self, probability):
        """Lose this share of the packets that others send."""
        self._drop("--in-interface", "eth0", "--match", "statistic", "--mode", "random",
                   "--probability", str(probability))

    def _drop(self, *which):
        self.run("iptables", "--wait", "--append", "INPUT", *which, "--jump", "DROP")

    def hear_all(self):
        """Receive everything again."""
        self.run("iptables", "--wait", "--flush", "INPUT")

    def keep_own_clock(self, file):
        """Let what is started there from now on have a wall clock that set_clock() sets, kept in a file;
        monotonic clocks are as everywhere."""
        self._clock = file
        self.set_clock(0)
        self.inside = [*self.entry, "env", f"LD_PRELOAD={_FAKETIME}", f"FAKETIME_TIMESTAMP_FILE={file}",
                       "FAKETIME_CACHE_DURATION=1", "DONT_FAKE_MONOTONIC=1"]

    def set_clock(self, ahead_s):
        """Set the wall clock so far ahead of others."""
        self._clock.write_text(f"{ahead_s:+d}\n")

    def processes(self):
        """Return the ids of the processes that run there."""
        namespace, found = os.readlink(f"/proc/{self.process.pid}/ns/net"), []
        for link in Path("/proc").glob("[0-9]*/ns/net"):
            with contextlib.suppress(OSError):  # It has ended.
                if os.readlink(link) == namespace:
                    found.append(int(link.parts[2]))
        return [pid for pid in found if pid != self.process.pid]

    def freeze(self):
        """Stop every process there, as a hypervisor does with a host that it moves."""
        self.signal(signal.SIGSTOP)

    def thaw(self):
        """Let every process there go on."""
        self.signal(signal.SIGCONT)

    def signal(self, number):
        """Send a signal to every process there, those too that these start meanwhile."""
        reached = set()
        while fresh := set(self.processes()) - reached:
            for pid in fresh:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            reached |= fresh

    def close(self):
        """End the namespace, unless other processes are in it."""
        self.process.kill()
        self.process.wait()


class Lan:
    """Machines by name, all plugged into one switch."""

    def __init__(self, *names):
        self.switch = Machine("switch", 0)
        self.machines = {name: Machine(name, n) for n, name in enumerate(names, 1)}
        self.switch.run("ip", "link", "add", "bridge", "type", "bridge")
        self.switch.run("ip", "link", "set", "bridge", "up")
        for name, machine in self.machines.items():
            self.plug(machine, "eth0", f"to-{name}")
            machine.add(f"{machine.ipv4}/24")
            machine.add(f"{machine.ipv6}/64")

    def plug(self, machine, interface, port):
        """Give a machine an interface that is plugged into the switch."""
        self.switch.run("ip", "link", "add", port, "type", "veth", "peer", "name", interface,
                        "netns", str(machine.process.pid))
        self.switch.run("ip", "link", "set", port, "master", "bridge", "up")
        machine.run("ip", "link", "set", interface, "up")

    def __getitem__(self, name):
        return self.machines[name]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @contextlib.contextmanager
    def slow(self, name, delay_s):
        """Let all that a machine sends and receives arrive later, during the block."""
        for machine in self.machines.values():  # Unfinished checksums do not survive a delay.
            machine.run("ethtool", "--offload", "eth0", "tx", "off")
        port, near, far = f"to-{name}", f"near-{name}", f"far-{name}"
        self.switch.run("ip", "link", "add", near, "type", "veth", "peer", "name", far)
        self.switch.run("ip", "link", "set", near, "up")
        self.switch.run("ip", "link", "set", port, "nomaster")
        self.switch.run("ip", "link", "set", far, "master", "bridge", "up")
        cable = SlowCable(self.switch, (port, near), delay_s)
        try:
            yield
        finally:
            cable.close()
            self.switch.run("ip", "link", "delete", near)
            self.switch.run("ip", "link", "set", port, "master", "bridge")

    def close(self):
        """Take everything down."""
        for machine in [self.switch, *self.machines.values()]:
            machine.close()


class SlowCable:
    """Takes the frames that come in at one of two ports to the other one, `delay_s` later."""

    def __init__(self, machine, ports, delay_s):
        self._machine, self._ports, self._delay_s = machine, ports, delay_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self):
        """Take no more."""
        self._over.set()
        self._thread.join()

    def _run(self):
        self._machine.enter()
        with contextlib.ExitStack() as stack:
            one, other = ends = [stack.enter_context(_frames_at(port)) for port in self._ports]
            under_way = collections.deque()
            while not self._over.is_set():
                wait_s = under_way[0][0] - time.monotonic() if under_way else 0.1
                for end in select.select(ends, [], [], min(0.1, max(0.0, wait_s)))[0]:
                    frame, (_, _, kind, *_) = end.recvfrom(65536)
                    if kind != socket.PACKET_OUTGOING:
                        under_way.append((time.monotonic() + self._delay_s, other if end is one else one,
                                          frame))
                while under_way and under_way[0][0] <= time.monotonic():
                    _, end, frame = under_way.popleft()
                    with contextlib.suppress(OSError):  # A cable drops what nobody takes.
                        end.send(frame)


def _frames_at(port):
    """Return a socket for all frames that come in at a port."""
    frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    frames.bind((port, 0))
    return frames


def place_servers(bench, lan):
    """Let each new server of a bench have the machine of its name, with the port that is usual."""
    new_server = bench.new_server

    def placed(flavour, **arguments):
        server = new_server(flavour, **arguments)
        machine = lan[server.name]
        server.host, server.port = machine.ipv4, 3306
        # MySQL would not notice a clock of its own, and takes half a core for it.
        server.inside = machine.entry if flavour == "mysql" else machine.inside
        return server
    bench.new_server = placed


def move(machine, verb, vip, *options, interface="eth0"):
    """Let the library take or drop an address on a machine; return (exit code, text)."""
    outcome = plugin.run_raw([*machine.inside, MOVER, "--do", verb, "--vip", vip, "--interface",
                              interface, *options])
    return outcome.code, outcome.out.removeprefix("vip_mover: ").strip()
