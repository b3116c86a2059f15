#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the live tests and the demonstration prepare once per machine, outside the tree.

Every entry is built in a scratch directory under a lock and then renamed into place, so an entry
that exists is complete: an interrupted preparation leaves only scratch, which the next one removes.

`cache.py mysql nagios` prepares the entries of these names; `cache.py` alone prints the directory.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

MYSQL_PACKAGES = "mysql-server-core,mysql-client-core"
MARIADB_PACKAGES = "mariadb-server-core,mariadb-client"


def directory():
    """Return the cache directory, which the environment may move with XDG_CACHE_HOME."""
    base = os.environ.get("XDG_CACHE_HOME") or "/var/cache"
    return Path(base) / "monitoring-plugins-ha"


def prepared(name, build):
    """Return the entry `name`, calling `build(scratch_directory)` first where it does not exist."""
    entry = directory() / name
    if entry.exists():
        return entry
    directory().mkdir(parents=True, exist_ok=True)
    with open(directory() / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not entry.exists():
            scratch = directory() / f"{name}.scratch"
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            build(scratch)
            scratch.rename(entry)
    return entry


def mysql_root():
    """Return a Debian unstable tree that contains MySQL's server and clients (half a minute once)."""
    return _debian_unstable("mysql-sid", MYSQL_PACKAGES)


def mariadb_root():
    """Return a Debian unstable tree that contains the newest MariaDB's server and clients, likewise."""
    return _debian_unstable("mariadb-sid", MARIADB_PACKAGES)


def _debian_unstable(name, packages):
    return prepared(name, lambda scratch: _logged(
        # A mount namespace of its own: what an interrupted run had mounted goes away with it.
        ["unshare", "--mount", "debootstrap", "--variant=minbase", f"--include={packages}", "sid",
         str(scratch)]))


def mysql_command(program):
    """Return the start of a command line that runs a program of mysql_root()."""
    return _command_in(mysql_root(), program)


def client_command(flavour, purpose=""):
    """Return the start of a command line that runs the client of the servers of a flavour, or its
    tool for a purpose: dump, binlog."""
    return (mysql_command(f"mysql{purpose}") if flavour == "mysql"
            else ["-".join(filter(None, ("mariadb", purpose)))])


def mariadb_command(program):
    """Return the start of a command line that runs a program of mariadb_root()."""
    return _command_in(mariadb_root(), program)


def _command_in(root, program):
    """Return the start of a command line that runs a program of a tree.

    The tree's own loader and libraries are used instead of chroot(2), so that the data directories,
    sockets and logs have the same names for the server as for everybody else.
    """
    loader = next((root / "usr").glob("lib*/ld-linux-*.so.*"))
    libraries = next((root / "usr/lib").glob("*-linux-gnu"))
    path = next(p for p in (root / "usr/sbin" / program, root / "usr/bin" / program) if p.exists())
    return [str(loader), "--library-path", str(libraries), str(path)]


def nagios_root():
    """Return a tree with Nagios Core 4."""
    return _unpacked("nagios4", ["nagios4-core", "nagios4-common"])


def icinga2_root():
    """Return a tree with Icinga 2 and its template library; tests/packages has its libraries."""
    return _unpacked("icinga2", ["icinga2-bin", "icinga2-common"])


def nrpe_root():
    """Return a tree with the NRPE daemon and check_nrpe."""
    return _unpacked("nrpe", ["nagios-nrpe-server", "nagios-nrpe-plugin"])


def ssh_root():
    """Return a tree with the server of OpenSSH."""
    return _unpacked("ssh", ["openssh-server"])


def gluster_root():
    """Return a tree with the server, the client and the command of GlusterFS."""
    return _unpacked("gluster", [
        "glusterfs-cli", "glusterfs-client", "glusterfs-common", "glusterfs-server", "libgfapi0",
        "libgfchangelog0", "libgfrpc0", "libgfxdr0", "libglusterd0", "libglusterfs0"])


def mha_root():
    """Return a tree with MHA's manager and the Perl modules that its scripts use, its samples in
    /samples: those come with the sources alone."""
    def build(scratch):
        lists = scratch / "lists"
        for directory in (lists / "partial", scratch / "archives/partial"):
            directory.mkdir(parents=True)
        sources = scratch / "sources.list"
        sources.write_text("deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
                           "http://deb.debian.org/debian bookworm main\n")
        source = ["apt-get", "-qq", "-o", f"Dir::Etc::SourceList={sources}", "-o",
                  "Dir::Etc::SourceParts=/nonexistent", "-o", f"Dir::State::Lists={lists}"]
        _logged([*source, "update"])
        _logged([*source, "source", "--download-only", "--tar-only", "mha4mysql-manager"],
                cwd=scratch)
        tar = next(scratch.glob("mha4mysql-manager_*.orig.tar.*"))
        _logged(["tar", "-xf", tar.name, "--strip-components=1", "--wildcards", "*/samples"],
                cwd=scratch)
        # What is installed is left out of it.
        _logged(["apt-get", "-qq", "install", "-y", "--no-install-recommends", "--download-only",
                 "-o", f"Dir::Cache::Archives={scratch}/archives", "mha4mysql-manager",
                 "libnet-telnet-perl"])
        for package in sorted((scratch / "archives").glob("*.deb")):
            _logged(["dpkg", "-x", str(package), str(scratch)])
        tar.unlink()
        for directory in (lists, scratch / "archives"):
            shutil.rmtree(directory)
    return prepared("mha", build)


def _unpacked(name, packages):
    """Return a tree into which Debian packages were unpacked. Installed, they would start services."""
    def build(scratch):
        _logged(["apt-get", "-qq", "download", *packages], cwd=scratch)
        for package in sorted(scratch.glob("*.deb")):
            _logged(["dpkg", "-x", str(package), str(scratch)])
            package.unlink()
    return prepared(name, build)


def _logged(command, cwd=None):
    """Run a command; raise RuntimeError with the end of its output when it fails."""
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed with {done.returncode}:\n{done.stdout[-2000:]}")


def main():
    """Prepare the entries named on the command line."""
    builders = {"mysql": mysql_root, "mariadb": mariadb_root, "nagios": nagios_root,
                "icinga2": icinga2_root, "nrpe": nrpe_root, "ssh": ssh_root,
                "gluster": gluster_root, "mha": mha_root}
    if not sys.argv[1:]:
        print(directory())
    for name in sys.argv[1:]:
        print(builders[name]())


if __name__ == "__main__":
    main()
