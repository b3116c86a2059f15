// SPDX-License-Identifier: MIT
#include "common/mount/share_spec.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <iterator>
#include <limits>

#include "common/text.h"

namespace ha {

namespace {

constexpr std::string_view kGrammar =
    "accepted: PATH[,type=nfs|glusterfs|any][,source=SOURCE][,owner=USER:GROUP][,mode=OCTAL]";

std::optional<unsigned> parse_id(const std::string& text) {
  const auto number = parse_integer(text);
  if (!number || *number < 0 || *number >= std::numeric_limits<unsigned>::max()) return {};
  return static_cast<unsigned>(*number);
}

Result<Done> take_type(ShareSpec& spec, const std::string& value) {
  if (value != "nfs" && value != "glusterfs" && value != "any")
    return Error{Errc::kUsage, "is not a type (accepted: nfs, glusterfs, any)"};
  spec.type = value == "any" ? "" : value;
  return Done{};
}

Result<Done> take_owner(ShareSpec& spec, const std::string& value) {
  const std::vector<std::string> names = split(value, ':');
  if (names.size() != 2) return Error{Errc::kUsage, "is not an owner (accepted: USER:GROUP)"};
  const auto uid = find_user(names[0]), gid = find_group(names[1]);
  if (!uid) return Error{Errc::kUsage, fmt::format("there is no user '{}'", names[0])};
  if (!gid) return Error{Errc::kUsage, fmt::format("there is no group '{}'", names[1])};
  spec.owner = Owner{value, *uid, gid};
  return Done{};
}

Result<Done> take_mode(ShareSpec& spec, const std::string& value) {
  unsigned mode = 0;
  bool octal = !value.empty() && value.size() <= 5;
  for (const char digit : value) {
    octal = octal && digit >= '0' && digit <= '7';
    mode = mode * 8 + static_cast<unsigned>(digit - '0');
  }
  if (!octal || mode > 07777)
    return Error{Errc::kUsage, "is not a mode (accepted: octal numbers such as 770)"};
  spec.mode = mode;
  return Done{};
}

Result<Done> take_key(ShareSpec& spec, const std::string& key, const std::string& value) {
  if (key == "type") return take_type(spec, value);
  if (key == "owner") return take_owner(spec, value);
  if (key == "mode") return take_mode(spec, value);
  if (key != "source" || value.empty()) return Error{Errc::kUsage, std::string(kGrammar)};
  spec.source = value;
  return Done{};
}

}  // namespace

Result<ShareSpec> parse_share(std::string_view text) {
  const auto bad = [](std::string_view part, std::string_view why) {
    return Error{Errc::kUsage, fmt::format("'{}': {}", sanitize(part), why)};
  };
  const std::vector<std::string> parts = split_values(text);
  ShareSpec spec{without_slash(parts[0])};
  if (!spec.path.starts_with('/')) return bad(text, kGrammar);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t equals = std::min(parts[i].find('='), parts[i].size());
    const std::string value = parts[i].substr(std::min(equals + 1, parts[i].size()));
    if (const auto taken = take_key(spec, parts[i].substr(0, equals), value); !taken)
      return bad(parts[i], taken.error().text);
  }
  return spec;
}

ShareSpec to_spec(const FstabEntry& entry) {
  ShareSpec spec{without_slash(entry.point)};
  spec.may_be_read_only = entry.read_only;
  spec.type = mount_kind(entry.type);
  constexpr std::string_view kAsWritten[] = {"nfs", "glusterfs", "cifs", "sshfs", "9p", "virtiofs"};
  if (std::ranges::find(kAsWritten, spec.type) != std::end(kAsWritten))
    spec.source = entry.source;
  else if (is_fuse(entry.type))
    spec.type = kAnyFuse;
  return spec;
}

void complete(ShareSpec& spec, const ShareSpec& other) {
  if (spec.type.empty()) spec.type = other.type;
  if (spec.source.empty()) spec.source = other.source;
  if (!spec.owner) spec.owner = other.owner;
  if (!spec.mode) spec.mode = other.mode;
  spec.must_be_shared |= other.must_be_shared;
  spec.may_be_read_only |= other.may_be_read_only;
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::optional<unsigned> find_user(const std::string& name) {
  if (const auto id = parse_id(name)) return id;
  const passwd* const user = getpwnam(name.c_str());
  return user != nullptr ? std::optional(user->pw_uid) : std::nullopt;
}

std::optional<unsigned> find_group(const std::string& name) {
  if (const auto id = parse_id(name)) return id;
  const group* const found = getgrnam(name.c_str());
  return found != nullptr ? std::optional(found->gr_gid) : std::nullopt;
}

std::string owner_text(unsigned uid, unsigned gid) {
  const passwd* const user = getpwuid(uid);
  const group* const found = getgrgid(gid);
  return fmt::format("{}:{}", user != nullptr ? user->pw_name : std::to_string(uid),
                     found != nullptr ? found->gr_name : std::to_string(gid));
}

}  // namespace ha
