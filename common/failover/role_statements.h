// SPDX-License-Identifier: MIT
// The statements that give a server another role, beside those of replication itself: closing and
// opening it, semi-sync, events; and the warnings about what it lacks for that. Pure.

#pragma once

#include <string>
#include <string_view>

#include "common/failover/statement.h"
#include "common/mysql/topology.h"

namespace ha {

// Closes a server for writes, or opens it.
Statement close_server(const Version& version);
Statement open_server(const Version& version);

// Returns the statements after which no client can write, an administrator neither; on MariaDB only
// as long as the session lives.
Statements close_for_everybody(const Version& version);

// Switches one of the variables of semi-sync.
Statement semi_sync_switch(std::string_view variable, bool on);

// Returns the statements that take the semi-sync role of a source from a server which is to
// replicate, whose applier would wait for replicas of its own; and, if it is to `acknowledge`, give
// it the replica's. To be run before its receiver starts.
enum class Acknowledge { kAsBefore, kYes };
Statements semi_sync_as_replica(const ServerFacts& facts, Acknowledge acknowledge);

// Returns the warning that a server has not the plugin by which replicas acknowledge; empty: it
// has.
std::string why_not_acknowledging(const Node& node);

// Returns the statements that keep a server's events from running on it, as a replica; empty: it
// runs none. No binlog tells of it.
Statements disable_events_of(const ServerFacts& facts);

// Returns the warning that a server may run events and does not show them; empty: it does.
std::string why_events_unknown(const Node& node);

}  // namespace ha
