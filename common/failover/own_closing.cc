// SPDX-License-Identifier: MIT
#include "common/failover/own_closing.h"

#include "common/mysql/server_facts.h"

namespace ha {

std::string find_change_since(const OwnClosing& closing, const ServerFacts& facts) {
  if (!facts.binlog) return "where its binlog ends is not known";
  if (*facts.binlog != closing.binlog) return "its binlog ends elsewhere now";
  if (facts.read_only_set_at != closing.set_at) return "read_only was set again since";
  return "";
}

}  // namespace ha
