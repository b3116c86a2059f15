// SPDX-License-Identifier: MIT
// What keeps a server from taking writes beside read_only, as far as it tells, and whether it is a
// part of its cluster. Plain values.

#pragma once

#include <string>
#include <vector>

namespace ha {

enum class GroupState {
  kNone,     // neither a Galera node nor configured for Group Replication
  kMember,   // gets the group's changes
  kOutside,  // has left it, was never in it, or is in a part without a majority
};

struct WriteObstacles {
  std::vector<std::string> reasons =
      {};  // each refuses the clients' writes: "innodb_read_only is ON"
  GroupState group = GroupState::kNone;
  std::string outside = {};       // why it is kOutside
  bool shared_storage = false;    // an Amazon Aurora reader: its storage is the writer's
  std::string group_unread = {};  // why its group is not known, with the GRANT; empty: it is
  std::string unread = {};  // why a write probe tells nothing, with what to run; empty: it does

  bool any() const { return !reasons.empty(); }
  std::string text() const {
    std::string all;
    for (const std::string& reason : reasons) all += (all.empty() ? "" : ", ") + reason;
    return all;
  }
  // True when changes come in another way than by a channel.
  bool gets_changes() const { return group == GroupState::kMember || shared_storage; }
};

}  // namespace ha
