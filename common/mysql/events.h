// SPDX-License-Identifier: MIT
// The scheduled events of a server. They are to run where the writes go and nowhere else: a replica
// that runs them writes what its source has written already.

#pragma once

#include <vector>

#include "common/mysql/server_event.h"
#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// Reads the events that are enabled, here or on the source: those that the account may see, which
// needs EVENT.
Result<std::vector<ServerEvent>> read_events(SqlSession& session);

}  // namespace ha
