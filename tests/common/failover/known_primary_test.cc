// SPDX-License-Identifier: MIT
#include "common/failover/known_primary.h"

#include <gtest/gtest.h>

#include "tests/topology_builders.h"

namespace ha {
namespace {

Context knowing(const char* by_journal, double since_s, const char* by_memory, double seen_s) {
  Context context;
  context.runs.primary = by_journal;
  context.runs.since_s = since_s;
  context.runs.acknowledged = true;  // it refuses no failover from another node
  context.memory.primary = by_memory;
  context.memory.seen_s = seen_s;
  return context;
}

TEST(KnownPrimaryTest, TheNewerOfJournalAndMemoryTellsTheLastPrimary) {
  const struct {
    const char* name;
    Context context;
    const char* want;
  } cases[] = {
      {"nothing is known", {}, ""},
      {"the journal alone", knowing("db2", 100, "", 0), "db2"},
      {"the memory alone", knowing("", 0, "db3", 100), "db3"},
      {"seen after the change", knowing("db2", 100, "db3", 200), "db3"},
      {"seen before the change", knowing("db2", 100, "db3", 50), "db2"},
      {"seen without a primary", knowing("db2", 100, "", 200), "db2"},
      {"a node that is none any more", knowing("db9", 100, "", 0), ""},
  };
  const Topology topology = linked({lost(1), lost(2), lost(3)});
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const Node* const last = last_primary(topology, c.context);
    EXPECT_EQ(last == nullptr ? "" : last->name, c.want);
    // When no replica tells, it is the one that is to be replaced.
    const Plan plan = plan_failover(topology, {}, c.context, "");
    EXPECT_EQ(plan.primary, c.want);
    EXPECT_EQ(plan.refusal == Refusal::kUnknownPrimary, std::string(c.want).empty());
  }
}

TEST(KnownPrimaryTest, ALastPrimaryThatAnswersTellsItself) {
  Node closed = writer(1);
  closed.facts->read_only = true;
  const Topology topology = linked({closed, lost(2)});
  const Policy policy;
  const Context context = knowing("db1", 100, "", 0);
  Decision d(topology, policy, context);
  find_primary(d, "");
  EXPECT_EQ(d.plan.refusal, Refusal::kUnknownPrimary);
}

}  // namespace
}  // namespace ha
