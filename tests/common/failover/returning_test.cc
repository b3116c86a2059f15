// SPDX-License-Identifier: MIT
#include "common/failover/returning.h"

#include <gtest/gtest.h>

#include "tests/topology_builders.h"

namespace ha {
namespace {

// db1 was replaced by db2, and has come back.
Context after_failover() {
  Context context;
  context.runs = {"db2", "run1", 100, {"db1"}};
  return context;
}

Node returned(std::string_view history) {
  Node node = writer(1, history);
  node.facts->read_only = true;
  return node;
}

TEST(Returning, AFormerPrimaryThatHasNothingOfItsOwnMayFollow) {
  Node open = returned("#1:1-100"), ring = returned("#1:1-100"), unread = returned("#1:1-100"),
       untold = returned("#1:1-100");
  open.facts->read_only = false;
  ring.facts->channels->push_back(channel_from(2));
  unread.facts->channels.reset();
  untold.facts->history = {};
  const struct {
    const char* name;
    Node db1;
    std::vector<std::string> want;
  } cases[] = {
      {"it has nothing more", returned("#1:1-100"), {"db1"}},
      {"it has less", returned("#1:1-90"), {"db1"}},
      {"it has a transaction of its own", returned("#1:1-101"), {}},
      {"its history tells nothing", untold, {}},
      {"it accepts writes", open, {}},
      {"it follows a node", ring, {}},
      {"its replication cannot be read", unread, {}},
      {"it does not answer", lost(1), {}},
  };
  for (const auto& c : cases)
    EXPECT_EQ(find_returning(linked({c.db1, writer(2, "#1:1-100,#2:1-5"), replica(3, 2)}),
                             after_failover()),
              c.want)
        << c.name;
}

TEST(Returning, NoOtherNodeIsMadeAReplica) {
  const Topology stranger = linked({writer(2, "#1:1-100"), returned("#1:1-100")});
  EXPECT_TRUE(find_returning(stranger, {}).empty()) << "no run has replaced it";
  const Topology closed = linked({returned("#1:1-100"), replica(2, 1)});
  EXPECT_TRUE(find_returning(closed, after_failover()).empty()) << "there is no primary";
}

}  // namespace
}  // namespace ha
