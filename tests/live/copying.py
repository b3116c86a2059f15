# SPDX-License-Identifier: MIT
"""What a server that becomes a copy of another one needs around it."""

import contextlib
import shlex
import threading
import time

import cache
from nagios import ROOT
from sshd import Ssh

EXAMPLES = ROOT / "conf-examples/mysql-failover"


def dump_command(cluster):
    """Return the flavour's mysqldump, as options take a command."""
    return shlex.join(cache.client_command(cluster.flavour, "dump"))


def binlog_command(cluster):
    """Return the flavour's mysqlbinlog likewise."""
    return shlex.join(cache.client_command(cluster.flavour, "binlog"))


@contextlib.contextmanager
def supervised(server):
    """Start a server again whenever it ends, as systemd does."""
    over = threading.Event()

    def watch():
        while not over.wait(0.05):
            if not server.running:
                server.start(wait=False)
    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Machines:
    """What conf-examples' copy-mariabackup finds on both ends: sshd, mariabackup, and a systemctl that
    stops and starts the target's server."""

    def __init__(self, cluster, source, target):
        self._target, self._started, self._over = target, cluster.directory / "started", False
        programs = cluster.directory / "bin"
        programs.mkdir()
        for name, body in (
                ("systemctl", f'[ "$*" != "start mariadb" ] || touch {self._started}\n'
                              '[ "$*" = "stop mariadb" ] || exit 0\n'
                              f'kill {target.process.pid}\n'
                              f'while kill -0 {target.process.pid}; do sleep 0.05; done 2>/dev/null'),
                ("mariabackup", 'case $1 in --backup) first="--no-defaults --user=root '
                                f'--socket={source.socket}";; esac\n'
                                'exec /usr/bin/mariabackup $first "$@"')):
            (programs / name).write_text(f"#!/bin/sh\n{body}\n")
            (programs / name).chmod(0o700)
        ssh = cluster.bench.add(Ssh(cluster.directory / "ssh", cluster.bench.free_port(), programs))
        ssh.serve()
        (programs / "ssh").symlink_to(ssh.client)
        self.command = cluster.hook("copy", f"cd {programs}\nPATH={programs}:$PATH exec "
                                            f"{EXAMPLES}/copy-mariabackup {target.datadir}\n")

    def __enter__(self):
        self._thread = threading.Thread(target=self._start, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over = True
        self._thread.join()

    def _start(self):
        while not self._over:
            if not self._target.running and self._started.exists():
                self._target.start(wait=False)
            time.sleep(0.05)
