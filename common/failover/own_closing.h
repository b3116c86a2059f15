// SPDX-License-Identifier: MIT
// What a guard leaves when it has closed its own server for want of votes, so that it, or the guard
// after it, may open that again. Pure.
//
// A server that was restarted begins a new binlog, and one that an operator has opened for clients
// has a longer one: where it ends tells that the server is as the guard has left it.

#pragma once

#include <string>

#include "common/mysql/channel_status.h"

namespace ha {

struct ServerFacts;

struct OwnClosing {
  std::string node = {};
  BinlogPosition binlog = {};  // where its own ended
  std::string set_at = {};     // ServerFacts::read_only_set_at

  bool operator==(const OwnClosing&) const = default;
};

// Returns what tells that the server is not any more as that guard has left it: "it has written
// since"; empty when nothing does.
std::string find_change_since(const OwnClosing& closing, const ServerFacts& facts);

}  // namespace ha
