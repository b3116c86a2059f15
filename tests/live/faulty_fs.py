#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A small file system in memory whose operations fail, hang or take their time on demand.

    faulty_fs.py MOUNT_POINT FAULTS_FILE [OPTION=VALUE]...

The faults file has one line per operation, NAME=FAULT: a FAULT is "hang" (until the line is gone),
the name of an error ("ESTALE"), or seconds. Operations are those of FUSE: getattr, opendir, readdir,
statfs, create, write, fsync, read, unlink; "*" is any. A line F_NUMBER=VALUE, such as f_ffree=-1, is what
statfs tells. Options are mount options (fsname, subtype).
"""

import errno
import os
import stat
import sys
import time
from pathlib import Path

import fusepy

_UNCHANGED = 0xFFFFFFFF  # a user or group that chown(2) leaves alone

class FaultyFs(fusepy.Operations):
    """Files and directories in memory, all in one dictionary by their paths."""

    def __init__(self, faults):
        self._faults = Path(faults)
        self._nodes = {}
        self._data = {}
        self._add("/", stat.S_IFDIR | 0o755, 0, 0)

    def __call__(self, operation, *arguments):
        self._suffer(operation)
        return super().__call__(operation, *arguments)

    def _read_faults(self):
        return dict(line.split("=") for line in self._faults.read_text().split())

    def _suffer(self, operation):
        while True:
            faults = self._read_faults()
            fault = faults.get(operation, faults.get("*"))
            if fault is None:
                return
            if fault in errno.errorcode.values():
                raise fusepy.FuseOSError(getattr(errno, fault))
            if fault != "hang":
                time.sleep(float(fault))
                return
            time.sleep(0.02)

    def _add(self, path, mode, uid, gid):
        self._nodes[path] = {"st_mode": mode, "st_nlink": 1, "st_uid": uid, "st_gid": gid}

    def _add_new(self, path, mode):
        uid, gid, _ = fusepy.fuse_get_context()
        self._add(path, mode, uid, gid)

    def getattr(self, path, handle=None):
        if path not in self._nodes:
            raise fusepy.FuseOSError(errno.ENOENT)
        return self._nodes[path] | {"st_size": len(self._data.get(path, b""))}

    def readdir(self, path, handle):
        return [".", "..", *(os.path.basename(node) for node in self._nodes
                             if os.path.dirname(node) == path and node != "/")]

    def statfs(self, path):
        told = {name: int(value) for name, value in self._read_faults().items()
                if name.startswith("f_")}
        return {"f_bsize": 4096, "f_frsize": 4096, "f_blocks": 1000, "f_bfree": 750,
                "f_bavail": 750, "f_files": 1000, "f_ffree": 900, "f_favail": 900} | told

    def mkdir(self, path, mode):
        self._add_new(path, stat.S_IFDIR | mode)

    def rmdir(self, path):
        del self._nodes[path]

    def create(self, path, mode, info=None):
        self._add_new(path, stat.S_IFREG | stat.S_IMODE(mode))
        self._data[path] = b""
        return 0

    def unlink(self, path):
        del self._nodes[path]

    def chmod(self, path, mode):
        node = self._nodes[path]
        node["st_mode"] = stat.S_IFMT(node["st_mode"]) | stat.S_IMODE(mode)

    def chown(self, path, uid, gid):
        node = self._nodes[path]
        for name, value in (("st_uid", uid), ("st_gid", gid)):
            if value != _UNCHANGED:
                node[name] = value

    def open(self, path, flags):
        return 0

    def read(self, path, size, offset, handle):
        return self._data[path][offset:offset + size]

    def write(self, path, data, offset, handle):
        self._data[path] = self._data[path][:offset] + data
        return len(data)

    def fsync(self, path, datasync, handle):
        return 0


if __name__ == "__main__":
    options = dict(option.split("=") for option in sys.argv[3:])
    fusepy.FUSE(FaultyFs(sys.argv[2]), sys.argv[1], foreground=True, allow_other=True,
                default_permissions=True, nonempty=True, attr_timeout=0, entry_timeout=0, **options)
