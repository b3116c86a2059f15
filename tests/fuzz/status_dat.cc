// SPDX-License-Identifier: MIT
// Nagios' and Naemon's status file.

#include "common/engine/status_dat.h"

#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) { parse_status_dat(text); }
