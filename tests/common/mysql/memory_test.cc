// SPDX-License-Identifier: MIT
#include "common/mysql/memory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/files.h"
#include "common/mysql/memory_file.h"
#include "common/posix_files.h"
#include "tests/fakes/temp_directory.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

constexpr Flavour kMariadb = Flavour::kMariadb;

Memory seen(std::vector<Node> nodes, double now_s = 1000) {
  return remember({}, linked(std::move(nodes)), now_s);
}

TEST(MemoryTest, HoldsWhoWasWho) {
  Node source = writer(1);
  source.facts->semi_sync.timeout_ms = 5000;
  const Memory memory = seen({source, replica(2, 1), replica(3, 2), lost(4)});
  EXPECT_EQ(memory.primary, "db1");
  EXPECT_EQ(memory.seen_s, 1000);
  const SeenNode& primary = *memory.find("db1");
  EXPECT_EQ(primary.server_id, 1u);
  EXPECT_EQ(primary.server_uuid, uuid_of(1));
  EXPECT_EQ(primary.address, "db1:3306");
  EXPECT_EQ(primary.semi_sync.timeout_ms, 5000);
  EXPECT_EQ(primary.addresses, std::vector<std::string>{"db1:3306"});
  EXPECT_FALSE(primary.is_replica());
  EXPECT_TRUE(memory.find("db3")->is_replica());
  EXPECT_EQ(memory.find("db3")->channels[0].source, "db2");
  EXPECT_EQ(memory.find("db4"), nullptr);
  EXPECT_EQ(describe_seen(memory, "db1"), "as the primary");
  EXPECT_EQ(describe_seen(memory, "db2"), "as a replica of db1");
  EXPECT_EQ(describe_seen(memory, "db4"), "");
}

TEST(MemoryTest, TextsAreUtf8) {
  Memory memory = seen({writer(1), replica(2, 1)});
  memory.nodes["db1"].version = parse_version("10.11.\xF3-\u00E9");
  const std::string written = memory_to_json(memory);
  const auto read = parse_memory(written);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->find("db1")->version.text, "10.11.\uFFFD-\u00E9");
  // Nobody writes these: two such names would be one when they are written again.
  for (const char* const name : {"db\xF3", "db\xFF", "\\udc00"}) {
    std::string other = written;
    other.replace(other.find("\"db2\":"), 6, std::string("\"") + name + "\":");
    EXPECT_FALSE(parse_memory(other)) << name;
  }
}

TEST(MemoryTest, AViewWithoutAWriterChangesNothing) {
  const Memory before = seen({writer(1), replica(2, 1)});
  const Memory after = remember(before, linked({lost(1), replica(2, 1)}), 2000);
  EXPECT_EQ(memory_to_json(after), memory_to_json(before));
}

TEST(MemoryTest, SilentNodesStayAsTheyWere) {
  const Memory before = seen({writer(1), replica(2, 1), replica(3, 1)});
  const Memory after = remember(before, linked({writer(1), replica(2, 1), lost(3)}), 2000);
  EXPECT_EQ(after.find("db2")->seen_s, 2000);
  EXPECT_EQ(after.find("db2")->semi_sync_s, 2000);
  EXPECT_EQ(after.find("db3")->seen_s, 1000);
  EXPECT_EQ(after.find("db3")->semi_sync_s, 1000);
  EXPECT_TRUE(after.find("db3")->is_replica());
}

TEST(MemoryTest, OfSeveralWritersNoneIsHarmlessAndNoneIsThePrimary) {
  const Memory before = seen({writer(1), replica(2, 1), replica(3, 1)});
  const Memory after = remember(before, linked({writer(1), writer(2), replica(3, 1)}), 2000);
  EXPECT_EQ(after.primary, "db1");
  EXPECT_EQ(after.seen_s, 1000);
  EXPECT_FALSE(after.find("db2")->is_replica());
  // No more than that was noted of them.
  EXPECT_EQ(after.find("db2")->semi_sync_s, 1000);
  EXPECT_EQ(after.find("db3")->seen_s, 1000);
}

TEST(MemoryTest, TheRoleMovesWhenItIsCertain) {
  const auto opened = [](Node node) {
    node.facts->read_only = false;
    return node;
  };
  const Memory before = seen({writer(1), replica(2, 1), replica(3, 1)});
  const struct {
    const char* name;
    std::vector<Node> nodes;
    const char* primary;
  } cases[] = {
      {"the old one is a replica", {replica(1, 2), writer(2), lost(3)}, "db2"},
      {"a replica receives from the new one", {lost(1), writer(2), replica(3, 2)}, "db2"},
      {"it is no longer a replica", {lost(1), writer(2), lost(3)}, "db2"},
      {"nothing tells", {lost(1), opened(replica(2, 1)), lost(3)}, "db1"},
      {"it was never seen", {lost(1), lost(2), lost(3), writer(4)}, "db1"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(remember(before, linked(c.nodes), 2000).primary, c.primary) << c.name;
}

// The new primary is silent in the first look after the change, and the former one is back.
TEST(MemoryTest, AChangeNeedsNoLook) {
  const Memory before = seen({writer(1), replica(2, 1)});
  const Memory after = with_primary(before, replica(2, 1), 2000);
  EXPECT_EQ(after.primary, "db2");
  EXPECT_EQ(after.seen_s, 2000);
  const SeenNode& node = *after.find("db2");
  EXPECT_EQ(node.seen_s, 2000);
  EXPECT_EQ(node.semi_sync_s, 0);
  EXPECT_EQ(node.read_only, false);
  EXPECT_TRUE(node.channels.empty());
  EXPECT_EQ(node.server_uuid, uuid_of(2));
  EXPECT_EQ(node.address, "db2:3306");
  EXPECT_EQ(remember(after, linked({writer(1), lost(2)}), 3000).primary, "db2");
  EXPECT_EQ(with_primary({}, replica(2, 1), 2000).find("db2")->address, "db2:3306");
}

// Two writers are seen at first.
TEST(MemoryTest, APromotionByOthersIsKnownWhenTheOtherIsGone) {
  Memory memory = seen({writer(2), replica(1, 2)});
  memory = remember(memory, linked({writer(1), writer(2)}), 2000);
  EXPECT_EQ(memory.primary, "db2");
  memory = remember(memory, linked({writer(1), lost(2)}), 3000);
  EXPECT_EQ(memory.primary, "db1");
}

TEST(MemoryTest, AnAddressLeadsToOneServer) {
  const auto by_vip = [](Node node) {
    channel(node).source_host = "vip";
    return node;
  };
  const Memory before = seen({writer(1), by_vip(replica(2, 1)), by_vip(replica(3, 1))});
  EXPECT_EQ(before.find("db1")->addresses, std::vector<std::string>{"vip:3306"});
  const Memory after =
      remember(before, linked({replica(1, 2), writer(2), by_vip(replica(3, 2))}), 2000);
  EXPECT_TRUE(after.find("db1")->addresses.empty());
  EXPECT_EQ(after.find("db2")->addresses.back(), "vip:3306");
}

TEST(MemoryTest, AReceiversStateIsKeptWithItsBeginning) {
  const auto refused = [](Node node) {
    channel(node).io = {ThreadState::kConnecting, 1045, "Access denied"};
    return node;
  };
  Memory memory = seen({writer(1), replica(2, 1)});
  memory = remember(memory, linked({writer(1), refused(replica(2, 1))}), 2000);
  memory = remember(memory, linked({writer(1), refused(replica(2, 1))}), 3000);
  const SeenChannel& seen_channel = memory.find("db2")->channels[0];
  EXPECT_EQ(seen_channel.io.error_number, 1045u);
  EXPECT_EQ(seen_channel.io_since_s, 2000);
  memory = remember(memory, linked({writer(1), replica(2, 1)}), 4000);
  EXPECT_EQ(memory.find("db2")->channels[0].io_since_s, 4000);
}

class MemoryFileTest : public testing::Test {
 protected:
  MemoryFileTest() { chmod(directory_.path("").c_str(), 0700); }

  MemoryFile file(const std::string& cluster = "mysql") {
    return {files_, directory_.path("state"), cluster};
  }
  Recollection read() { return file().read(nodes_); }

  TempDirectory directory_;
  PosixFiles files_;
  std::vector<NodeAddress> nodes_ = {{"db1", "db1", 3306}, {"db2", "db2", 3306}};
  Topology topology_ = linked({writer(1, "0-1-1", kMariadb), replica(2, 1, "0-1-1", kMariadb)});
};

TEST_F(MemoryFileTest, WhatWasKeptIsReadBack) {
  ASSERT_TRUE(make_private_directory(directory_.path("state")));
  (*topology_.nodes[1].facts->channels)[0].io = {ThreadState::kStopped, 1045, "no \"access\""};
  topology_.nodes[0].facts->binlog_scope = {"pandora", "", "ROW"};
  topology_.nodes[0].facts->semi_sync = {"a",        true, false, true, 2,   "b",
                                         86'400'000, true, true,  1,    true};
  topology_.nodes[0].facts->version = parse_version("10.11.6-MariaDB");
  Recollection known = read();
  EXPECT_NE(known.trouble.find("there is no"), std::string::npos);
  file().update(known, topology_, 1000.5);
  EXPECT_EQ(known.trouble, "");
  const Recollection again = read();
  EXPECT_EQ(again.trouble, "");
  EXPECT_EQ(memory_to_json(again.memory), memory_to_json(known.memory));
  EXPECT_TRUE(again.memory.find("db1")->semi_sync.lossless());
  EXPECT_EQ(again.memory.find("db1")->semi_sync.replica_active, true);
  EXPECT_EQ(again.memory.find("db1")->semi_sync_s, 1000.5);
  EXPECT_EQ(again.memory.find("db1")->binlog_scope, (BinlogScope{"pandora", "", "ROW"}));
  EXPECT_EQ(again.memory.find("db1")->version.flavour, kMariadb);
  struct stat info = {};
  ASSERT_EQ(stat(directory_.path("state/mysql/memory.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(MemoryFileTest, ANodeAtAnotherAddressIsAnotherServer) {
  ASSERT_TRUE(make_private_directory(directory_.path("state")));
  Recollection known;
  file().update(known, topology_, 1000);
  nodes_[0].host = "elsewhere";
  EXPECT_EQ(read().memory.find("db1"), nullptr);
  EXPECT_EQ(read().memory.primary, "");
  ASSERT_NE(read().memory.find("db2"), nullptr);
  EXPECT_EQ(read().memory.find("db2")->channels[0].source, "");
}

TEST_F(MemoryFileTest, AChangeIsKept) {
  ASSERT_TRUE(make_private_directory(directory_.path("state")));
  Recollection known;
  file().update(known, topology_, 1000);
  file().record_primary(known, topology_.nodes[1], 1001);
  EXPECT_EQ(known.trouble, "");
  EXPECT_EQ(read().memory.primary, "db2");
  EXPECT_EQ(read().memory.seen_s, 1001);
}

TEST_F(MemoryFileTest, ABrokenFileIsAsIfNothingWasSeen) {
  ASSERT_TRUE(make_private_directory(directory_.path("state")));
  ASSERT_TRUE(make_private_directory(directory_.path("state/mysql")));
  for (const char* content :
       {"", "{", "[]", R"({"format":"other"})", R"({"format":"monitoring-plugins-ha memory 1"})"}) {
    directory_.file("state/mysql/memory.json", content);
    const Recollection known = read();
    EXPECT_TRUE(known.memory.nodes.empty()) << content;
    EXPECT_TRUE(known.trouble.starts_with("nothing is remembered of the cluster: ")) << content;
  }
  // What is no such value is as if it were not there.
  directory_.file("state/mysql/memory.json",
                  R"({"format":"monitoring-plugins-ha memory 1","primary":7,"nodes":{"db1":)"
                  R"({"address":"db1:3306","seen_s":"x","channels":[1,{"io":3}]},"db2":null}})");
  EXPECT_EQ(read().trouble, "");
  EXPECT_EQ(read().memory.find("db1")->channels.size(), 1u);
  Recollection known = read();
  file().update(known, topology_, 1000);
  EXPECT_EQ(read().memory.primary, "db1");
}

TEST_F(MemoryFileTest, WithoutADirectoryNothingIsKeptAndNothingIsMade) {
  Recollection known;
  file().update(known, topology_, 1000);
  EXPECT_TRUE(known.trouble.starts_with("what was seen of the cluster is not remembered: "));
  EXPECT_TRUE(known.memory.nodes.empty());
  EXPECT_NE(access(directory_.path("state").c_str(), F_OK), 0);
}

TEST_F(MemoryFileTest, OthersDirectoriesAreNotBelieved) {
  ASSERT_TRUE(make_private_directory(directory_.path("state")));
  Recollection known;
  file().update(known, topology_, 1000);
  chmod(directory_.path("state/mysql").c_str(), 0777);
  EXPECT_TRUE(read().memory.nodes.empty());
  EXPECT_NE(read().trouble.find("other users may write to"), std::string::npos);
}

TEST_F(MemoryFileTest, AWatcherDoesNotWriteAgainAndAgain) {
  ASSERT_TRUE(make_private_directory(directory_.path("state")));
  Recollection known;
  file().update(known, topology_, 1000);
  file().update(known, topology_, 1001);
  EXPECT_EQ(read().memory.seen_s, 1000);
  file().update(known, topology_, 1006);
  EXPECT_EQ(read().memory.seen_s, 1006);
  topology_.nodes[1].facts->read_only = false;
  file().update(known, topology_, 1007);
  EXPECT_EQ(read().memory.find("db2")->read_only, false);
}

}  // namespace
}  // namespace ha
