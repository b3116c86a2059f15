// SPDX-License-Identifier: MIT
// What is mounted, and what should be: /proc/self/mountinfo (proc(5)) and fstab(5). The kernel
// tells both without asking any server, so reading them never hangs. Pure.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ha {

struct Mount {
  int id = 0;
  int parent = 0;      // the mount that it is mounted on
  std::string root;    // which part of its file system; "/" unless it is a bind mount
  std::string point;   // where, seen from our root
  std::string type;    // "nfs4", "fuse.glusterfs"
  std::string source;  // "nas:/export"
  bool read_only = false;
  bool follows = false;  // what is mounted and unmounted elsewhere is here too (a slave)
};

struct MountTable {
  std::vector<Mount> mounts;
  std::size_t malformed = 0;  // lines that were passed over
};

MountTable parse_mountinfo(std::string_view text);

// Returns the mount that `point` leads to for a process that stands in `from`: the topmost one that
// is mounted there, or `from` when nothing is. Null stands for a root that the table does not show.
const Mount* cross(const MountTable& table, const Mount* from, std::string_view point);

// Returns the visible mount that holds an absolute path without links; null when the table shows
// none.
const Mount* mount_of(const MountTable& table, std::string_view path);

// True for file systems that several machines may share: NFS, GlusterFS, CIFS, anything in FUSE ...
bool is_shared(std::string_view type);

// True for FUSE and for helpers that mount by it, as fstab names them: sshfs, mergerfs, fuse.x ...
bool is_fuse(std::string_view type);

// True for a bind mount of a directory that is no longer there.
bool is_deleted(const Mount& mount);

// True unless the type is known to be served by this machine's kernel alone. What may hang is
// touched by child processes only; so are automount points, which must not be triggered.
bool may_hang(const Mount& mount);

// Returns the word for all spellings of one type: nfs for nfs4, glusterfs for fuse.glusterfs, cifs
// for smb3.
std::string mount_kind(std::string_view type);

// Undoes the \ooo by which all these tables write blanks, tabs, line ends and backslashes.
std::string unescape_octal(std::string_view word);

struct FstabEntry {
  std::string source, point, type;
  bool read_only = false;
  bool at_boot = true;  // false: noauto
};

// Returns the shared file systems of fstab.
std::vector<FstabEntry> parse_fstab(std::string_view text);

}  // namespace ha
