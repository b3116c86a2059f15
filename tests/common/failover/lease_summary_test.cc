// SPDX-License-Identifier: MIT
#include "common/failover/lease_summary.h"

#include <gtest/gtest.h>

#include "common/failover/readiness.h"

namespace ha {
namespace {

using Texts = std::vector<std::string>;

// Two nodes and a voter: what the guards of db1 and db2 have.
LeaseSummary seen(std::size_t answering, GuardSighting db1, GuardSighting db2) {
  db1.node = "db1";
  db2.node = "db2";
  return {.voters = 3, .answering = answering, .needed = 2, .guards = {db1, db2}};
}

TEST(LeaseSummaryTest, WhoHasItAndWhichGuardsRun) {
  LeaseSummary with_time = seen(3, {"", 3, 3}, {"", 3, 0});
  with_time.left_s = 1.5;
  const struct {
    LeaseSummary summary;
    std::string text, holder;
    bool free;
    Texts missing;
  } cases[] = {
      {{}, "", "", true, {}},
      {with_time, "lease: the guard of db1 has it (3 of 3 votes, 1.5s left)", "db1", false, {}},
      {seen(2, {"", 2, 2}, {"", 0, 0}),
       "lease: the guard of db1 has it (2 of 3 votes); 2 of 3 voters answer; no guard is seen of "
       "db2",
       "db1",
       false,
       {"db2"}},
      {seen(3, {"", 3, 1}, {"", 3, 0}),
       "lease: no guard has it; the guard of db1 has 1 of 3 votes",
       "",
       true,
       {}},
      {seen(3, {"", 0, 0}, {"", 0, 0}),
       "lease: no guard has it; no guard is seen of db1, db2",
       "",
       true,
       {"db1", "db2"}},
      {seen(1, {"", 1, 0}, {"", 0, 0}),
       "lease: it is not known which guard has it; 1 of 3 voters answer; no guard is seen of db2",
       "",
       false,
       {"db2"}},
      // Where no voter answers, nothing is known of any guard.
      {seen(0, {}, {}),
       "lease: it is not known which guard has it; 0 of 3 voters answer",
       "",
       false,
       {}},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(describe_lease(c.summary), c.text);
    EXPECT_EQ(c.summary.holder(), c.holder) << c.text;
    EXPECT_EQ(c.summary.is_free(), c.free) << c.text;
    EXPECT_EQ(c.summary.is_known(), c.free || !c.holder.empty()) << c.text;
    EXPECT_EQ(c.summary.missing_guards(), c.missing) << c.text;
  }
}

TEST(LeaseSummaryTest, WhatIsToBeDone) {
  const std::string no_lease =
      "no guard has the lease of db1, which takes writes when it is cut off; ";
  const struct {
    const char* name;
    Texts primaries;
    LeaseSummary summary;
    Texts texts;
  } cases[] = {
      {"all is well", {"db1"}, seen(3, {"", 3, 3}, {"", 3, 0}), {}},
      {"its guard does not run",
       {"db1"},
       seen(3, {"", 0, 0}, {"", 3, 0}),
       {no_lease + "to start the guard, run there: mysql_ha guard --node db1"}},
      {"its guard runs and has too few votes",
       {"db1"},
       seen(3, {"", 3, 1}, {"", 3, 0}),
       {no_lease + "its guard runs; to see what it lacks, run there: mysql_ha guard status"}},
      {"the guard of the standby does not run",
       {"db1"},
       seen(3, {"", 3, 3}, {"", 0, 0}),
       {"the guard of db2 is connected to no voter that answers; to start the guard, run there: "
        "mysql_ha guard --node db2"}},
      {"another node has it",
       {"db1"},
       seen(3, {"", 3, 0}, {"", 3, 3}),
       {no_lease + "its guard runs; to see what it lacks, run there: mysql_ha guard status"}},
      {"no voter answers",
       {"db1"},
       seen(0, {}, {}),
       {"it is not known whether the guard of db1 has the lease: 0 of 3 voters answer"}},
      {"too few voters answer",
       {"db1"},
       seen(1, {"", 1, 1}, {"", 1, 0}),
       {"it is not known whether the guard of db1 has the lease: 1 of 3 voters answer"}},
      {"no node takes writes", {}, seen(3, {"", 3, 0}, {"", 3, 0}), {}},
  };
  for (const auto& c : cases) {
    Texts texts;
    for (const Concern& one : judge_lease_keeping(c.primaries, c.summary)) {
      EXPECT_EQ(one.state, State::kWarning) << c.name;
      texts.push_back(one.text);
    }
    EXPECT_EQ(texts, c.texts) << c.name;
  }
}

}  // namespace
}  // namespace ha
