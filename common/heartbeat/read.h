// SPDX-License-Identifier: MIT
// Reads one heartbeat, whatever it is: the one door to all sources.

#pragma once

#include <string>

#include "common/deadline.h"
#include "common/heartbeat/facts.h"
#include "common/heartbeat/spec.h"
#include "common/result.h"

namespace ha {

// Returns how messages name the place of the heartbeat: server, file or URL.
std::string heartbeat_place(const HeartbeatSpec& spec);

// Reads the heartbeat of a finished spec. What is absent is a fact: the row, the file, the table,
// the database. A row that may have vanished for a moment is searched for again after two seconds
// if the deadline leaves them. Fails as connect(), the sources and http_request() do. Blocks as
// long as network and file system do: the caller's hard stop bounds it.
Result<HeartbeatFacts> read_heartbeat(const HeartbeatSpec& spec, const Deadline& deadline);

}  // namespace ha
