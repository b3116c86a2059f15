// SPDX-License-Identifier: MIT
// What a shared directory has to be, as the operator or fstab says it.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/mount/mountinfo.h"
#include "common/result.h"

namespace ha {

struct Owner {
  std::string text;  // "USER:GROUP" for people
  unsigned uid = 0;
  std::optional<unsigned> gid = {};  // unset: any
};

// Of helpers that tell the kernel what they like: fuse, fuse.NAME or fuseblk.
inline constexpr char kAnyFuse[] = "fuse";

struct ShareSpec {
  std::string path;
  std::string type = {};    // as mount_kind() says it, or kAnyFuse; empty: any
  std::string source = {};  // empty: any
  std::optional<Owner> owner = {};
  std::optional<unsigned> mode = {};  // up to 0777 without regard to the bits above
  bool must_be_shared = false;        // a local file system will not do
  bool may_be_read_only = false;
};

// Parses one value of --mount: PATH[,type=nfs|glusterfs|any][,source=SOURCE][,owner=USER:GROUP]
// [,mode=OCTAL]. A backslash takes a comma into a value; users and groups are looked up.
Result<ShareSpec> parse_share(std::string_view text);

// Returns what an entry of fstab demands. The kernel shows what a mount helper made of an entry:
// where that is known to be the same the source is compared, else not.
ShareSpec to_spec(const FstabEntry& entry);

// Adds to `spec` what another one of the same directory demands and this one leaves open.
void complete(ShareSpec& spec, const ShareSpec& other);

// Removes slashes from the end of a path.
std::string without_slash(std::string path);

// Look up a user or a group; a number stands for itself, whether it has a name or not.
std::optional<unsigned> find_user(const std::string& name);
std::optional<unsigned> find_group(const std::string& name);

// Returns "USER:GROUP", by numbers where there are no names.
std::string owner_text(unsigned uid, unsigned gid);

}  // namespace ha
