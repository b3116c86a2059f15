// SPDX-License-Identifier: MIT
#include "common/resync/copy_target.h"

#include <fmt/format.h>

#include <variant>

#include "common/execute/failure.h"
#include "common/mysql/events.h"
#include "common/mysql/read_facts.h"
#include "common/mysql/replica_status.h"
#include "common/mysql/statements.h"
#include "common/mysql/topology.h"
#include "common/mysql/variables.h"

namespace ha {

Result<Done> CopyTarget::expect_unchanged() {
  SqlSession& target = sessions_.target();
  const auto closed = read_switch(target, "read_only");
  if (!closed) return closed.error();
  if (!*closed)
    return failure("it accepts writes again: another client or run has acted meanwhile");
  const Node& node = task_.to;
  ServerFacts now = *node.facts;
  if (const auto read = reread_replication(target, now); !read) return read;
  // One that was a replica and is none has been promoted. Which server it follows may change with a
  // failover, but only numbers tell that it has nothing new then.
  const bool numbered = !std::holds_alternative<std::monostate>(now.history);
  if (!now.channels || now.channels->empty() != node.channels().empty() ||
      (!numbered && sources_of(*now.channels) != sources_of(node.channels())))
    return failure(
        "it replicates otherwise than before: another client or run has acted meanwhile");
  if (resync_.extra_transactions == ExtraTransactions::kDiscard) return Done{};
  // Without numbers only a node that does not replicate can tell, by the end of its binlog.
  const bool moved = now.binlog && node.facts->binlog && !(*now.binlog == *node.facts->binlog);
  const bool wrote = numbered ? own_transactions(now) != own_transactions(*node.facts)
                              : now.channels->empty() && moved;
  if (wrote) return failure("it has written since it was probed; run this again");
  return Done{};
}

Result<Done> CopyTarget::begin() {
  SqlSession& target = sessions_.target();
  // What an earlier copying has left, on whatever machine, cannot be put back.
  const auto half = is_half_copied(target);
  if (!half) return half.error();
  if (*half)
    if (const auto recorded = record_.add(kBegun); !recorded) return recorded;
  const auto channels = read_replica_status(target);
  if (!channels) return channels.error();
  Result<Done> begun = Done{};
  for (const ChannelStatus& channel : *channels)
    if (const auto stopped = target.query(stop_replication(target.version(), channel.name));
        begun && !stopped)
      begun = stopped.error();
  if (begun)
    begun = sessions_.under_run_lock([this]() -> Result<Done> {
      if (const auto same = expect_unchanged(); !same) return same;
      // What may be refused comes first: up to here everything can be put back.
      if (const auto closed = close_and_mark(); !closed) return closed;
      if (const auto recorded = begins_(); !recorded) return recorded;
      if (const auto recorded = record_.add(kBegun); !recorded) return recorded;
      return forget_sources();
    });
  if (!begun && !record_.has(kBegun)) roll_back(*channels);
  return begun;
}

// In a new session: the old one may be what has failed.
void CopyTarget::roll_back(const std::vector<ChannelStatus>& channels) {
  const auto session = sessions_.connect_to_target();
  if (!session) return log_(session.error().text);
  const Version& version = (*session)->version();
  std::vector<std::string> sql;
  if (marked_) {
    sql.emplace_back("SET SESSION sql_log_bin=0");
    if (const auto half = is_half_copied(**session); !half || *half)
      sql.push_back(fmt::format("DROP DATABASE {}", kHalfCopy));
    if (version.flavour == Flavour::kMysql) sql.push_back(make_read_only(version));
    if (record_.has(kEvents)) sql.emplace_back("SET GLOBAL event_scheduler=ON");
  }
  for (const ChannelStatus& channel : channels) {
    if (channel.io.state != ThreadState::kStopped)
      sql.push_back(start_receiver(version, channel.name));
    if (channel.sql.running()) sql.push_back(start_applier(version, channel.name));
  }
  // One that fails must not keep the others from being done.
  for (const std::string& one : sql)
    if (const auto done = (*session)->query(one); !done) log_(done.error().text);
  record_.remove();
}

Result<Done> CopyTarget::close_and_mark() {
  SqlSession& target = sessions_.target();
  const auto scheduler = query_value(target, "SELECT @@GLOBAL.event_scheduler");
  if (!scheduler) return scheduler.error();
  std::vector<std::string> sql = {"SET SESSION sql_log_bin=0"};
  if (*scheduler == "ON") {
    if (const auto recorded = record_.add(kEvents); !recorded) return recorded;
    sql.emplace_back("SET GLOBAL event_scheduler=OFF");
  }
  sql.push_back(sessions_.is_mysql() ? "SET GLOBAL read_only=1, GLOBAL super_read_only=0"
                                     : make_read_only(target.version()));
  sql.push_back(fmt::format("CREATE DATABASE IF NOT EXISTS {}", kHalfCopy));
  marked_ = true;
  return run_all(target, sql);
}

Result<Done> CopyTarget::forget_sources() {
  SqlSession& target = sessions_.target();
  const auto channels = read_replica_status(target);
  if (!channels) return channels.error();
  std::vector<std::string> sql;
  for (const ChannelStatus& channel : *channels) {
    sql.push_back(stop_replication(target.version(), channel.name));
    sql.push_back(forget_source(target.version(), channel.name));
  }
  return run_all(target, sql);
}

Result<Done> CopyTarget::take_over(const CopySessions::Session& session) {
  if (const auto replaced = sessions_.replace_target(session); !replaced) return replaced;
  return sessions_.under_run_lock([this]() -> Result<Done> {
    if (const auto forgotten = forget_sources(); !forgotten) return forgotten;
    return close_and_mark();
  });
}

Result<Done> CopyTarget::restore() {
  if (const auto disabled = disable_events(); !disabled) return disabled;
  SqlSession& target = sessions_.target();
  std::vector<std::string> sql = {make_read_only(target.version())};
  const auto scheduler = query_value(target, "SELECT @@GLOBAL.event_scheduler");
  if (!scheduler) return scheduler.error();
  if (record_.has(kEvents) && *scheduler == "OFF")
    sql.emplace_back("SET GLOBAL event_scheduler=ON");
  if (record_.has(kPersisted)) sql.emplace_back("RESET PERSIST IF EXISTS super_read_only");
  return run_all(target, sql);
}

Result<Done> CopyTarget::disable_events() {
  SqlSession& target = sessions_.target();
  const auto events = read_events(target);
  if (!events) return events.error();
  for (const ServerEvent& event : *events)
    if (event.enabled)
      if (const auto done = target.query(disable_on_replica(target.version(), event)); !done)
        return done.error();
  return Done{};
}

}  // namespace ha
