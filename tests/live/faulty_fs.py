#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A small file system in memory whose operations fail, hang or take their time on demand.

    faulty_fs.py MOUNT_POINT FAULTS_FILE [OPTION=VALUE]...

The faults file has one line per operation, NAME=FAULT: a FAULT is "hang" (until the line is gone),
the name of an error ("ESTALE"), or seconds. Operations are those of FUSE: getattr, opendir, readdir,
statfs, create, write, fsync, read, unlink; "*" is any. Options are mount options (fsname, subtype).
"""

import errno
import os
import stat
import sys
import time
from pathlib import Path

import fusepy


class FaultyFs(fusepy.Operations):
    """A directory with files and directories in memory."""

    def __init__(self, faults):
        self._faults = Path(faults)
        self._files = {}
        self._directories = {"/": _directory()}

    def __call__(self, operation, *arguments):
        self._suffer(operation)
        return super().__call__(operation, *arguments)

    def _suffer(self, operation):
        while True:
            faults = dict(line.split("=") for line in self._faults.read_text().split())
            fault = faults.get(operation, faults.get("*"))
            if fault is None:
                return
            if fault in errno.errorcode.values():
                raise fusepy.FuseOSError(getattr(errno, fault))
            if fault != "hang":
                time.sleep(float(fault))
                return
            time.sleep(0.02)

    def getattr(self, path, handle=None):
        if path in self._directories:
            return self._directories[path]
        if path not in self._files:
            raise fusepy.FuseOSError(errno.ENOENT)
        return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_uid": 0, "st_gid": 0,
                "st_size": len(self._files[path])}

    def readdir(self, path, handle):
        inside = [os.path.basename(entry) for entry in (*self._files, *self._directories)
                  if os.path.dirname(entry) == path and entry != "/"]
        return [".", "..", *inside]

    def mkdir(self, path, mode):
        self._directories[path] = _directory()

    def rmdir(self, path):
        del self._directories[path]

    def statfs(self, path):
        return {"f_bsize": 4096, "f_frsize": 4096, "f_blocks": 1000, "f_bfree": 750,
                "f_bavail": 750, "f_files": 1000, "f_ffree": 900, "f_favail": 900}

    def chmod(self, path, mode):
        self._directories[path]["st_mode"] = stat.S_IFDIR | mode & 0o7777

    def chown(self, path, uid, gid):
        self._directories[path].update(st_uid=uid, st_gid=gid)

    def create(self, path, mode, info=None):
        self._files[path] = b""
        return 0

    def open(self, path, flags):
        return 0

    def read(self, path, size, offset, handle):
        return self._files[path][offset:offset + size]

    def write(self, path, data, offset, handle):
        self._files[path] = self._files[path][:offset] + data
        return len(data)

    def fsync(self, path, datasync, handle):
        return 0

    def unlink(self, path):
        del self._files[path]


def _directory():
    return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2, "st_uid": 0, "st_gid": 0}


if __name__ == "__main__":
    options = dict(option.split("=") for option in sys.argv[3:])
    fusepy.FUSE(FaultyFs(sys.argv[2]), sys.argv[1], foreground=True, allow_other=True,
                default_permissions=True, attr_timeout=0, entry_timeout=0, **options)
