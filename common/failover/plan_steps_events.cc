// SPDX-License-Identifier: MIT
// The steps by which scheduled events run where the writes go, and nowhere else.
#include <fmt/format.h>

#include <algorithm>

#include "common/failover/plan_steps.h"
#include "common/failover/role_statements.h"

namespace ha {

// Before it is closed: under MySQL's super_read_only it could not be done any more, and MariaDB's
// events write to a closed server.
void StepWriter::disable_events() {
  if (const std::string why = why_events_unknown(primary_); !why.empty())
    plan_.warnings.push_back(why);
  Statements statements = disable_events_of(*primary_.facts);
  if (statements.empty()) return;
  Step disable =
      at(Action::kEvents, primary_, std::move(statements), "it runs no events as a replica");
  disable.may_fail = true;
  Statements enabled;
  for (const ServerEvent& event : *primary_.facts->events)
    if (event.enabled) enabled.push_back({Part::kEnableEvent, enable(event)});
  disable.undo.push_back(at(Action::kEvents, primary_, std::move(enabled), "as it was"));
  add(std::move(disable));
}

// Those that ran on the old primary, or came from a server of the cluster.
void StepWriter::enable_events() {
  const ServerFacts& facts = *candidate_.facts;
  if (const std::string why = why_events_unknown(candidate_); !why.empty())
    plan_.warnings.push_back(why);
  const auto& of_primary = primary_.facts ? primary_.facts->events : std::nullopt;
  const auto ran = [&](const ServerEvent& event) {
    if (of_primary)
      return std::ranges::any_of(*of_primary, [&](const ServerEvent& one) {
        return one.enabled && one.name == event.name;
      });
    return like_.source_server_id == event.origin ||
           std::ranges::any_of(nodes_, [&](const Node& node) {
             return node.facts && node.facts->server_id == event.origin;
           });
  };
  Statements statements;
  for (const ServerEvent& event : facts.events.value_or(std::vector<ServerEvent>()))
    if (event.on_source && ran(event)) statements.push_back({Part::kEnableEvent, enable(event)});
  if (!statements.empty())
    add(Action::kEvents, candidate_, std::move(statements), "it runs them now");
  if (primary_.facts && primary_.facts->event_scheduler == true && facts.event_scheduler != true &&
      of_primary && !of_primary->empty())
    plan_.warnings.push_back(
        fmt::format("{} does not run the events that {} ran; run there: SET GLOBAL "
                    "event_scheduler=ON",
                    candidate_.name, primary_.name));
}

}  // namespace ha
