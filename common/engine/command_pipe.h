// SPDX-License-Identifier: MIT
// The named pipe on which Nagios, Naemon and Icinga 1 take external commands. Never created here,
// never waited on: a shell's `echo >> nagios.cmd` makes a regular file where the pipe is missing,
// which keeps the engine from starting, and hangs where no process reads.
//
// A written command is not an executed one: the reader is a worker of the engine, which takes
// commands although the engine itself hangs.

#pragma once

#include <string>

#include "common/result.h"

namespace ha {

// Writes one line, which has no newline yet, whole or not at all. Fails with kMissing (no such
// file), kUnreachable (no process reads), kRefused (the pipe is full): these may pass; and with
// kPrivilege (not allowed) or kUsage (no pipe, line too long), which will not.
// Precondition: SIGPIPE is ignored.
Result<Done> write_command(const std::string& path, const std::string& line);

}  // namespace ha
