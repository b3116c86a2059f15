// SPDX-License-Identifier: MIT
// The end of a run that waits for what no deadline bounds: prints what was being waited for and
// leaves the process.

#pragma once

#include <string>

#include "common/deadline.h"

namespace ha {

// Ends the process at the deadline, whatever it is doing (SIGALRM): writes `output` to standard
// output and exits with `exit_code`. Each call replaces the last one's deadline and words. Uses
// only async-signal-safe calls at the end, hence the prepared output.
void set_hard_stop(const Deadline& deadline, std::string output, int exit_code);

// Ends the hard stop's watch: the run has its result and prints it now.
void clear_hard_stop();

}  // namespace ha
