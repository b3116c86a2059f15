// SPDX-License-Identifier: MIT
// Naemon's query handler: a Unix socket on which the engine's main loop itself takes commands and
// answers them, so that its answer proves both that it lives and that the command was carried out
// (src/naemon/query-handler.c).

#pragma once

#include <string>

#include "common/deadline.h"
#include "common/result.h"

namespace ha {

// Runs one external command, such as "[1714557600] ENABLE_NOTIFICATIONS". Fails with kMissing or
// kUnreachable (no socket, no listener, no answer in time), which may pass, kPrivilege, or
// kBadData (Naemon refused the command, or the answer is not Naemon's).
Result<Done> run_query_handler_command(const std::string& path, const std::string& command,
                                       const Deadline& deadline);

}  // namespace ha
