// SPDX-License-Identifier: MIT
// Whether a server takes a write now, asked by writing: what is hidden behind a global lock or a
// full disk it tells in no other way. Off unless a table is named.

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/cli.h"
#include "common/mysql/session.h"

namespace ha {

struct WriteProbe {
  std::string table = {};        // pt-heartbeat's columns; empty: nothing is written
  std::size_t most_servers = 1;  // when more take writes, none is written to: which one is right?
};

struct ProbeResult {
  std::string refused = {};  // why it takes no writes; empty: it took one, or that is not known
  std::string unknown = {};  // why that is not known, with what to run; empty: it is
};

// Updates the row of the server itself, which must exist, once; returns within `seconds`. A session
// that had not answered by then may hang, and is of no use any more.
ProbeResult probe_write(const std::shared_ptr<SqlSession>& session, const std::string& table,
                        std::uint32_t server_id, double seconds);

// Adds --write-probe.
void add_write_probe_option(Cli& cli, WriteProbe& probe);

}  // namespace ha
