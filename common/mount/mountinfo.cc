// SPDX-License-Identifier: MIT
#include "common/mount/mountinfo.h"

#include <algorithm>
#include <optional>

#include "common/text.h"

namespace ha {

namespace {

// Takes the text up to a separator away from the front of `rest`. Not split(): a table of mounts
// may be long, and a source may be empty.
std::string_view take(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty())
    if (take(options, ',') == wanted) return true;
  return false;
}

// "36 35 98:0 / /mnt rw,noatime master:1 - nfs4 nas:/export rw,vers=4.2"
std::optional<Mount> parse_line(std::string_view line) {
  Mount mount;
  const auto id = parse_integer(take(line, ' ')), parent = parse_integer(take(line, ' '));
  take(line, ' ');  // the device's numbers
  mount.root = unescape_octal(take(line, ' '));
  mount.point = unescape_octal(take(line, ' '));
  const std::string_view options = take(line, ' ');
  while (!line.empty()) {
    const std::string_view field = take(line, ' ');
    if (field == "-") break;
    if (field.starts_with("master:")) mount.follows = true;
  }
  mount.type = unescape_octal(take(line, ' '));
  mount.source = unescape_octal(take(line, ' '));
  mount.read_only = has_option(options, "ro") || has_option(line, "ro");
  if (!id || !parent || !mount.point.starts_with('/') || mount.type.empty()) return std::nullopt;
  mount.id = static_cast<int>(*id);
  mount.parent = static_cast<int>(*parent);
  return mount;
}

bool is_child(const MountTable& table, const Mount& mount, const Mount* parent) {
  if (parent != nullptr) return mount.parent == parent->id && mount.id != parent->id;
  return mount.parent == mount.id ||
         std::ranges::find(table.mounts, mount.parent, &Mount::id) == table.mounts.end();
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace

std::string unescape_octal(std::string_view word) {
  const auto octal = [&](std::size_t i) { return word[i] >= '0' && word[i] <= '7'; };
  std::string text;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\\' && i + 3 < word.size() && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      text += static_cast<char>((word[i + 1] - '0') * 64 + (word[i + 2] - '0') * 8 +
                                (word[i + 3] - '0'));
      i += 3;
    } else {
      text += word[i];
    }
  }
  return text;
}

MountTable parse_mountinfo(std::string_view text) {
  MountTable table;
  while (!text.empty()) {
    const std::string_view line = take(text, '\n');
    if (line.empty()) continue;
    if (auto mount = parse_line(line))
      table.mounts.push_back(std::move(*mount));
    else
      ++table.malformed;
  }
  return table;
}

const Mount* cross(const MountTable& table, const Mount* from, std::string_view point) {
  // No stack is higher than the table is long; a damaged table may go in circles.
  for (std::size_t height = 0; height < table.mounts.size(); ++height) {
    const auto next = std::ranges::find_if(table.mounts, [&](const Mount& mount) {
      return mount.point == point && is_child(table, mount, from);
    });
    if (next == table.mounts.end()) break;
    from = &*next;
  }
  return from;
}

const Mount* mount_of(const MountTable& table, std::string_view path) {
  const Mount* mount = cross(table, nullptr, "/");
  for (std::size_t end = 0; end < path.size();) {
    end = std::min(path.find('/', end + 1), path.size());
    if (end > 1) mount = cross(table, mount, path.substr(0, end));
  }
  return mount;
}

bool is_fuse(std::string_view type) {
  return type.starts_with("fuse.") ||
         is_one_of(type, {"fuse",      "glusterfs", "sshfs",   "mergerfs",  "bindfs",
                          "mhddfs",    "s3fs",      "goofys",  "gcsfuse",   "mount-s3",
                          "blobfuse",  "blobfuse2", "rclone",  "juicefs",   "seaweedfs",
                          "ceph-fuse", "curlftpfs", "davfs",   "davfs2",    "moosefs",
                          "mfsmount",  "lizardfs",  "saunafs", "gocryptfs", "encfs"});
}

bool is_deleted(const Mount& mount) { return mount.root.ends_with("//deleted"); }

bool is_shared(std::string_view type) {
  return is_fuse(type) || is_one_of(type, {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "9p",
                                           "virtiofs", "afs", "lustre", "beegfs", "gpfs", "ocfs2",
                                           "gfs2", "pvfs2", "ncpfs", "coda", "panfs"});
}

bool may_hang(const Mount& mount) {
  return !is_one_of(mount.type,
                    {"ext2",  "ext3",     "ext4",     "xfs",   "btrfs", "bcachefs", "f2fs",
                     "jfs",   "zfs",      "reiserfs", "ufs",   "vfat",  "iso9660",  "udf",
                     "erofs", "squashfs", "overlay",  "tmpfs", "ramfs", "devtmpfs", "rootfs"});
}

std::string mount_kind(std::string_view type) {
  if (type.starts_with("fuse.")) type.remove_prefix(5);
  if (type == "nfs4") return "nfs";
  if (type == "smb3" || type == "smbfs") return "cifs";
  return std::string(type);
}

std::vector<FstabEntry> parse_fstab(std::string_view text) {
  std::vector<FstabEntry> entries;
  while (!text.empty()) {
    const std::vector<std::string> fields = split_words(take(text, '\n'));
    if (fields.size() < 4 || fields[0].starts_with('#')) continue;
    const std::string &type = fields[2], &options = fields[3];
    if (is_shared(type) && fields[1].starts_with('/'))
      entries.push_back({unescape_octal(fields[0]), unescape_octal(fields[1]), type,
                         has_option(options, "ro"), !has_option(options, "noauto")});
  }
  return entries;
}

}  // namespace ha
