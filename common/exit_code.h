// SPDX-License-Identifier: MIT
// The exit codes of handlers and tools. A check exits with its State (common/check_result.h).

#pragma once

namespace ha {

enum ExitCode {
  kExitDone = 0,
  kExitWarnings = 1,  // done with warnings, or not verified
  kExitFailed = 2,    // refused or failed
  kExitUsage = 3,     // of every binary: nothing was begun
};

}  // namespace ha
