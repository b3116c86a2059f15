// SPDX-License-Identifier: MIT
#include "common/failover/rescue.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "common/files.h"
#include "common/text.h"
#include "tests/fakes/fake_session.h"
#include "tests/fakes/temp_directory.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

std::vector<std::string> statements(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> found;
  const auto done = for_each_statement(stream, [&](const std::string& sql) -> Result<Done> {
    found.push_back(sql);
    return Done{};
  });
  if (!done) found.push_back("error: " + done.error().text);
  return found;
}

TEST(ForEachStatementTest, FollowsTheDelimiter) {
  EXPECT_EQ(join(statements("# a comment\n"
                            "SET @a=1;\n"
                            "DELIMITER /*!*/;\n"
                            "# at 4\n"
                            "BINLOG '\nAAA\nBBB\n'/*!*/;\n"
                            "INSERT INTO t VALUES ('x;\n# no comment')\n/*!*/;\n"
                            "DELIMITER ;\n"
                            "SET @b=2;\n"),
                 "|"),
            "SET @a=1|BINLOG '\nAAA\nBBB\n'|INSERT INTO t VALUES ('x;\n# no comment')\n|SET @b=2");
}

TEST(ForEachStatementTest, AnEndInTheMiddleIsAnError) {
  EXPECT_EQ(join(statements("DELIMITER /*!*/;\nBINLOG '\nAAA\n"), "|"),
            "error: the events end in the middle of a statement");
}

TEST(BeginsTransactionTest, KnowsEachFlavour) {
  EXPECT_TRUE(begins_transaction("SET @@SESSION.GTID_NEXT= 'a:1'"));
  EXPECT_TRUE(begins_transaction("SET @@SESSION.GTID_NEXT= 'ANONYMOUS'"));
  EXPECT_TRUE(begins_transaction("/*M!100001 SET @@session.gtid_seq_no=6*/"));
  EXPECT_FALSE(begins_transaction("SET @@SESSION.GTID_NEXT= 'AUTOMATIC' /* added */"));
  EXPECT_FALSE(begins_transaction("COMMIT"));
}

TEST(CheckWholeTest, LooksForTheLastLine) {
  const TempDirectory directory;
  const std::string end = "COMMIT/*!*/;\n/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE=0*/;\n";
  const std::string lines(3000, '\n');
  const struct {
    std::string text;
    bool whole;
  } cases[] = {
      {end, true},    {lines + end + "/* by a script */\n", true},    {"", false},
      {lines, false}, {lines + end.substr(0, end.size() - 1), false}, {end + lines, false},
  };
  for (const auto& c : cases)
    EXPECT_EQ(check_whole(directory.file("events.sql", c.text)).has_value(), c.whole) << c.text;
  EXPECT_FALSE(check_whole(directory.path("missing")));
}

TEST(ApplyEventsTest, SaysHowManyWereAppliedBeforeTheError) {
  const TempDirectory directory;
  const std::string path = directory.path("events.sql");
  ASSERT_TRUE(write_file_atomic(path,
                                "DELIMITER /*!*/;\n"
                                "/*!\\C utf8mb4 *//*!*/;\n"
                                "/*M!100001 SET @@session.gtid_seq_no=1*//*!*/;\n"
                                "COMMIT/*!*/;\n"
                                "/*M!100001 SET @@session.gtid_seq_no=2*//*!*/;\n"
                                "BROKEN/*!*/;\n"));
  FakeSession session("10.11.6-MariaDB");
  session.answer("gtid_seq_no", Rows{}).answer("COMMIT", Rows{});
  const auto applied = apply_events(path, session);
  ASSERT_FALSE(applied);
  EXPECT_TRUE(applied.error().text.starts_with("1 of the rescued transactions applied, then: "))
      << applied.error().text;
  EXPECT_EQ(session.asked[0], "/*M!100001 SET @@session.gtid_seq_no=1*/");
}

TEST(ApplyEventsTest, ATornTransactionIsNoneAndATableIsOne) {
  const TempDirectory directory;
  const std::string path = directory.file("events.sql",
                                          "DELIMITER /*!*/;\n"
                                          "ROLLBACK/*!*/;\n"
                                          "/*M!100001 SET @@session.gtid_seq_no=1*//*!*/;\n"
                                          "START TRANSACTION\n/*!*/;\n"
                                          "COMMIT/*!*/;\n"
                                          "/*M!100001 SET @@session.gtid_seq_no=2*//*!*/;\n"
                                          "CREATE TABLE t (a INT)/*!*/;\n"
                                          "/*M!100001 SET @@session.gtid_seq_no=3*//*!*/;\n"
                                          "START TRANSACTION\n/*!*/;\n"
                                          "DELIMITER ;\n"
                                          "ROLLBACK /* added by mysqlbinlog */;\n");
  FakeSession session("10.11.6-MariaDB");
  for (const char* const words : {"gtid_seq_no", "START", "COMMIT", "CREATE", "ROLLBACK"})
    session.answer(words, Rows{});
  const auto applied = apply_events(path, session);
  ASSERT_TRUE(applied) << applied.error().text;
  EXPECT_EQ(*applied, 2u);
}

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
            "the server calls a binlog '-x', which is refused: it could be taken for a path or an "
            "option");
  EXPECT_TRUE(binlog_arguments(node, {}, "my bin-1.000001", {}, {}));
}

TEST(CountAfterTest, CountsTransactionsFromAPositionOn) {
  const auto events = [](std::vector<std::string> types) {
    Rows rows{{"Event_type"}, {}};
    for (std::string& type : types) rows.cells.push_back({std::move(type)});
    return rows;
  };
  FakeSession session("10.11.6-MariaDB");
  session.answer("SHOW BINARY LOGS", Rows{{"Log_name"}, {{"b.000001"}, {"b.000002"}, {"b.000003"}}})
      .answer("IN 'b.000002' FROM 400", events({"Gtid", "Query", "Xid", "Rotate"}))
      .answer("IN 'b.000003' FROM 4",
              events({"Format_desc", "Gtid_list", "Previous_gtids", "Anonymous_Gtid", "Query"}));
  const auto count = count_after(session, {"b.000002", 400});
  ASSERT_TRUE(count);
  EXPECT_EQ(*count, std::optional<std::uint64_t>(2));
  EXPECT_EQ(*count_after(session, {"b.000009", 4}), std::nullopt);
}

}  // namespace
}  // namespace ha
