// SPDX-License-Identifier: MIT
#include "common/failover/choose_winner.h"

#include <gtest/gtest.h>

#include "common/failover/repair.h"
#include "common/text.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

// Two writers that have diverged, and that nothing else tells apart.
std::vector<Node> diverged() { return {writer(1, "#1:1-105"), writer(2, "#1:1-100,#2:1-7")}; }

std::vector<Node> diverged_with(Node third) {
  std::vector<Node> nodes = diverged();
  nodes.push_back(std::move(third));
  return nodes;
}

Node receives_from(Node node, int source) {
  node.facts->channels->push_back(channel_from(source));
  return node;
}

Node without_gtids(Node node) {
  node.facts->history = {};
  return node;
}

Node stopped(Node node) {
  channel(node).io.state = ThreadState::kStopped;
  return node;
}

Context replaced(std::string primary, std::set<std::string> others) {
  Context context;
  context.runs = {std::move(primary), "run1", 100, std::move(others)};
  return context;
}

// The same, and later db1 was seen as the only writer.
Context replaced_and_back() {
  Context context = replaced("db2", {"db1"});
  context.memory.primary = "db1";
  context.memory.seen_s = 200;
  return context;
}

// The same, and db1 was seen as a replica before it was opened.
Context replaced_and_promoted() {
  Context context = replaced("db2", {"db1"});
  SeenNode& seen = context.memory.nodes["db1"];
  seen.read_only = true;
  seen.channels.push_back({"", "db2"});
  return context;
}

WriterFacts vip_to(std::vector<std::string> nodes) {
  return {.vip = "192.0.2.1", .vip_nodes = std::move(nodes)};
}

WriterFacts written(double db1_s, double db2_s) {
  return {.last_write_s = {{"db1", db1_s}, {"db2", db2_s}}};
}

struct Case {
  const char* name;
  std::vector<Node> nodes;
  Context context;
  WriterFacts facts;
  const char* winner;  // "": it cannot be told
  const char* text;    // stands in a sign, or in the reason
};

std::vector<Case> cases() {
  return {
      {"nothing tells", diverged(), {}, {}, "", "no evidence shows which of them to keep"},
      {"the guard of one has the votes",
       diverged(),
       {},
       {.lease_holder = "db2"},
       "db2",
       "votes: the guard of db2 has them"},
      {"the votes count for more than roles",
       diverged(),
       replaced("db1", {"db2"}),
       {.lease_holder = "db2", .vip = "192.0.2.1", .vip_nodes = {"db1"}},
       "db2",
       "votes"},
      {"a guard of no writer has them",
       diverged_with(replica(3, 1)),
       {},
       {.lease_holder = "db3"},
       "db1",
       "replication: db3 receives from db1"},
      {"the journal",
       diverged(),
       replaced("db2", {"db1"}),
       {},
       "db2",
       "journal: run run1 made db2 the primary"},
      {"the journal tells of another node", diverged(), replaced("db2", {"db3"}), {}, "", ""},
      {"another was seen as the primary later", diverged(), replaced_and_back(), {}, "", ""},
      {"the other was promoted since", diverged(), replaced_and_promoted(), {}, "", ""},
      {"the virtual IP",
       diverged(),
       {},
       vip_to({"db2"}),
       "db2",
       "virtual IP: 192.0.2.1 leads to db2"},
      {"the virtual IP leads to servers that look alike",
       diverged(),
       {},
       vip_to({"db1", "db2"}),
       "",
       ""},
      {"the virtual IP leads nowhere", diverged(), {}, vip_to({}), "", "no evidence"},
      {"the virtual IP leads to a replica",
       diverged_with(stopped(replica(3, 1))),
       {},
       vip_to({"db3"}),
       "",
       "no evidence"},
      {"a replica receives from one",
       diverged_with(replica(3, 2)),
       {},
       {},
       "db2",
       "replication: db3 receives from db2"},
      {"a replica has stopped", diverged_with(stopped(replica(3, 2))), {}, {}, "", "no evidence"},
      {"one of them receives from the other",
       {writer(1), receives_from(writer(2), 1)},
       {},
       {},
       "db1",
       "db2 receives from db1"},
      {"a ring",
       {receives_from(writer(1), 2), receives_from(writer(2), 1)},
       {},
       {},
       "",
       "have the same"},
      {"roles that contradict each other",
       diverged_with(replica(3, 1)),
       {},
       vip_to({"db2"}),
       "",
       "the evidence speaks for db1 and for db2"},
      {"each has a replica",
       {writer(1, "#1:1-105"), writer(2, "#1:1-100,#2:1-7"), replica(3, 1), replica(4, 2)},
       {},
       {},
       "",
       "the evidence speaks for db1 and for db2"},
      {"one has all that the other has",
       {writer(1, "#1:1-100"), writer(2, "#1:1-100,#2:1-7")},
       {},
       {},
       "db2",
       "db2 has 7 transactions that db1 lacks"},
      {"a role counts for more than that",
       {writer(1, "#1:1-100"), writer(2, "#1:1-100,#2:1-7"), replica(3, 1)},
       {},
       {},
       "db1",
       ""},
      {"both have the same", {writer(1), writer(2)}, {}, {}, "", "db1, db2 have the same"},
      {"positions cannot be compared",
       {without_gtids(writer(1)), without_gtids(writer(2))},
       {},
       {},
       "",
       "cannot be compared"},
      {"written to last",
       diverged(),
       {},
       written(7200, 30),
       "db2",
       "last write: db1 2h 00m ago, db2 30s ago"},
      {"written to within a minute", diverged(), {}, written(89, 30), "", "no evidence"},
      {"one does not tell when", diverged(), {}, {.last_write_s = {{"db1", 5}}}, "", "no evidence"},
      {"contents count for more than that",
       {writer(1, "#1:1-100"), writer(2, "#1:1-100,#2:1-7")},
       {},
       written(5, 9000),
       "db2",
       ""},
      {"MariaDB",
       {writer(1, "0-1-105", Flavour::kMariadb), writer(2, "0-1-100,0-2-7", Flavour::kMariadb)},
       {},
       written(5, 9000),
       "db1",
       "db1 has"},
      {"three writers, one of which has all",
       {writer(1, "#1:1-100"), writer(2, "#1:1-100,#2:1-7"), writer(3, "#1:1-100,#2:1-7,#3:1")},
       {},
       {},
       "db3",
       ""},
      {"the operator's word", diverged(), replaced("db2", {"db1"}), {.named = "db1"}, "db1", ""},
      {"the operator names a replica",
       diverged_with(replica(3, 1)),
       {},
       {.named = "db3"},
       "",
       "db3 is none of the nodes that accept writes: db1, db2"},
      {"the operator's word against the votes",
       diverged(),
       {},
       {.named = "db1", .lease_holder = "db2"},
       "",
       "run: mysql_ha switchover --to db1"},
      {"the operator's word with the votes",
       diverged(),
       {},
       {.named = "db2", .lease_holder = "db2"},
       "db2",
       ""},
  };
}

TEST(ChooseWinnerTest, TheEvidenceDecidesOrNothingDoes) {
  for (Case& c : cases()) {
    SCOPED_TRACE(c.name);
    const Winner winner = choose_winner(linked(std::move(c.nodes)), c.context, c.facts);
    const std::string told = join(describe_signs(winner.signs), "\n") + "\n" + winner.reason;
    EXPECT_EQ(winner.node, c.winner) << told;
    EXPECT_NE(told.find(c.text), std::string::npos) << told;
    EXPECT_EQ(winner.reason.empty(), !winner.node.empty()) << told;
  }
}

TEST(ChooseWinnerTest, ARefusalNamesTheWritersAndWhatToType) {
  EXPECT_EQ(choose_winner(linked(diverged()), {}, {}).reason,
            "db1, db2 accept writes, and no evidence shows which of them to keep. To keep one and "
            "replace the data of the others, run: mysql_ha repair --winner NODE");
}

}  // namespace
}  // namespace ha
