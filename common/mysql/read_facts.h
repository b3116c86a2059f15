// SPDX-License-Identifier: MIT
// Reads a server's facts in few round trips.

#pragma once

#include <optional>

#include "common/mysql/server_facts.h"
#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// Reads everything. Missing privileges leave gaps that are named in the facts; fails only when the
// server does not answer, or answers what is not understood.
Result<ServerFacts> read_server_facts(SqlSession& session);

// Reads again what moves while everything else of the facts stays: history, channels, and the end
// of the binlog; no earlier history is left. Fails as above.
Result<Done> reread_replication(SqlSession& session, ServerFacts& facts);

// The same without the end of the binlog.
Result<Done> reread_received(SqlSession& session, ServerFacts& facts);

// Returns the facts of a server as they are now: what moves of one that was read before, else all.
Result<ServerFacts> reread_server_facts(SqlSession& session,
                                        const std::optional<ServerFacts>& before);

// How long to wait between two such readings, which are cheap: two statements.
inline constexpr double kPoll_s = 0.001;

struct ReadOnlySetting {
  ReadOnlyOrigin origin = ReadOnlyOrigin::kUnknown;
  std::string at = {};  // ServerFacts::read_only_set_at
};

// Reads what set read_only last, and when. It stays unknown where the server does not report it, or
// not to us; fails only when it does not answer.
Result<ReadOnlySetting> read_read_only_origin(SqlSession& session);

// Reads where the binlog ends now; nothing when facts.log_bin is off or the account may not see it.
Result<Done> read_binlog_end(SqlSession& session, ServerFacts& facts);

// The same for the state of semi-sync.
Result<Done> reread_semi_sync(SqlSession& session, ServerFacts& facts);

// Reads the history alone, in one round trip; what channels received is not in it. `server_id` and
// `gtid_mode` come from the facts. kBadData when a set is not understood.
Result<History> read_history(SqlSession& session, std::uint32_t server_id);

}  // namespace ha
