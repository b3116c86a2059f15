// SPDX-License-Identifier: MIT
// What the steps of a run have found, for later steps and for later runs. Pure.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/journal_record.h"
#include "common/mysql/channel_status.h"

namespace ha {

struct RunFacts {
  bool opened = false;                           // the new primary was seen to accept writes
  bool closed = false;                           // a server was made read-only
  bool fenced = false;                           // the fence command has fenced the old primary
  std::set<std::string> drained = {};            // nodes that have applied all that they received
  std::optional<std::uint64_t> rescued = {};     // transactions, from the old primary's disk
  std::optional<BinlogPosition> applied = {};    // of the old primary's binlog, by the candidate
  std::optional<BinlogPosition> binlog = {};     // where the candidate's own ended then
  std::optional<BinlogPosition> closed_at = {};  // where the old primary's ended, closed
  std::optional<BinlogPosition> after_rescue = {};  // where the candidate's own ended after that
  // By the step's number; empty: when it was done for the last time it gave none any more.
  std::map<int, std::string> warnings = {};

  bool operator==(const RunFacts&) const = default;
};

// Returns the facts that are known as the fields of a record.
JournalRecord to_fields(const RunFacts& facts);

// Reads one field of a record; one that is no fact is passed over.
void read_field(RunFacts& facts, std::string_view name, const std::string& value);

// Adds what a step has found: its facts replace those of before.
void add_facts(RunFacts& facts, const RunFacts& found);

}  // namespace ha
