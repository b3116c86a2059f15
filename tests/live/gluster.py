# SPDX-License-Identifier: MIT
"""A pool of two GlusterFS servers with a replicated volume, on this machine.

    pool = GlusterPool(bench).create_volume()
    first, second = pool.servers
    first.mount()
    pool.kill_brick(second)

Each server is a host of its own as far as it can tell: its name, network, processes and mounts are
in namespaces, which end with the bench; what is written to /usr, /etc and /var is lost with them.
GlusterFS knows its paths from its compilation, so its unpacked tree is laid over /usr and /etc.
"""

import concurrent.futures
import subprocess
import xml.etree.ElementTree
from pathlib import Path

import cache
from server import spawn, uninterrupted, wait_until

VOLUME = "shared"
BRICK = f"/var/bricks/{VOLUME}"
MOUNT = "/var/shared"

# The first process of a server's namespace; a process that has lost its parent is left to it.
_BOOT = """\
set -e
name=$1 tree=$2 hosts=$3
hostname "$name"
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
for directory in usr etc; do
    mkdir -p /mnt/$directory/upper /mnt/$directory/work
    mount -t overlay overlay -o "lowerdir=$tree/$directory:/$directory" \
        -o "upperdir=/mnt/$directory/upper,workdir=/mnt/$directory/work" /$directory
done
cp "$tree/sbin/mount.glusterfs" /usr/sbin/
printf '%s\\n' '127.0.0.1 localhost' "$hosts" >/etc/hosts
mount -t tmpfs tmpfs /var
mkdir -p /var/lib/glusterd /var/log/glusterfs /var/run/gluster /var/tmp /var/bricks {mount}
ip link set lo up
touch /var/ready
while sleep 60; do :; done
""".format(mount=MOUNT)


class GlusterServer:
    """A host with a glusterd, one brick and, after mount(), the volume at MOUNT."""

    def __init__(self, bench, name, addresses):
        self.name = name
        self.brick = f"{self.name}:{BRICK}"
        self.address = addresses[name]
        hosts = "\n".join(f"{address} {host}" for host, address in addresses.items())
        self._log = bench.directory / f"{self.name}.log"
        self.mounted = False
        with uninterrupted():
            self._process = spawn(
                ["unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--kill-child",
                 "--mount-proc", "sh", "-c", _BOOT, "sh", name, cache.gluster_root(), hosts],
                self._log, "/")
        bench.add(self)
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        self.pid = wait_until(lambda: self._alive() and children.read_text().strip())
        self.inside = ["nsenter", "--all", "--target", self.pid, "--"]
        wait_until(lambda: self._alive() and self._is_ready(), what=f"{self.name} to be ready")

    def _alive(self):
        assert self._process.poll() is None, self._log.read_text()
        return True

    def _is_ready(self):
        return subprocess.run([*self.inside, "test", "-e", "/var/ready"],
                              stderr=subprocess.DEVNULL).returncode == 0

    def close(self):
        """End the first process and with it all others of the namespace."""
        self._process.kill()
        self._process.wait()

    def run(self, *command, check=True):
        """Run a command there; return its output."""
        done = subprocess.run([*self.inside, *command], text=True, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}"
        return done.stdout

    def connect(self, other):
        """Join this server and another by a cable."""
        subprocess.run(["ip", "link", "add", "eth0", "netns", self.pid, "type", "veth",
                        "peer", "name", "eth0", "netns", other.pid], check=True)
        for server in (self, other):
            server.run("ip", "address", "add", f"{server.address}/24", "dev", "eth0")
            server.run("ip", "link", "set", "eth0", "up")

    def start(self):
        """Start glusterd, and the bricks that should run."""
        self.run("glusterd", "--pid-file", "/var/run/glusterd.pid")
        wait_until(lambda: "Connection failed" not in self.gluster("peer", "status", check=False),
                   what=f"glusterd of {self.name} to answer")

    def gluster(self, *words, check=True):
        """Run the gluster command; return its output."""
        return self.run("gluster", "--mode=script", *words, check=check)

    def xml(self, *words):
        """Run the gluster command; return the root of its XML."""
        return xml.etree.ElementTree.fromstring(self.run("gluster", "--mode=script", "--xml", *words))

    def signal(self, daemon, name):
        """Send a signal to the daemon `glusterd` or `client`."""
        self.run("kill", f"-{name}", self.run("cat", f"/var/run/{daemon}.pid").strip())

    def mount(self):
        """Mount the volume, as mount.glusterfs does."""
        self.run("glusterfs", "--process-name", "fuse", "--pid-file", "/var/run/client.pid",
                 f"--volfile-server={self.name}", f"--volfile-id=/{VOLUME}", MOUNT)
        self.mounted = True

    def reachable_bricks(self):
        """Return how many bricks the mounted client is connected to."""
        clients = f"cat {MOUNT}/.meta/graphs/active/{VOLUME}-client-*/private"
        return self.run("sh", "-c", clients, check=False).count("connected = 1")

    def write(self, name, text):
        """Write a file of the mounted volume; return whether that went well."""
        return "failed" not in self.run("sh", "-c", 'printf "%s" "$2" >"$1" || echo failed', "sh",
                                        f"{MOUNT}/{name}", text)


class GlusterPool:
    """Two servers, connected and with a glusterd each, that do not know of one another yet."""

    def __init__(self, bench, names=("gluster1", "gluster2")):
        addresses = {name: f"10.88.0.{number}" for number, name in enumerate(names, 1)}
        self.servers = [GlusterServer(bench, name, addresses) for name in names]
        self.servers[0].connect(self.servers[1])
        with concurrent.futures.ThreadPoolExecutor() as threads:
            list(threads.map(GlusterServer.start, self.servers))

    def create_volume(self):
        """Make them a pool with a started volume of two replicas; each has a brick. Return self."""
        first, second = self.servers
        first.gluster("peer", "probe", second.name)
        for server in self.servers:
            wait_until(lambda: "Peer in Cluster (Connected)" in server.gluster("peer", "status"))
        first.gluster("volume", "create", VOLUME, "replica", "2", first.brick, second.brick)
        first.gluster("volume", "start", VOLUME)
        self.wait_bricks(2)
        return self

    def bricks(self):
        """Return {host: pid, or -1 when it is offline} of the bricks that the pool knows of."""
        status = self.servers[0].xml("volume", "status", VOLUME)
        return {node.findtext("hostname"): int(node.findtext("pid"))
                for node in status.iter("node") if node.findtext("path") == BRICK}

    def wait_bricks(self, count):
        """Wait until so many bricks are online."""
        wait_until(lambda: sum(pid > 0 for pid in self.bricks().values()) == count,
                   what=f"{count} bricks to be online")

    def kill_brick(self, server):
        """Kill the process of a server's brick, while all are online."""
        server.run("kill", "-KILL", str(self.bricks()[server.name]))
        self.wait_bricks(1)

    def start_bricks(self):
        """Start the bricks that are offline; the mounted clients use them."""
        self.servers[0].gluster("volume", "start", VOLUME, "force")
        self.wait_bricks(2)
        for server in self.servers:
            wait_until(lambda: not server.mounted or server.reachable_bricks() == 2,
                       what=f"{server.name} to reach the bricks")

    def set(self, **options):
        """Set options of the volume; __ stands for the point in their names, _ for the hyphen."""
        for name, value in options.items():
            self.servers[0].gluster("volume", "set", VOLUME,
                                    name.replace("__", ".").replace("_", "-"), value)
