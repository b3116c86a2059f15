// SPDX-License-Identifier: MIT
// Whether a replica has applied all that it has received. Pure.

#pragma once

#include <cstdint>
#include <optional>

#include "common/mysql/channel_status.h"
#include "common/mysql/history.h"
#include "common/mysql/server_facts.h"

namespace ha {

// Returns how many transactions a server with this history has received by a channel and not
// applied; nullopt for a channel that does not ask by GTID, or when the server numbers none.
std::optional<std::uint64_t> unapplied(const History& history, const ChannelStatus& channel);

// True when it has applied all: by these numbers, or else by the channel's positions.
bool is_drained(const History& history, const ChannelStatus& channel);

// True when a replica has applied all that another server had, as far as this channel tells.
bool has_all(const ServerFacts& replica, const ChannelStatus& channel, const ServerFacts& other);

}  // namespace ha
