// SPDX-License-Identifier: MIT
// What a receiver's error says of its source: that the source has lost what it had sent. It says so
// for as long as the receiver stands, also when the source has used the same numbers again and no
// set of GTIDs shows it any more. Pure.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/mysql/channel_status.h"

namespace ha {

enum class SourceLoss {
  kNone,
  kPossible,  // its binlog cannot be read where the replica stands: damaged, cut short, begun anew
              // (RESET), or the replica was given a wrong position
  kProven,
};

// Judges the receiver's error of a channel. `source_id` is the server_id of its source (0: not
// known): a GTID that the source lacks counts when it bears that. `source_end` is the end of the
// source's binlog, where it can be read: without it, a binlog file that is not there was purged.
// Texts: MySQL 5.7 to 9.7, errors 1236 and 13114; MariaDB 10.11, error 1236.
SourceLoss judge_source_loss(const ChannelStatus& channel, std::uint32_t source_id,
                             const std::optional<BinlogPosition>& source_end);

// Returns what the source said, without what wraps it: "Replica has more GTIDs than the source
// has, using the source's SERVER_UUID". Shortened for people.
std::string source_words(const ReplicationThread& io);

}  // namespace ha
