// SPDX-License-Identifier: MIT
#include "common/mount/locate.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "common/text.h"

namespace ha {

namespace {

constexpr int kMostLinks = 40;  // as the kernel: more is a loop

void push_components(std::vector<std::string>& todo, const std::string& path) {
  std::vector<std::string> parts = split(path, '/');
  std::move(parts.rbegin(), parts.rend(), std::back_inserter(todo));
}

}  // namespace

bool Location::mounted() const {
  // A shared root is where a diskless machine or a container lives, not a share in it.
  return mount && (mount->point == path || (mount->point != "/" && is_shared(mount->type)));
}

Location locate(const MountTable& table, const std::string& path, const ReadLink& read_link) {
  const Mount* const root = mount_of(table, "/");
  const Mount* mount = root;
  std::string at;  // without the slash of the root
  std::vector<std::string> todo;
  push_components(todo, path);
  for (int links = 0; !todo.empty();) {
    const std::string name = std::move(todo.back());
    todo.pop_back();
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      at.resize(at.empty() ? 0 : at.rfind('/'));
      mount = mount_of(table, at.empty() ? "/" : at);
      continue;
    }
    const std::string next = at + "/" + name;
    const Mount* const holder = cross(table, mount, next);
    if (holder == mount && !(mount != nullptr && may_hang(*mount)) && links < kMostLinks) {
      if (const auto target = read_link(next)) {
        ++links;
        push_components(todo, *target);
        if (target->starts_with('/')) {
          at.clear();
          mount = root;
        }
        continue;
      }
    }
    mount = holder;
    at = next;
  }
  return {mount != nullptr ? std::optional(*mount) : std::nullopt, at.empty() ? "/" : at};
}

}  // namespace ha
