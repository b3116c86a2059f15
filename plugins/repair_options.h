// SPDX-License-Identifier: MIT
// The options that mysql_ha and an event handler that repairs have in common.

#pragma once

#include "common/cli.h"
#include "common/merge/merge_options.h"
#include "common/resync/copy_options.h"

namespace ha {

// Each target must outlive parse().

// Adds how a node becomes a copy of another one, but for which.
void add_copy_options(Cli& cli, ResyncOptions& resync);

// Adds which rows are merged.
void add_merge_table_options(Cli& cli, MergeOptions& merge);

}  // namespace ha
