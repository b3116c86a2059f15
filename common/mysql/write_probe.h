// SPDX-License-Identifier: MIT
// Whether a server takes a write now, asked by writing: what is hidden behind a global lock or a
// full disk it tells in no other way. Off unless a table is named.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/deadline.h"
#include "common/mysql/session.h"
#include "common/workers.h"

namespace ha {

struct WriteProbe {
  std::string table = {};        // columns ts, server_id; empty: nothing is written
  std::size_t most_servers = 1;  // when more take writes, none is written to: which one is right?
};

struct ProbeResult {
  ProbeResult() = default;
  ProbeResult(std::string refused_, std::string unknown_)
      : refused(std::move(refused_)), unknown(std::move(unknown_)) {}
  // Of our own: says nothing of the server.
  explicit ProbeResult(const Error& error) : unknown("--write-probe: " + error.text) {}

  std::string refused = {};  // why it takes no writes; empty: it took one, or that is not known
  std::string unknown = {};  // why that is not known, with what to run; empty: it is
};

struct WriteTarget {
  std::shared_ptr<SqlSession> session;
  std::uint32_t server_id = 0;
};

// Updates in each server, all at the same time, the row of the server itself, which must exist,
// once; returns within 3 seconds and before the deadline, one result for each. Nothing is written
// when less than two seconds are left. A session that had not answered by then may hang, and is of
// no use any more.
std::vector<ProbeResult> try_writes(Workers& workers, const std::vector<WriteTarget>& servers,
                                    const std::string& table, const Deadline& deadline);

}  // namespace ha
