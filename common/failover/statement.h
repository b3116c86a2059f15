// SPDX-License-Identifier: MIT
// A statement of a plan: the SQL that an operator reads, what it does, and what it can only know
// when it runs. What carries it out goes by the part and the placeholders; nothing reads the SQL
// but the server. Plain values.

#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mysql/statements.h"

namespace ha {

// What a statement does, by which it is found among those of its step.
enum class Part {
  kClose,   // close the server for writes
  kLock,    // lock all tables as long as the session lives, for the clients that kClose leaves out
  kUnlock,  // end that
  kOpen,    // open the server for writes
  kStop,    // stop replication, or one of its threads
  kForget,  // forget the source
  kBegin,   // begin after the server's own transactions
  kPoint,   // name the source
  kDelay,   // change the delay of a channel
  kStart,   // start replication, or one of its threads
  kSemiSyncOff,  // wait for acknowledgements no more
  kSemiSyncOn,   // wait for acknowledgements, or give them
  kDisableEvent,
  kEnableEvent,
  kInsertEvent,  // tell of a change in the console of Pandora FMS
};

// What a statement can only know when it runs. It stands in the SQL in braces, outside of quotes.
enum class Placeholder {
  kBinlogEnd,     // {binlog_file}, {binlog_position}: end of the candidate's binlog, when drained
  kApplied,       // {applied_file}, {applied_position}: in the old primary's, by the candidate
  kRelay,         // {relay_file}, {relay_position}: of the node's own applier in its relay log
  kReplPassword,  // {repl_password}: of the replication account
};

struct Statement {
  Part part;
  std::string sql = {};
  std::vector<Placeholder> placeholders = {};

  bool needs(Placeholder placeholder) const;
  bool operator==(const Statement&) const = default;
};

using Statements = std::vector<Statement>;

// True when one of them needs it.
bool need(const Statements& statements, Placeholder placeholder);

// Returns those of one of the parts, in their order; or those of none of them.
Statements only(const Statements& statements, std::initializer_list<Part> parts);
Statements without(const Statements& statements, std::initializer_list<Part> parts);

// Returns the SQL of each.
std::vector<std::string> sql_of(const Statements& statements);

// Returns a position that is not known yet, as SQL. Precondition: the placeholder is one.
LogPosition position_for(Placeholder placeholder);
inline constexpr char kReplPassword[] = "{repl_password}";

// Return the names by which journals know them, as in kSemiSyncOff: "semi-sync-off"; and the other
// way round, nullopt for a word that names none.
std::string_view part_name(Part part);
std::optional<Part> parse_part(std::string_view name);
std::string_view placeholder_name(Placeholder placeholder);
std::optional<Placeholder> parse_placeholder(std::string_view name);

}  // namespace ha
