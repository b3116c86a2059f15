// SPDX-License-Identifier: MIT
#include "common/failover/run_facts.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

RunFacts read(const JournalRecord& fields) {
  RunFacts facts;
  for (const auto& [name, value] : fields) read_field(facts, name, value);
  return facts;
}

TEST(RunFactsTest, AreReadBackAsTheyWere) {
  const RunFacts all = {.opened = true,
                        .closed = true,
                        .fenced = true,
                        .drained = {"db2", "db3"},
                        .rescued = 3,
                        .applied = BinlogPosition{"db1.000007", 700},
                        .binlog = BinlogPosition{"db2.000002", 200},
                        .closed_at = BinlogPosition{"", 0},
                        .after_rescue = BinlogPosition{"db2.000003", 300},
                        .warnings = {{4, "not fenced"}, {12, ""}}};
  EXPECT_EQ(read(to_fields(all)), all);
  EXPECT_EQ(read(to_fields({})), RunFacts{});
  EXPECT_TRUE(to_fields({}).empty());
}

// As the versions until 0.1.0 wrote them, among the other fields of a record.
TEST(RunFactsTest, AreReadOutOfOldJournals) {
  const RunFacts facts = read({{"time", "1764417791.123"},
                               {"event", "step-done"},
                               {"number", "4"},
                               {"text", "/usr/local/sbin/fence: exit code 0"},
                               {"fenced", "/usr/local/sbin/fence: exit code 0"},
                               {"drained_db2", "yes"},
                               {"applied_file", "binlog.000007"},
                               {"applied_position", "1000"},
                               {"saved", "12"},
                               {"saved_in", "/var/lib/x.extra.sql"},
                               {"rescued", "many"},
                               {"warning_4", "db1 is NOT fenced"}});
  EXPECT_EQ(facts, (RunFacts{.fenced = true,
                             .drained = {"db2"},
                             .rescued = 0,
                             .applied = BinlogPosition{"binlog.000007", 1000},
                             .warnings = {{4, "db1 is NOT fenced"}}}));
}

TEST(RunFactsTest, WhatAStepFindsReplacesWhatWasKnown) {
  RunFacts facts = {.drained = {"db2"},
                    .applied = BinlogPosition{"binlog.000001", 4},
                    .warnings = {{4, "not fenced"}}};
  add_facts(
      facts,
      {.drained = {"db3"}, .applied = BinlogPosition{"binlog.000002", 8}, .warnings = {{4, ""}}});
  EXPECT_EQ(facts, (RunFacts{.drained = {"db2", "db3"},
                             .applied = BinlogPosition{"binlog.000002", 8},
                             .warnings = {{4, ""}}}));
}

}  // namespace
}  // namespace ha
