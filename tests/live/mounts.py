# SPDX-License-Identifier: MIT
"""Mounts of a test's own, in a mount namespace that nobody else sees: file systems that fail on
demand, memory, binds and automount points. All of it is gone with the test, and with this program.

    with Mounts(directory) as mounts:
        share = mounts.faulty("share")
        share.faults(statfs="ESTALE")
"""

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

from server import wait_until

_HERE = Path(__file__).resolve().parent
_CLONE_NEWNS = 0x00020000
PROBE_PREFIX = "ha-mount-"  # of the names of the check's children


class Mounts:
    """A context manager that owns mount points below one directory."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.state = self.directory / "state"
        self._points = []
        self._processes = []

    def __enter__(self):
        _leave_namespace()
        return self

    def __exit__(self, *_):
        for process in self._processes:
            process.kill()
            process.wait()
        for point in reversed(self._points):
            subprocess.run(["umount", "-l", point], check=False)
        wait_until(lambda: not self.probes(), what="the killed probes to end")

    @property
    def inside(self):
        """Return the command that starts another thread's process where the mounts are seen."""
        return ["nsenter", f"--mount=/proc/{os.getpid()}/ns/mnt", "--"]

    def point(self, name):
        """Return a directory of this name, created if it is not there."""
        path = self.directory / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def mount(self, name, kind, source="none", options="rw"):
        """Mount something; return its mount point."""
        point = self.point(name)
        subprocess.run(["mount", "-t", kind, "-o", options, source, point], check=True)
        self._points.append(point)
        return point

    def tmpfs(self, name, options="size=1m", source="tmpfs"):
        """Mount a file system in memory; return its mount point."""
        return self.mount(name, "tmpfs", source, options)

    def bind(self, source, target):
        """Mount a file or directory on another one."""
        subprocess.run(["mount", "--bind", source, target], check=True)
        self._points.append(target)

    def start(self, *command):
        """Start a process of ours in a session of its own, which ends with the test."""
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)],
                                   stdin=subprocess.DEVNULL, start_new_session=True)
        self._processes.append(process)
        return process

    def faulty(self, *names, source="gfs1:/pandora", subtype="glusterfs"):
        """Mount one file system per name that does as its faults say; return it, or a list."""
        shares = [Faulty(self, name, source, subtype) for name in names]
        for share in shares:
            self._points.append(share.point)
            wait_until(lambda share=share: _mount_id(share.point), what=f"{share.point}")
            os.statvfs(share.point)  # returns when its process is ready
        return shares if len(shares) > 1 else shares[0]

    def automount(self, name):
        """Make an automount point; return it and the log of its automounter."""
        point, log = self.point(name), self.directory / f"{name}.log"
        self.start(sys.executable, _HERE / "automounter.py", point, log)
        wait_until(log.exists, what="the automounter")
        self._points += [point, point]
        return point, log

    def probes(self):
        """Return {process id: state} of the check's children that are at our mounts."""
        names = {(PROBE_PREFIX + _mount_id(point))[:15] for point in self._points}
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                process, rest = stat.read_text().split(" (", 1)
            except (FileNotFoundError, ProcessLookupError):
                continue
            name, state = rest.rsplit(") ", 1)
            if name in names and state[0] != "Z":
                found[int(process)] = state[0]
        return found


class Faulty:
    """A mounted file system of faulty_fs.py, which is the `process`."""

    def __init__(self, mounts, name, source, subtype):
        self.point = mounts.point(name)
        self._faults = mounts.directory / f"{name}.faults"
        self.faults()
        self.process = mounts.start(sys.executable, _HERE / "faulty_fs.py", self.point, self._faults,
                                    f"fsname={source}", f"subtype={subtype}")

    def faults(self, **faults):
        """Let operations fail, `all` for any, or statfs tell f_... numbers; without an argument all is
        well again."""
        lines = [f"{name.replace('all', '*')}={fault}\n" for name, fault in faults.items()]
        written = self._faults.with_suffix(".new")
        written.write_text("".join(lines))
        written.rename(self._faults)

    def stop(self):
        """Stop the process behind the mount: a request is not even taken."""
        self.process.send_signal(signal.SIGSTOP)
        threads = Path(f"/proc/{self.process.pid}/task")
        wait_until(lambda: all(stat.read_text().rsplit(") ", 1)[1][0] == "T"
                               for stat in threads.glob("*/stat")), what="all threads to stop")

    def resume(self):
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        """Kill it, which leaves a mount that is not connected."""
        self.process.kill()
        self.process.wait()


def _leave_namespace():
    """Enter a mount namespace of our own, once."""
    if _leave_namespace.done:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    _leave_namespace.done = True


_leave_namespace.done = False


def _mount_id(point):
    """Return the id of what is mounted on a point, empty when nothing is."""
    found = ""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[4] == str(point):
            found = fields[0]
    return found
