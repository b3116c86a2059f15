// SPDX-License-Identifier: MIT
#include "common/merge/merge_sessions.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/context/node_locks.h"
#include "common/merge/table_sql.h"
#include "common/mysql/max_packet.h"
#include "common/text.h"

namespace ha {

namespace {

// The longest time for one statement, a commit that waits for a replica's acknowledgement among
// them.
constexpr unsigned kAnswer_s = 300;
constexpr int kPatience_s = 5;
// How many spans are merged at the same time. Other versions of this program have as many locks.
constexpr std::size_t kPairs = 4;

Result<std::shared_ptr<SqlSession>> open_session(const Env& env, const FailoverOptions& options,
                                                 const Node& node, MergeSide side) {
  MysqlOptions mysql = options_for({node.name, node.host, node.port}, options.cluster.mysql,
                                   options.probe_timeout_s);
  mysql.answer_timeout_s = kAnswer_s;
  auto session = env.connector.connect(mysql);
  if (!session) return session.error();
  for (const std::string& sql : settings_for_merging((*session)->version(), side))
    if (const auto set = (*session)->query(sql); !set) return set.error();
  return std::shared_ptr<SqlSession>(std::move(*session));
}

// Takes the lock of one pair.
Result<Done> lock_winner(SqlSession& session, std::size_t pair, const std::string& node) {
  const std::string lock = pair == 0 ? kMergeLock : fmt::format("{}:{}", kMergeLock, pair);
  const auto locked = take_node_lock(session, lock, kPatience_s);
  if (!locked) return locked.error();
  if (*locked) return Done{};
  const auto holder = node_lock_holder(session, lock);
  return Error{Errc::kRefused,
               fmt::format("another merge is at work on {} (connection {}); a merge that was "
                           "killed ends there with its last statement",
                           node, holder ? *holder : "not known")};
}

// What is copied to has lost its rows; a resync of another machine finds the lock, too.
Result<Done> lock_loser(SqlSession& session, const std::string& node) {
  const auto locked = take_node_lock(session, kCopyLock, kPatience_s);
  if (!locked) return locked.error();
  if (*locked) return Done{};
  return Error{Errc::kRefused,
               fmt::format("{} is being copied to by a resync, or read by another merge; to see "
                           "which, run: mysql_ha journal",
                           node)};
}

Result<std::uint64_t> read_most_bytes(SqlSession& winner, const std::string& node) {
  const auto packet = query_value(winner, "SELECT @@SESSION.max_allowed_packet");
  if (!packet) return packet.error();
  const auto most = parse_integer(*packet);
  constexpr std::uint64_t kHeader = 1024;
  if (!most || *most < 2 * static_cast<long long>(kHeader))
    return Error{Errc::kBadData, fmt::format("max_allowed_packet of {} is too small: {}", node,
                                             shorten(sanitize(*packet), 40))};
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(*most), kMaxPacket) - kHeader;
}

}  // namespace

Result<std::vector<MergeSessions>> open_merge_sessions(const Env& env,
                                                       const FailoverOptions& options,
                                                       const Node& from, const Node& to,
                                                       MergeEffect effect) {
  std::vector<MergeSessions> pairs;
  while (pairs.size() < kPairs) {
    auto loser = open_session(env, options, from, MergeSide::kLoser);
    if (!loser) return loser.error();
    auto winner = open_session(env, options, to, MergeSide::kWinner);
    if (!winner) return winner.error();
    if (effect == MergeEffect::kInsert) {
      if (const auto locked = lock_winner(**winner, pairs.size(), to.name); !locked)
        return locked.error();
      if (pairs.empty())
        if (const auto locked = lock_loser(**loser, from.name); !locked) return locked.error();
    }
    const auto most = read_most_bytes(**winner, to.name);
    if (!most) return most.error();
    pairs.push_back({std::move(*loser), std::move(*winner), from.name, to.name, *most});
  }
  return pairs;
}

Result<MergeSessions> open_winner_session(const Env& env, const FailoverOptions& options,
                                          const Node& to, MergeEffect effect) {
  auto winner = open_session(env, options, to, MergeSide::kWinner);
  if (!winner) return winner.error();
  for (std::size_t pair = 0; pair < kPairs && effect == MergeEffect::kInsert; ++pair)
    if (const auto locked = lock_winner(**winner, pair, to.name); !locked) return locked.error();
  const auto most = read_most_bytes(**winner, to.name);
  if (!most) return most.error();
  return MergeSessions{nullptr, std::move(*winner), "", to.name, *most};
}

}  // namespace ha
