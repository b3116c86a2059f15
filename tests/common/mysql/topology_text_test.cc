// SPDX-License-Identifier: MIT
#include "common/mysql/topology_text.h"

#include <gtest/gtest.h>

#include "tests/topology_builders.h"

namespace ha {
namespace {

Node behind(int number, int source, double seconds) {
  return with(replica(number, source), [&](Node& node) { channel(node).seconds_behind = seconds; });
}

Node read_only(Node node) {
  node.facts->read_only = true;
  return node;
}

struct Case {
  const char* name;
  std::vector<Node> nodes;
  const char* want;
  State state;
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const TopologyView view = view_topology(linked(c.nodes));
    EXPECT_EQ(render_topology(view, Colours::kNone), c.want) << c.name;
    EXPECT_EQ(view.state, c.state) << c.name;
  }
}

TEST(TopologyTextTest, EachNodeStandsBelowItsSource) {
  check({
      {"a chain and a sibling, in any order",
       {behind(4, 2, 0.5), behind(3, 1, 0), writer(1), behind(2, 1, 0)},
       "NODE       ROLE     WRITES      LAG   GTIDS\n"
       "db1        primary  read-write  -     -\n"
       "+- db3     replica  read-only   0s    equal\n"
       "+- db2     replica  read-only   0s    equal\n"
       "   +- db4  replica  read-only   0.5s  equal\n"
       "\n"
       "healthy\n",
       State::kOk},
      {"lines lead past what stands deeper",
       {writer(1), behind(2, 1, 0), behind(3, 1, 0), behind(4, 2, 0)},
       "NODE       ROLE     WRITES      LAG  GTIDS\n"
       "db1        primary  read-write  -    -\n"
       "+- db2     replica  read-only   0s   equal\n"
       "|  +- db4  replica  read-only   0s   equal\n"
       "+- db3     replica  read-only   0s   equal\n"
       "\n"
       "healthy\n",
       State::kOk},
      {"a dead primary stands above its replicas",
       {lost(1), with(behind(2, 1, 0),
                      [](Node& node) { channel(node).io.state = ThreadState::kConnecting; })},
       "NODE    ROLE         WRITES     LAG  GTIDS\n"
       "db1     unreachable  -          -    -\n"
       "+- db2  replica      read-only  0s   -      IO thread connecting\n"
       "\n"
       "[CRITICAL] no-writer: no writable node\n"
       "[WARNING] unreachable: db1 is unreachable: no answer\n"
       "[WARNING] stopped: db2: IO thread connecting\n",
       State::kCritical},
      {"a source outside, once for all that follow it",
       {behind(1, 9, 0), writer(2), behind(3, 9, 0)},
       "NODE      ROLE     WRITES      LAG  GTIDS\n"
       "db2       primary  read-write  -    -\n"
       "db9:3306  outside  -           -    -\n"
       "+- db1    replica  read-only   0s   equal\n"
       "+- db3    replica  read-only   0s   equal\n"
       "\n"
       "[WARNING] foreign-source: db1 follows db9:3306, which is none of the nodes\n"
       "[WARNING] foreign-source: db3 follows db9:3306, which is none of the nodes\n",
       State::kWarning},
      {"a ring, its writer on top",
       {behind(1, 2, 0), with(behind(2, 1, 0), [](Node& node) { node.facts->read_only = false; }),
        behind(3, 1, 0)},
       "NODE       ROLE     WRITES      LAG  GTIDS\n"
       "db2        primary  read-write  -    -      follows db1\n"
       "+- db1     replica  read-only   0s   equal\n"
       "   +- db3  replica  read-only   0s   equal\n"
       "\n"
       "[OK] ring: db1, db2 replicate in a ring\n",
       State::kOk},
      {"a ring without a writer, and one below it",
       {behind(3, 2, 0), behind(1, 2, 0), behind(2, 1, 0)},
       "NODE       ROLE     WRITES     LAG  GTIDS\n"
       "db1        replica  read-only  -    -      follows db2\n"
       "+- db2     replica  read-only  0s   equal\n"
       "   +- db3  replica  read-only  0s   equal\n"
       "\n"
       "[CRITICAL] no-writer: no writable node\n"
       "[OK] ring: db1, db2 replicate in a ring\n",
       State::kCritical},
      {"a node that follows itself",
       {writer(1), behind(2, 2, 0)},
       "NODE  ROLE     WRITES      LAG  GTIDS\n"
       "db1   primary  read-write  -    -\n"
       "db2   replica  read-only   -    equal  follows db2\n"
       "\n"
       "[WARNING] stale-source: db2 follows db2, which gets nothing from a writer\n"
       "[OK] ring: db2 replicate in a ring\n",
       State::kWarning},
      {"two channels",
       {writer(1), read_only(writer(2)),
        with(behind(3, 1, 0),
             [](Node& node) {
               node.facts->channels->push_back(channel_from(2));
               channel(node, 1).name = "west";
               channel(node, 1).sql.state = ThreadState::kStopped;
               channel(node, 1).sql_delay_s = 60;
             })},
       "NODE    ROLE     WRITES      LAG  GTIDS\n"
       "db1     primary  read-write  -    -\n"
       "+- db3  replica  read-only   0s   equal  channel 'west': follows db2; channel 'west': SQL "
       "thread stopped; channel 'west': delayed by 60s\n"
       "db2     source   read-only   -    equal\n"
       "\n"
       "[WARNING] follows-no-server: db2 follows no server and gets no changes; to make it a "
       "replica: "
       "mysql_ha rejoin db2\n"
       "[WARNING] stopped: db3: channel 'west': SQL thread stopped\n",
       State::kWarning},
  });
}

TEST(TopologyTextTest, TroublesAreTold) {
  const auto unapplied = [](Node& node) {
    std::get<MysqlHistory>(node.facts->history).retrieved = gtids("#1:101-105");
    channel(node).seconds_behind = 73;
  };
  check({
      {"behind, errant, stopped",
       {writer(1, "#1:1-112"), with(replica(2, 1), unapplied), replica(3, 1, "#1:1-112,#3:1"),
        with(behind(4, 1, 0),
             [](Node& node) {
               channel(node).seconds_behind.reset();
               channel(node).sql = {ThreadState::kStopped, 1062, "Duplicate entry"};
             })},
       "NODE    ROLE     WRITES      LAG      GTIDS\n"
       "db1     primary  read-write  -        -\n"
       "+- db2  replica  read-only   73s      12 behind\n"
       "+- db3  replica  read-only   unknown  1 errant\n"
       "+- db4  replica  read-only   unknown  12 behind  SQL thread stopped, error 1062: Duplicate "
       "entry\n"
       "\n"
       "[WARNING] errant: db3 has 1 errant transaction that db1 lacks: "
       "00000000-0000-0000-0000-000000000003:1\n"
       "[WARNING] stopped: db4: SQL thread stopped, error 1062: Duplicate entry\n",
       State::kWarning},
      {"only a stopped thread",
       {writer(1), with(behind(2, 1, 0),
                        [](Node& node) { channel(node).io.state = ThreadState::kConnecting; })},
       "NODE    ROLE     WRITES      LAG  GTIDS\n"
       "db1     primary  read-write  -    -\n"
       "+- db2  replica  read-only   0s   equal  IO thread connecting\n"
       "\n"
       "[WARNING] stopped: db2: IO thread connecting\n",
       State::kWarning},
      {"every reach",
       {writer(1), lost(2), lost(3, Reach::kHung), lost(4, Reach::kRefuses),
        lost(5, Reach::kUnreadable)},
       "NODE  ROLE         WRITES      LAG  GTIDS\n"
       "db1   primary      read-write  -    -\n"
       "db2   unreachable  -           -    -\n"
       "db3   hung         -           -    -\n"
       "db4   refuses      -           -    -\n"
       "db5   unreadable   -           -    -\n"
       "\n"
       "[WARNING] unreachable: db2 is unreachable: no answer\n"
       "[WARNING] unreachable: db3 does not answer: no answer\n"
       "[WARNING] unreachable: db4 is alive but refuses connections: no answer\n"
       "[UNKNOWN] unreadable: db5 cannot be read: no answer\n",
       State::kWarning},
      {"facts that are missing",
       {writer(1),
        with(replica(2, 1),
             [](Node& node) {
               node.facts->channels.reset();
               node.facts->unread = {"replication status unknown"};
             }),
        with(read_only(writer(3)), [](Node& node) { node.facts->super_read_only = true; }),
        with(behind(4, 1, 0), [](Node& node) { node.facts->read_only.reset(); })},
       "NODE    ROLE     WRITES           LAG  GTIDS\n"
       "db1     primary  read-write       -    -\n"
       "+- db4  replica  unknown          0s   equal\n"
       "db2     unknown  read-only        -    equal\n"
       "db3     alone    super-read-only  -    equal\n"
       "\n"
       "[WARNING] follows-no-server: db3 follows no server and gets no changes; to make it a "
       "replica: "
       "mysql_ha rejoin db3\n"
       "[UNKNOWN] unreadable: db2: replication status unknown\n",
       State::kWarning},
      {"a replica that accepts writes",
       {writer(1), with(behind(2, 1, 0), [](Node& node) { node.facts->read_only = false; })},
       "NODE    ROLE     WRITES      LAG  GTIDS\n"
       "db1     primary  read-write  -    -\n"
       "+- db2  replica  read-write  0s   equal\n"
       "\n"
       "[CRITICAL] several-writers: 2 nodes accept writes: db1, db2\n",
       State::kCritical},
      {"a server without GTIDs",
       {with(writer(1), [](Node& node) { node.facts->history = {}; }),
        with(behind(2, 1, 0),
             [](Node& node) {
               node.facts->history = {};
               node.facts->log_bin = false;
             })},
       "NODE    ROLE     WRITES      LAG  GTIDS\n"
       "db1     primary  read-write  -    -\n"
       "+- db2  replica  read-only   0s   -\n"
       "\n"
       "[OK] unproven: cannot prove that db2 has no writes of its own (no GTIDs, no binlog)\n",
       State::kOk},
  });
}

TEST(TopologyTextTest, ColoursPaintWholeLines) {
  EXPECT_EQ(render_topology(view_topology(linked({writer(1), lost(2), writer(3)})), Colours::kAnsi),
            "NODE  ROLE         WRITES      LAG  GTIDS\n"
            "\033[1;31mdb1   primary      read-write  -    -\033[0m\n"
            "\033[33mdb2   unreachable  -           -    -\033[0m\n"
            "\033[1;31mdb3   primary      read-write  -    -\033[0m\n"
            "\n"
            "\033[1;31m[CRITICAL] several-writers: 2 nodes accept writes: db1, db3\033[0m\n"
            "\033[33m[WARNING] unreachable: db2 is unreachable: no answer\033[0m\n");
}

TEST(TopologyTextTest, WordsOfServersAreMadeHarmless) {
  Node hostile = replica(2, 1);
  channel(hostile).source_host = "a\033[2Jb";
  channel(hostile).source_uuid.clear();
  channel(hostile).source_server_id.reset();
  channel(hostile).io = {ThreadState::kStopped, 1, "\033[31mred\n"};
  const std::string text =
      render_topology(view_topology(linked({writer(1), hostile})), Colours::kNone);
  EXPECT_EQ(text.find('\033'), std::string::npos) << text;
}

}  // namespace
}  // namespace ha
