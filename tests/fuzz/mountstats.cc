// SPDX-License-Identifier: MIT
// /proc/self/mountstats.

#include "common/mount/nfs_stats.h"
#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) { parse_mountstats(text); }
