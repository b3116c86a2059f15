// SPDX-License-Identifier: MIT
#include "common/failover/role_statements.h"

#include <fmt/format.h>

#include "common/mysql/statements.h"

namespace ha {

Statement close_server(const Version& version) { return {Part::kClose, make_read_only(version)}; }

Statement open_server(const Version& version) { return {Part::kOpen, make_writable(version)}; }

Statements close_for_everybody(const Version& version) {
  Statements statements;
  for (std::string& sql : block_writers(version))
    statements.push_back({statements.empty() ? Part::kClose : Part::kLock, std::move(sql)});
  return statements;
}

Statement semi_sync_switch(std::string_view variable, bool on) {
  return {on ? Part::kSemiSyncOn : Part::kSemiSyncOff,
          fmt::format("SET GLOBAL {}={}", variable, on ? "ON" : "OFF")};
}

Statements semi_sync_as_replica(const ServerFacts& facts, Acknowledge acknowledge) {
  const SemiSync& own = facts.semi_sync;
  Statements statements;
  if (own.source_enabled == true)
    statements.push_back(semi_sync_switch(own.source_variable, false));
  if (acknowledge == Acknowledge::kYes && own.replica_enabled != true &&
      !own.replica_variable.empty())
    statements.push_back(semi_sync_switch(own.replica_variable, true));
  return statements;
}

std::string why_not_acknowledging(const Node& node) {
  if (node.facts->semi_sync.replica_enabled || !node.facts->semi_sync.replica_variable.empty())
    return "";
  return fmt::format(
      "{} cannot acknowledge transactions, so its source does not wait for it; run there: INSTALL "
      "PLUGIN "
      "rpl_semi_sync_replica SONAME 'semisync_replica.so'",
      node.name);
}

Statements disable_events_of(const ServerFacts& facts) {
  Statements statements;
  for (const ServerEvent& event : facts.events.value_or(std::vector<ServerEvent>()))
    if (event.enabled)
      statements.push_back({Part::kDisableEvent, disable_on_replica(facts.version, event)});
  return statements;
}

// MySQL's scheduler runs by default, and super_read_only stops what it would write.
std::string why_events_unknown(const Node& node) {
  const ServerFacts& facts = *node.facts;
  if (facts.version.flavour != Flavour::kMariadb || facts.event_scheduler != true || facts.events)
    return "";
  return fmt::format(
      "it cannot be seen whether {} has events; run: GRANT EVENT, SET USER, BINLOG "
      "ADMIN ON *.* TO the account",
      node.name);
}

}  // namespace ha
