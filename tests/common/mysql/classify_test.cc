// SPDX-License-Identifier: MIT
#include "common/mysql/classify.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "common/text.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

constexpr Flavour kMariadb = Flavour::kMariadb;

// Returns the verdicts' names with the nodes: "errant(db2) unreachable(db3)".
std::string verdicts(const Topology& topology, std::size_t allowed = 1) {
  std::vector<std::string> words;
  for (const Finding& finding : classify(topology, allowed).findings) {
    std::vector<std::string> names;
    for (const std::size_t i : finding.nodes) names.push_back(topology.nodes[i].name);
    words.push_back(fmt::format("{}({})", verdict_name(finding.verdict), join(names, ",")));
  }
  return join(words, " ");
}

Node maria_writer(int number, std::string_view state) { return writer(number, state, kMariadb); }

Node maria_replica(int number, int source, std::string_view state) {
  return replica(number, source, state, kMariadb);
}

Node stopped(Node node) {
  for (ChannelStatus& channel : *node.facts->channels)
    channel.io.state = channel.sql.state = ThreadState::kStopped;
  return node;
}

Node opened(Node node) {
  node.facts->read_only = false;
  return node;
}

Node closed(Node node) {
  node.facts->read_only = true;
  return node;
}

Node without_gtids(Node node) {
  node.facts->history = {};
  for (ChannelStatus& channel : *node.facts->channels) channel.uses_gtid = false;
  return node;
}

Node silent_binlog(Node node, std::uint64_t end) {
  node.facts->log_replica_updates = false;
  node.facts->binlog->offset = end;
  return node;
}

Node with_server_id(Node node, std::uint32_t id) {
  node.facts->server_id = id;
  return node;
}

Node with_received(Node node, std::string_view received) {
  std::get<MysqlHistory>(node.facts->history).retrieved = gtids(received);
  return node;
}

Node with_later(Node node, std::string_view executed) {
  node.facts->history_later = MysqlHistory{gtids(executed)};
  return node;
}

Node with_channel_from(Node node, int source) {
  node.facts->channels->push_back(channel_from(source, node.facts->version.flavour));
  return node;
}

Node with_unknown_channels(Node node) {
  node.facts->channels.reset();
  node.facts->unread.push_back("replication status unknown");
  return node;
}

Node in_group(Node node, GroupState group, std::string outside = "") {
  node.facts->obstacles.group = group;
  node.facts->obstacles.outside = std::move(outside);
  return node;
}

Node refused(Node node, std::string reason, GroupState group = GroupState::kNone) {
  node.facts->obstacles.reasons.push_back(reason);
  return in_group(std::move(node), group, std::move(reason));
}

Node told(Node node, const char* error) {
  for (ChannelStatus& channel : *node.facts->channels) {
    channel.io = {ThreadState::kStopped, 1236, error};
    channel.read = {"binlog.000007", 400};
  }
  return node;
}

Node outdated(Node node) {
  node.facts->history_outdated = true;
  node.facts->unread.push_back("its history could not be read a second time");
  return node;
}

TEST(ClassifyTest, EveryTroubleHasItsVerdict) {
  const struct {
    const char* name;
    std::vector<Node> nodes;
    const char* want;
  } cases[] = {
      {"a writer alone", {writer(1)}, ""},
      {"a writer and two replicas", {writer(1), replica(2, 1), replica(3, 1)}, ""},
      {"a chain", {writer(1), replica(2, 1), replica(3, 2)}, ""},
      {"a replica behind", {writer(1), replica(2, 1, "#1:1-90")}, ""},
      {"a replica behind and stopped", {writer(1), stopped(replica(2, 1, "#1:1-90"))}, ""},
      {"received is not errant",
       {writer(1), with_received(replica(2, 1, "#1:1-90"), "#1:91-99")},
       ""},
      {"a replica read after its writer is not ahead",
       {with_later(writer(1), "#1:1-105"), replica(2, 1, "#1:1-103")},
       ""},
      {"two writers", {writer(1), opened(replica(2, 1))}, "several-writers(db1,db2)"},
      {"three writers", {writer(1), writer(2), writer(3)}, "several-writers(db1,db2,db3)"},
      {"no writer", {closed(writer(1)), replica(2, 1)}, "no-writer()"},
      {"the writer is down", {lost(1), replica(2, 1)}, "no-writer() unreachable(db1)"},
      {"the writer refuses us",
       {lost(1, Reach::kRefuses), replica(2, 1)},
       "no-writer() unreachable(db1)"},
      {"the writer may not be read",
       {lost(1, Reach::kUnreadable), replica(2, 1)},
       "writer-unknown() unreadable(db1)"},
      {"nobody is there",
       {lost(1), lost(2, Reach::kHung)},
       "no-node-reachable() unreachable(db1) unreachable(db2)"},
      {"a replica hangs", {writer(1), lost(2, Reach::kHung)}, "unreachable(db2)"},
      {"a replica may not be read", {writer(1), lost(2, Reach::kUnreadable)}, "unreadable(db2)"},
      {"its replication may not be read",
       {writer(1), with_unknown_channels(replica(2, 1))},
       "unreadable(db2)"},
      {"an errant transaction", {writer(1), replica(2, 1, "#1:1-100,#2:1")}, "errant(db2)"},
      {"behind and errant, still receiving",
       {writer(1), replica(2, 1, "#1:1-90,#2:1")},
       "errant(db2)"},
      {"errant in a stopped replica that is not behind",
       {writer(1), stopped(replica(2, 1, "#1:1-100,#2:1"))},
       "errant(db2)"},
      {"an errant one that travels down a chain",
       {writer(1), replica(2, 1, "#1:1-100,#2:1"), replica(3, 2, "#1:1-100,#2:1")},
       "errant(db2) errant(db3)"},
      {"a former primary without its last transactions follows again",
       {writer(2, "#1:1-10,#2:1-9"), replica(1, 2, "#1:1-5,#2:1-9")},
       "lost-own(db1)"},
      {"it follows nobody yet",
       {writer(2, "#1:1-10"), closed(writer(1, "#1:1-5"))},
       "lost-own(db1)"},
      {"on its way is not lost",
       {with_later(writer(2, "#2:1-9"), "#1:1-10,#2:1-9"),
        with_later(with_channel_from(closed(writer(1, "#1:1-9")), 2), "#1:1-10")},
       ""},
      {"diverged", {writer(1), stopped(replica(2, 1, "#1:1-90,#2:1"))}, "diverged(db1,db2)"},
      {"two writers that diverged",
       {writer(1), writer(2, "#1:1-90,#2:1-5")},
       "several-writers(db1,db2) diverged(db1,db2)"},
      {"who follows a diverged node is not named too",
       {writer(1), stopped(replica(2, 1, "#1:1-90,#2:1")), replica(3, 1)},
       "diverged(db1,db2)"},
      {"replicas of a lost writer, one further",
       {lost(1), stopped(replica(2, 1, "#1:1-90")), stopped(replica(3, 1, "#1:1-95"))},
       "no-writer() unreachable(db1)"},
      {"a ring with one writer", {with_channel_from(writer(1), 2), replica(2, 1)}, "ring(db1,db2)"},
      {"a ring of writers",
       {with_channel_from(writer(1), 2), opened(replica(2, 1))},
       "several-writers(db1,db2) ring-of-writers(db1,db2)"},
      {"a ring of writers is not diverged while both receive",
       {with_channel_from(writer(1, "#1:1-9,#2:1-8"), 2), opened(replica(2, 1, "#1:1-8,#2:1-9"))},
       "several-writers(db1,db2) ring-of-writers(db1,db2)"},
      {"a stopped ring is none", {stopped(with_channel_from(writer(1), 2)), replica(2, 1)}, ""},
      {"one server_id twice",
       {writer(1), with_server_id(replica(2, 1), 1)},
       "duplicate-id(db1,db2)"},
      {"one server under two names",
       {writer(1),
        [] {
          Node twin = writer(1);
          twin.name = twin.host = "twin";
          return twin;
        }()},
       "several-writers(db1,twin) duplicate-id(db1,twin) duplicate-id(db1,twin)"},
      {"a source outside", {writer(1), replica(2, 9)}, "foreign-source(db2)"},
      {"a source outside beside the right one",
       {writer(1), with_channel_from(replica(2, 1), 9)},
       "foreign-source(db2)"},
      {"a source that is down is not outside",
       {lost(1), opened(replica(2, 1))},
       "unreachable(db1)"},
      {"green but stale", {writer(1), stopped(replica(2, 1)), replica(3, 2)}, "stale-source(db3)"},
      {"a second channel to a lost node is not stale",
       {writer(1), with_channel_from(replica(2, 1), 3), lost(3)},
       "unreachable(db3)"},
      {"a node that follows nobody",
       {writer(1), closed(writer(2)), replica(3, 1)},
       "follows-no-server(db2)"},
      {"nobody writes, and one follows nobody",
       {lost(1), replica(2, 1), closed(writer(3))},
       "no-writer() follows-no-server(db3) unreachable(db1)"},
      {"a copy whose replication was never started",
       {maria_writer(1, "0-1-100"), closed(maria_writer(2, "0-1-50"))},
       "follows-no-server(db2)"},
      {"no GTIDs, everything logged",
       {without_gtids(writer(1)), without_gtids(replica(2, 1))},
       "unproven(db2)"},
      {"no GTIDs, an empty binlog",
       {without_gtids(writer(1)), silent_binlog(without_gtids(replica(2, 1)), 157)},
       ""},
      {"no GTIDs, writes of its own",
       {without_gtids(writer(1)), silent_binlog(without_gtids(replica(2, 1)), 500)},
       "errant(db2)"},
      {"other flavours are not compared", {writer(1), maria_replica(2, 1, "0-2-5")}, ""},
      {"MariaDB healthy", {maria_writer(1, "0-1-100"), maria_replica(2, 1, "0-1-90")}, ""},
      {"MariaDB errant on top",
       {maria_writer(1, "0-1-100"), maria_replica(2, 1, "0-1-100,0-2-101")},
       "errant(db2)"},
      {"MariaDB errant and buried",
       {maria_writer(1, "0-1-100"), maria_replica(2, 1, "0-1-100,0-2-53")},
       "errant(db2)"},
      {"MariaDB diverged",
       {maria_writer(1, "0-1-100"), stopped(maria_replica(2, 1, "0-1-90,0-2-91"))},
       "diverged(db1,db2)"},
      {"MariaDB: a former primary without its last transactions follows again",
       {maria_writer(2, "0-1-10,0-2-20"), maria_replica(1, 2, "0-1-5,0-2-20")},
       "lost-own(db1)"},
      {"MariaDB diverged old primary",
       {maria_writer(2, "0-1-90,0-2-120"), closed(maria_writer(1, "0-1-100"))},
       "diverged(db2,db1)"},
      {"the primary has lost what it wrote",
       {writer(1, "#1:1-95"), stopped(replica(2, 1)), replica(3, 1, "#1:1-98")},
       "primary-lost(db1,db2,db3)"},
      {"it has lost that, and a replica has more of its own",
       {writer(1, "#1:1-95"), replica(2, 1, "#1:1-100,#2:1")},
       "primary-lost(db1,db2) errant(db2)"},
      {"it has lost that and starts read-only",
       {closed(writer(1, "#1:1-95")), replica(2, 1)},
       "primary-lost(db1,db2) no-writer()"},
      {"RESET at the primary", {writer(1, ""), replica(2, 1)}, "primary-lost(db1,db2)"},
      {"it has used the numbers again",
       {writer(1, "#1:1-105"), told(replica(2, 1), "'Replica has more GTIDs than the source has'"),
        told(replica(3, 1), "'Replica has more GTIDs than the source has'")},
       "primary-lost(db1,db2,db3)"},
      {"the receiver's error says nothing of the source",
       {writer(1, "#1:1-105"), told(replica(2, 1), "'Cannot replicate because the source purged'")},
       ""},
      {"on its way is not lost by the primary",
       {with_later(writer(1, "#1:1-95"), "#1:1-101"), replica(2, 1)},
       ""},
      {"MariaDB: the primary has lost what it wrote",
       {maria_writer(1, "0-1-95"), maria_replica(2, 1, "0-1-100")},
       "primary-lost(db1,db2)"},
      {"MariaDB: it has used the numbers again",
       {maria_writer(1, "0-1-105"),
        told(maria_replica(2, 1, "0-1-100"),
             "requested to start from GTID 0-1-100, which is not in the master's binlog")},
       "primary-lost(db1,db2)"},
      {"MariaDB: a replica has more of its own, and no primary lost anything",
       {maria_writer(1, "0-1-100"),
        told(maria_replica(2, 1, "0-1-100,0-2-101"),
             "requested to start from GTID 0-2-101, which is not in the master's binlog")},
       "errant(db2)"},
      {"by position: the primary has lost what it sent",
       {without_gtids(writer(1)),
        told(without_gtids(replica(2, 1)), "replication from position > file size")},
       "primary-lost(db1,db2) unproven(db2)"},
      {"what only one of two receivers can tell for certain",
       {writer(1, "#1:1-105"), told(replica(2, 1), "'Replica has more GTIDs than the source has'"),
        told(replica(3, 1), "'position > file size'")},
       "primary-lost(db1,db2)"},
      {"a writer whose history could not be read once more",
       {outdated(writer(1, "#1:1-95")), replica(2, 1)},
       "unreadable(db1)"},
      {"MariaDB: a domain that the primary does not know",
       {maria_writer(1, "0-1-95"), maria_replica(2, 1, "0-1-95,5-1-100")},
       ""},
      {"open, and takes no writes",
       {refused(writer(1), "innodb_read_only is ON"), replica(2, 1)},
       "no-writer()"},
      {"a second one that takes none is no writer",
       {writer(1), refused(opened(replica(2, 1)), "innodb_read_only is ON")},
       "not-closed(db2)"},
      {"nor in a ring",
       {with_channel_from(writer(1), 2), refused(opened(replica(2, 1)), "offline_mode is ON")},
       "not-closed(db2) ring(db1,db2)"},
      {"nor does one that follows it receive from a writer",
       {writer(1), refused(opened(stopped(replica(2, 1))), "offline_mode is ON"), replica(3, 2)},
       "not-closed(db2) stale-source(db3)"},
      {"nor is it the primary",
       {writer(2, "#1:1-10,#2:1-9"), refused(opened(replica(1, 2, "#1:1-5,#2:1-9")), "offline")},
       "lost-own(db1) not-closed(db1)"},
      {"writes of its own are errant all the same",
       {without_gtids(writer(1)),
        silent_binlog(without_gtids(refused(opened(replica(2, 1)), "offline_mode is ON")), 500)},
       "errant(db2) not-closed(db2)"},
      {"it follows nobody, too",
       {writer(1), refused(writer(2), "offline_mode is ON")},
       "not-closed(db2) follows-no-server(db2)"},
      {"an Aurora reader",
       {writer(1),
        [] {
          Node reader = refused(writer(2), "innodb_read_only is ON");
          reader.facts->obstacles.shared_storage = true;
          return reader;
        }()},
       ""},
      {"members of a group follow nobody",
       {in_group(writer(1), GroupState::kMember), in_group(closed(writer(2)), GroupState::kMember)},
       ""},
      {"a member has left",
       {in_group(writer(1), GroupState::kMember),
        in_group(closed(writer(2)), GroupState::kOutside, "its MEMBER_STATE is ERROR")},
       "out-of-group(db2)"},
      {"the primary of a group without a majority",
       {refused(writer(1), "2 of 3", GroupState::kOutside), lost(2), lost(3)},
       "no-writer() out-of-group(db1) unreachable(db2) unreachable(db3)"},
      {"a Galera node that is not ready",
       {in_group(writer(1), GroupState::kMember),
        refused(writer(2), "wsrep_ready is OFF", GroupState::kOutside)},
       "out-of-group(db2)"},
      {"a replica that has a group's name in its settings",
       {writer(1), in_group(replica(2, 1), GroupState::kOutside, "its MEMBER_STATE is OFFLINE")},
       ""},
      {"and is stopped",
       {writer(1),
        in_group(stopped(replica(2, 1)), GroupState::kOutside, "its MEMBER_STATE is OFFLINE")},
       ""},
      {"a replica beside a group",
       {in_group(writer(1), GroupState::kMember),
        in_group(replica(2, 1), GroupState::kOutside, "its MEMBER_STATE is OFFLINE")},
       ""},
      {"whether it is in its group is not known",
       {writer(1),
        [] {
          Node member = closed(writer(2));
          member.facts->obstacles.group_unread = "denied";
          return member;
        }()},
       ""},
      {"members of Galera number each for itself",
       {in_group(maria_writer(1, "0-1-10,0-2-8"), GroupState::kMember),
        in_group(closed(maria_writer(2, "0-1-12,0-2-13")), GroupState::kMember)},
       ""},
      {"a replica of one node of Galera has the numbers of that one",
       {in_group(maria_writer(1, "0-1-10,0-2-8"), GroupState::kMember),
        in_group(closed(maria_writer(2, "0-1-12,0-2-13")), GroupState::kMember),
        maria_replica(3, 1, "0-1-10,0-2-8")},
       ""},
      {"and of writers of Galera, too",
       {in_group(maria_writer(1, "0-1-20,0-2-18"), GroupState::kMember),
        in_group(opened(maria_writer(2, "0-1-12,0-2-13")), GroupState::kMember),
        maria_replica(3, 1, "0-1-20,0-2-18")},
       "several-writers(db1,db2)"},
      {"what one of Galera has lost, its replica has",
       {in_group(maria_writer(1, "0-1-10"), GroupState::kMember),
        in_group(closed(maria_writer(2, "0-1-12")), GroupState::kMember),
        maria_replica(3, 1, "0-1-12")},
       "primary-lost(db1,db3)"},
      {"a node of Galera that is not ready has lost nothing by numbers",
       {in_group(maria_writer(1, "0-1-10,0-2-18"), GroupState::kMember),
        refused(maria_writer(2, "0-1-12,0-2-13"), "wsrep_ready is OFF", GroupState::kOutside)},
       "out-of-group(db2)"},
      {"a cluster of Galera that follows a primary numbers for itself",
       {maria_writer(1, "0-1-10"), in_group(maria_replica(2, 1, "0-1-10"), GroupState::kMember),
        in_group(closed(maria_writer(3, "0-1-90")), GroupState::kMember)},
       ""},
      {"a plain writer that only has the plugin",
       {in_group(writer(1), GroupState::kOutside, "its MEMBER_STATE is OFFLINE"), replica(2, 1)},
       ""},
      {"a writer set up from a copy lacks no old server's transactions",
       {maria_writer(1, "0-1-100"), maria_replica(2, 1, "0-1-100,0-7-50")},
       ""},
      {"MariaDB after a switchover",
       {maria_writer(2, "0-1-90,0-2-120"), maria_replica(1, 2, "0-1-90,0-2-118")},
       ""},
  };
  for (const auto& c : cases) EXPECT_EQ(verdicts(linked(c.nodes)), c.want) << c.name;
}

TEST(ClassifyTest, MoreWritersMayBeAllowed) {
  EXPECT_EQ(verdicts(linked({writer(1), refused(opened(replica(2, 1)), "offline_mode is ON")}), 2),
            "");
  EXPECT_EQ(verdicts(linked({writer(1), writer(2)}), 2), "");
  EXPECT_EQ(verdicts(linked({writer(1), writer(2), writer(3)}), 2), "several-writers(db1,db2,db3)");
  // Writers that never exchange anything have diverged, however many are allowed; what either of
  // them has, a replica of both may have.
  EXPECT_EQ(verdicts(linked({writer(1, "#1:1-5"), writer(2, "#2:1-5"),
                             with_channel_from(replica(3, 1, "#1:1-5,#2:1-5"), 2)}),
                     2),
            "diverged(db1,db2)");
}

TEST(ClassifyTest, TextsNameNodesAndTransactions) {
  const Assessment assessment =
      classify(linked({writer(1), replica(2, 1, "#1:1-100,#2:1-3"), lost(3)}), 1);
  ASSERT_EQ(assessment.findings.size(), 2u);
  EXPECT_EQ(assessment.findings[0].text,
            "db2 has 3 errant transactions that db1 lacks: " + gtids("#2:1-3").print());
  EXPECT_EQ(assessment.findings[1].text, "db3 is unreachable: no answer");
  EXPECT_EQ(assessment.errant_transactions, 3u);
  EXPECT_EQ(assessment.diverged, 0u);
}

TEST(ClassifyTest, ALossNamesTheOnlyCopy) {
  const auto text = [](std::vector<Node> nodes) {
    return classify(linked(std::move(nodes)), 1).findings[0].text;
  };
  EXPECT_EQ(text({maria_writer(1, "0-1-95"), maria_replica(2, 1, "0-1-100"),
                  maria_replica(3, 1, "0-1-98")}),
            "db1 has lost 5 transactions that it wrote itself: 0-1-100; db2, db3 hold the only "
            "copy: do not rebuild them from db1 before it is saved");
  EXPECT_EQ(text({writer(1, "#1:1-105"),
                  told(replica(2, 1),
                       "Got fatal error 1236 from source when reading data from binary log: "
                       "'Replica has more GTIDs than the source has, using the source's "
                       "SERVER_UUID. This may indicate that'")}),
            "db1 has lost transactions that it had sent to db2 (Replica has more GTIDs than the "
            "source has, using the source's SERVER_UUID); db2 holds the only copy: do not rebuild "
            "it from db1 before it is saved");
  EXPECT_EQ(text({without_gtids(writer(1)),
                  told(without_gtids(replica(2, 1)),
                       "reading data from binary log: 'position > file size'")}),
            "either db1 has lost transactions, or db2 was given a wrong position (position > file "
            "size); db2 may hold transactions that db1 lacks: save them before it is rebuilt");
  EXPECT_EQ(classify(linked({writer(1, "#1:1-95"), replica(2, 1)}), 1).errant_transactions, 0u);
}

TEST(ClassifyTest, NoWriterSaysWhatRefusesTheWrites) {
  EXPECT_EQ(classify(linked({refused(writer(1), "innodb_read_only is ON"), replica(2, 1)}), 1)
                .findings[0]
                .text,
            "no writable node, db1 takes none: innodb_read_only is ON");
}

// A short history of up to three servers that wrote one after another.
std::string random_history(std::mt19937& random, Flavour flavour) {
  std::vector<std::string> parts;
  for (unsigned server = 1; server <= 3; ++server)
    if (const auto last = random() % 6; last > 0)
      parts.push_back(flavour == kMariadb ? fmt::format("0-{}-{}", server, 10 * server + last)
                                          : fmt::format("#{}:1-{}", server, last));
  return join(parts, ",");
}

TEST(ClassifyTest, EveryPairThatDivergedIsFoundHoweverManyThereAre) {
  std::mt19937 random{20261125};
  for (int world = 0; world < 300; ++world) {
    const Flavour flavour = world % 2 == 0 ? kMariadb : Flavour::kMysql;
    std::vector<Node> nodes;
    for (int number = 1; number <= 8; ++number)
      nodes.push_back(writer(number, random_history(random, flavour), flavour));
    using Pairs = std::set<std::pair<std::size_t, std::size_t>>;
    Pairs want, found;
    for (std::size_t a = 0; a < nodes.size(); ++a)
      for (std::size_t b = a + 1; b < nodes.size(); ++b) {
        const History &one = nodes[a].facts->history, &other = nodes[b].facts->history;
        if (extra(one, other)->any() && extra(other, one)->any()) want.emplace(a, b);
      }
    for (const Finding& finding : classify(linked(nodes), nodes.size()).findings) {
      if (finding.verdict == Verdict::kPrimaryLost) continue;  // another one has more of its own
      EXPECT_EQ(finding.verdict, Verdict::kDiverged);
      found.insert(std::minmax(finding.nodes[0], finding.nodes[1]));
    }
    EXPECT_EQ(found, want);
  }
}

TEST(ClassifyTest, EveryVerdictHasANameAndAMeaning) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Verdict::kUnproven); ++i) {
    names.insert(verdict_name(static_cast<Verdict>(i)));
    EXPECT_FALSE(verdict_meaning(static_cast<Verdict>(i)).empty());
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Verdict::kUnproven) + 1);
}

}  // namespace
}  // namespace ha
