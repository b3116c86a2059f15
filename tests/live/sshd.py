# SPDX-License-Identifier: MIT
"""OpenSSH's own server on the machines of a test, and a client program that knows its port and keys.

    ssh = bench.add(Ssh(bench.directory / "ssh", bench.free_port()))
    ssh.serve()
    subprocess.run([ssh.client, "-o", "BatchMode=yes", "root@127.0.0.1", "true"])

A user has in ~/.ssh what the client program names here. Users, home and what sshd wants below /run are
seen by the server and its sessions alone. The server greets with a banner, as careful ones do.
"""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import cache
from server import spawn, uninterrupted, wait_until

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SERVER = """\
Port {port}
HostKey {directory}/host
AuthorizedKeysFile {directory}/authorized_keys
StrictModes no
UsePAM no
PidFile none
SetEnv PATH={path}
Banner {directory}/banner
"""
_CLIENT = """\
Host *
    Port {port}
    IdentityFile {directory}/key
    IdentitiesOnly yes
    UserKnownHostsFile {directory}/known_hosts
    GlobalKnownHostsFile /dev/null
"""
# sshd insists on an account and on a directory of its own.
_START = """\
mount -t tmpfs none /run
mkdir /run/sshd
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/shadow" /etc/shadow
exec "$2" -D -e -f "$1/sshd_config" -o ListenAddress="$3"
"""


class Ssh:
    """Keys and configurations below `directory`; servers are started by serve(). What they run finds
    the programs of `programs` before others."""

    def __init__(self, directory, port, programs=None):
        self._directory = directory
        self._servers = []
        directory.mkdir()
        for name in ("host", "key", "other"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f",
                            directory / name], check=True, stdin=subprocess.DEVNULL)
        path = f"{programs}:{_PATH}" if programs else _PATH
        self._write("sshd_config", _SERVER.format(directory=directory, port=port, path=path))
        self._write("ssh_config", _CLIENT.format(directory=directory, port=port))
        self._write("passwd", f"root:x:0:0::{directory}:/bin/sh\n"
                              "sshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n")
        self._write("banner", "Authorized use only. Everything is logged.\n" * 20)
        self._write("shadow", "root:*:::::::\n")
        self.trust("host")
        self.accept("key")
        self.client = directory / "client"
        self._write("client", f'#!/bin/sh\nexec /usr/bin/ssh -F {directory}/ssh_config "$@"\n')
        self.client.chmod(0o755)

    def _write(self, name, text):
        (self._directory / name).write_text(text)

    def trust(self, host_key):
        """Let the client know every machine by this key: host, which is theirs, or other."""
        words = (self._directory / f"{host_key}.pub").read_text().split()
        self._write("known_hosts", f"* {words[0]} {words[1]}\n")

    def accept(self, client_key):
        """Let the servers accept this key alone: key, which is the client's, or other."""
        self._write("authorized_keys", (self._directory / f"{client_key}.pub").read_text())

    def serve(self, inside=(), address="127.0.0.1"):
        """Start a server, in a network namespace if one is given, and wait until it listens."""
        log = self._directory / f"log-{len(self._servers)}"
        with uninterrupted():
            self._servers.append(spawn(
                [*inside, "unshare", "--mount", "sh", "-ec", _START, "sh", self._directory,
                 cache.ssh_root() / "usr/sbin/sshd", address], log, self._directory))
        wait_until(lambda: "Server listening on" in log.read_text(), what="sshd to listen")

    def signal_sessions(self, number):
        """Send a signal to the servers' ends of all connections; what they run is left alone."""
        sessions = [pid for server in self._servers for pid in Path(
            f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()]
        assert sessions, "a client is connected"
        for pid in sessions:
            os.kill(int(pid), number)

    def stop(self):
        """End the servers and whatever was started by them, which has their view of the files."""
        for server in self._servers:
            view = os.readlink(f"/proc/{server.pid}/ns/mnt")
            server.kill()  # first, so that nobody new comes
            server.wait()
            for pid in _processes_with(view):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._servers.clear()

    close = stop


def _processes_with(view):
    """Return the ids of the processes in a mount namespace."""
    found = []
    for link in Path("/proc").glob("[0-9]*/ns/mnt"):
        with contextlib.suppress(OSError):
            if os.readlink(link) == view:
                found.append(int(link.parts[2]))
    return found
