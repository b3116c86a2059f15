// SPDX-License-Identifier: MIT
// Why a replica that runs applies nothing: a lock that another client holds, or replicas of its own
// whose acknowledgement it waits for.

#pragma once

#include <string>

#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// Returns what the server's applier waits for and which connection holds it up, as far as the
// server tells; empty when it waits for nothing that does not come by itself.
Result<std::string> read_applier_wait(SqlSession& session);

}  // namespace ha
