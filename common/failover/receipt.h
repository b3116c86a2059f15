// SPDX-License-Identifier: MIT
// Whether a replica received from its source until that died, or had stopped before: then what it
// has is older than it looks. Pure.

#pragma once

#include <string>

#include "common/mysql/channel_status.h"
#include "common/mysql/memory.h"

namespace ha {

struct Receipt {
  bool to_the_end = true;   // as far as anything tells
  std::string reason = {};  // why it is not: "error 1045: Access denied ..."
  double since_s = 0;       // since the epoch; 0: not known
};

// Prints a time, in seconds since the epoch: "2026-11-29 12:03:11 UTC".
std::string format_time(double since_epoch_s);

// Judges a channel from a source that is silent now. The first attempt after the source's death
// replaces the error of those before it, so `seen`, the channel as it was when the source was last
// seen, is asked too; null: it was not seen.
Receipt judge_receipt(const ChannelStatus& channel, const SeenChannel* seen);

}  // namespace ha
