// SPDX-License-Identifier: MIT
// Which nodes a change has left behind: a table of views and ends.
#include "common/execute/stragglers.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "tests/topology_builders.h"

namespace ha {
namespace {

using Names = std::vector<std::string>;

// db2 has replaced db1; db3 was moved to it.
struct Change {
  Plan plan{.command = PlanCommand::kSwitchover, .primary = "db1", .candidate = "db2"};
  std::vector<Node> nodes = {writer(1), replica(2, 1), replica(3, 1)};
  std::set<std::string> not_repointed = {};

  Change() { plan.steps = {{1, Action::kRepoint, "db1"}, {2, Action::kRepoint, "db3"}}; }
  Names find() const { return find_stragglers(not_repointed, plan, linked(nodes)); }
};

struct Case {
  const char* what;
  std::function<void(Change&)> spoil;
  Names names;
};

const Case kCases[] = {
    {"none", [](Change&) {}, {}},
    {"one was silent", [](Change& c) { c.nodes[2] = lost(3); }, {"db3"}},
    {"one gave facts and not its channels",
     [](Change& c) { c.nodes[2].facts->channels.reset(); },
     {"db3"}},
    {"the old primary of a switchover was silent at the end",
     [](Change& c) { c.nodes[0] = lost(1); },
     {"db1"}},
    {"the dead primary of a failover is expected to be silent",
     [](Change& c) {
       c.plan.command = PlanCommand::kFailover;
       c.nodes[0] = lost(1);
     },
     {}},
    {"the candidate is none", [](Change& c) { c.nodes[1] = lost(2); }, {}},
    {"one failed to follow", [](Change& c) { c.not_repointed = {"db3"}; }, {"db3"}},
    {"another one failed whose name begins like it",
     [](Change& c) { c.not_repointed = {"db33"}; },
     {}},
    {"no step moves one that follows the old primary",
     [](Change& c) { c.plan.steps.pop_back(); },
     {"db3"}},
    {"no step moves one that follows another server",
     [](Change& c) {
       c.plan.steps.pop_back();
       c.nodes[2] = replica(3, 2);
     },
     {}},
    {"one is known to need a copy",
     [](Change& c) {
       c.nodes[2] = lost(3);
       c.plan.need_resync = {"db3"};
     },
     {}},
    {"another one is known to need a copy whose name begins like it",
     [](Change& c) {
       c.nodes[2] = lost(3);
       c.plan.need_resync = {"db33"};
     },
     {"db3"}},
};

TEST(StragglersTest, EachViewNamesWhatTheChangeHasLeftBehind) {
  for (const Case& one : kCases) {
    Change change;
    one.spoil(change);
    EXPECT_EQ(change.find(), one.names) << one.what;
  }
}

}  // namespace
}  // namespace ha
