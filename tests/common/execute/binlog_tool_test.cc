// SPDX-License-Identifier: MIT
#include "common/execute/binlog_tool.h"

#include <gtest/gtest.h>

#include "common/text.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

TEST(BinlogArgumentsTest, AskForWhatOnlyTheNodeHas) {
  const Node mysql = writer(1, "#1:1-10");
  EXPECT_EQ(join(*binlog_arguments(mysql, {}, "b.000001", mysql.facts->history,
                                   MysqlHistory{gtids("#1:1-8,#2:1")}),
                 " "),
            "--read-from-remote-server --host=db1 --port=3306 --to-last-log -vv "
            "--include-gtids=00000000-0000-0000-0000-000000000001:9-10 -- b.000001");
  const Node mariadb = writer(1, "0-1-10,0-3-2,5-1-7", Flavour::kMariadb);
  EXPECT_EQ(join(*binlog_arguments(mariadb, {}, "b.000001", mariadb.facts->history,
                                   MariadbHistory{2, *MariadbGtids::parse("0-1-8,0-2-9,5-1-7")}),
                 " "),
            "--read-from-remote-server --host=db1 --port=3306 --to-last-log -vv "
            "--loose-skip-gtid-strict-mode --start-position=0-1-8,5-1-7 -- b.000001");
  // What the node has not received yet is no place to begin.
  EXPECT_EQ(binlog_arguments(mariadb, {}, "b.000001", mariadb.facts->history,
                             MariadbHistory{2, *MariadbGtids::parse("0-1-12,5-1-9")})
                ->at(6),
            "--start-position=0-1-10,5-1-7");
  // What a replica has written itself may stand anywhere between what it has replicated.
  const Node itself = replica(3, 1, "0-1-10,0-3-9", Flavour::kMariadb);
  const auto others = MariadbHistory{1, *MariadbGtids::parse("0-1-12")};
  EXPECT_EQ(binlog_arguments(itself, {}, "b.000001", itself.facts->history, others)->at(6),
            "--server-id=3");
  const Node rogue = replica(3, 1, "0-1-10,0-3-9,0-4-11", Flavour::kMariadb);
  EXPECT_EQ(binlog_arguments(rogue, {}, "b.000001", rogue.facts->history, others)->back(),
            "b.000001");
  EXPECT_EQ(binlog_arguments(rogue, {}, "b.000001", rogue.facts->history, others)->size(), 8u);
  EXPECT_EQ(binlog_arguments(itself, {}, "b.000001", {}, {})->at(5), "--server-id=3");
  EXPECT_EQ(join(*binlog_arguments(mariadb, {"b.000004", 400}, "b.000001", {}, {}), " "),
            "--read-from-remote-server --host=db1 --port=3306 --to-last-log -vv "
            "--start-position=400 -- b.000004");
}

TEST(BinlogArgumentsTest, RefuseANameThatIsAnOptionOrAPath) {
  const Node node = writer(1, "0-1-10", Flavour::kMariadb);
  for (const char* const name :
       {"", "-x", "--result-file=/etc/passwd", "../b.000001", "/var/lib/mysql/b.000001", "a/b",
        "a\\b", "b\n.000001", "b\x1B[2J.000001", "b\xE2\x80\xAE.000001"}) {
    const auto listed = binlog_arguments(node, {}, name, {}, {});
    ASSERT_FALSE(listed) << name;
    EXPECT_EQ(listed.error().code, Errc::kBadData);
    const auto after = binlog_arguments(node, {name, 4}, "b.000001", {}, {});
    EXPECT_EQ(after.has_value(), *name == '\0') << name;
  }
  EXPECT_EQ(binlog_arguments(node, {}, "-x", {}, {}).error().text,
            "the server names a binlog '-x'; this name is refused, because it could be taken for a "
            "path or an "
            "option");
  EXPECT_TRUE(binlog_arguments(node, {}, "my bin-1.000001", {}, {}));
}

}  // namespace
}  // namespace ha
