// SPDX-License-Identifier: MIT
#include "common/resync/dump.h"

#include <gtest/gtest.h>

#include <sstream>

#include "common/text.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

std::string moment_of(const std::string& dump) {
  std::istringstream text(dump);
  const auto moment = read_dump_moment(text);
  if (!moment) return moment.error().text;
  return fmt::format("{}:{} {}", moment->position.file, moment->position.offset, moment->gtids);
}

TEST(ReadDumpMomentTest, FindsFilePositionAndGtidsBeforeTheFirstDatabase) {
  EXPECT_EQ(moment_of("/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump\n--\n\n"
                      "/*!40101 SET NAMES utf8mb4 */;\n"
                      "--\n-- Position\n--\n\n"
                      "CHANGE MASTER TO MASTER_LOG_FILE='b.000001', MASTER_LOG_POS=1349;\n"
                      "CREATE DATABASE `x`;\n"),
            "b.000001:1349 ");
  EXPECT_EQ(
      moment_of("SET @@SESSION.SQL_LOG_BIN= 0;\n\n"
                "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '0-1:1-5,\n0-2:1';\n\n"
                "CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='b.000003', SOURCE_LOG_POS=157;\n"
                "USE `mysql`;\n"),
      "b.000003:157 0-1:1-5,0-2:1");
  EXPECT_EQ(moment_of("SET @@GLOBAL.GTID_PURGED='';\n"
                      "CHANGE MASTER TO MASTER_LOG_FILE='b.1', MASTER_LOG_POS=4;\n"),
            "b.1:4 ");
}

TEST(ReadDumpMomentTest, ADumpThatDoesNotSayIsRefused) {
  const std::string words = "the dump does not show the binlog position";
  EXPECT_EQ(moment_of(""), words);
  EXPECT_EQ(
      moment_of("CREATE DATABASE x;\nCHANGE MASTER TO MASTER_LOG_FILE='b', MASTER_LOG_POS=4;\n"),
      words);
  EXPECT_EQ(moment_of("CHANGE MASTER TO MASTER_USE_GTID=slave_pos;\nUSE x;\n"), words);
  EXPECT_EQ(moment_of("CHANGE MASTER TO MASTER_LOG_FILE='b', MASTER_LOG_POS=x;\nUSE x;\n"), words);
  EXPECT_EQ(moment_of("SET @@GLOBAL.GTID_PURGED=;\nUSE x;\n"), words);
}

TEST(CheckDumpEndTest, OnlyTheLastLineSaysThatItWasCompleted) {
  const auto whole = [](const std::string& dump) {
    std::istringstream text(dump);
    return check_dump_end(text).has_value();
  };
  EXPECT_TRUE(whole("USE x;\n-- Dump completed on 2026-01-02  3:04:05\n"));
  EXPECT_TRUE(whole(std::string(5000, 'x') + "\n-- Dump completed\n"));
  for (const char* const text :
       {"", "USE x;\n", "-- Dump complete\n", "INSERT INTO t VALUES ('-- Dump completed');\n",
        "USE x;\n-- Dump completed on 2026-01-02  3:04:05\nINSERT INTO t VALUES (1);\n"})
    EXPECT_FALSE(whole(text)) << text;
}

std::string binlog_state(const char* before, const char* after, const char* moment) {
  return binlog_state_of_copy(*MariadbGtids::parse(before), *MariadbGtids::parse(after),
                              *MariadbGtids::parse(moment));
}

TEST(BinlogStateOfCopyTest, KnowsAllWhoHadWrittenAndEndsWithTheNewest) {
  EXPECT_EQ(binlog_state("", "", ""), "");
  EXPECT_EQ(binlog_state("0-1-5,0-2-9", "0-1-5,0-2-9", "0-2-9"), "0-1-5,0-2-9");
  // The newest of a domain is not that of the greatest server.
  EXPECT_EQ(binlog_state("0-2-5,0-1-9", "0-2-5,0-1-12", "0-1-10"), "0-2-5,0-1-10");
  // Who wrote between both looks: up to the moment it is known, after it nothing is.
  EXPECT_EQ(binlog_state("0-1-5", "0-1-8,0-2-9", "0-2-9"), "0-1-8,0-2-9");
  EXPECT_EQ(binlog_state("0-1-5", "0-2-9,0-1-12", "0-2-9"), "0-1-5,0-2-9");
  EXPECT_EQ(binlog_state("0-1-5", "0-1-7,0-3-8", "0-1-7"), "0-1-7");
  // Domains have nothing to do with each other.
  EXPECT_EQ(binlog_state("0-1-5,7-1-90", "0-1-6,7-1-99", "0-1-6,7-1-95"), "0-1-6,7-1-95");
}

TEST(ParseMomentTest, ReadsWhatMariabackupWrites) {
  const auto with_gtids = parse_moment("note\nbinlog.000002\t342\t0-1-5,1-2-3\n");
  ASSERT_TRUE(with_gtids);
  EXPECT_EQ(with_gtids->position, (BinlogPosition{"binlog.000002", 342}));
  EXPECT_EQ(with_gtids->gtids, "0-1-5,1-2-3");
  EXPECT_EQ(parse_moment("binlog.000002 342")->gtids, "");
  for (const char* const text : {"", "done", "binlog.1 x", "binlog.1 0", "a 1 b c", "binlog.1 -4"})
    EXPECT_FALSE(parse_moment(text)) << text;
}

TEST(IsAboutServerTest, OnlyStatementsThatSetUpTheServerArePassedOver) {
  for (const char* const sql :
       {"CHANGE MASTER TO MASTER_LOG_FILE='b', MASTER_LOG_POS=4",
        "\nCHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='b', SOURCE_LOG_POS=4",
        "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'x'", "SET GLOBAL gtid_slave_pos='0-1-2'",
        "/*!50606 SET GLOBAL INNODB_STATS_AUTO_RECALC=OFF */"})
    EXPECT_TRUE(is_about_server(sql)) << sql;
  for (const char* const sql :
       {"INSERT INTO `t` VALUES ('SET GLOBAL x')", "INSERT INTO t VALUES ('GLOBAL.GTID_PURGED=')",
        "CREATE TABLE `CHANGE ` (a INT)", "SET @@SESSION.SQL_LOG_BIN= 0",
        "CREATE PROCEDURE p() SET GLOBAL x=1"})
    EXPECT_FALSE(is_about_server(sql)) << sql;
}

TEST(DumpArgumentsTest, AreInTheWordsOfTheVersion) {
  Node mysql = writer(1);
  mysql.facts->version = parse_version("8.0.26");
  const std::string words = join(dump_arguments(mysql, DumpLock::kNone), " ");
  EXPECT_TRUE(words.starts_with("--host=db1 --port=3306 --all-databases --single-transaction "))
      << words;
  EXPECT_NE(words.find(" --source-data=1 --no-tablespaces --set-gtid-purged=ON "), words.npos);
  mysql.facts->version = parse_version("5.7.44");
  mysql.facts->history = {};
  EXPECT_NE(join(dump_arguments(mysql, DumpLock::kNone), " ")
                .find(" --master-data=1 --no-tablespaces --set-gtid-purged=OFF "),
            words.npos);
  Node mariadb = writer(1, "0-1-5", Flavour::kMariadb);
  mariadb.facts->version = parse_version("10.11.6-MariaDB");
  const std::string theirs = join(dump_arguments(mariadb, DumpLock::kAllTables), " ");
  EXPECT_NE(theirs.find(" --lock-all-tables "), words.npos) << theirs;
  EXPECT_NE(theirs.find(" --master-data=1 --ignore-table="), words.npos) << theirs;
}

}  // namespace
}  // namespace ha
