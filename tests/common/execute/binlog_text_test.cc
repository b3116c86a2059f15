// SPDX-License-Identifier: MIT
#include "common/execute/binlog_text.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "common/files.h"
#include "common/posix_files.h"
#include "common/text.h"
#include "tests/fakes/fake_session.h"
#include "tests/fakes/temp_directory.h"

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
  PosixFiles files;
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
    EXPECT_EQ(check_whole(files, directory.file("events.sql", c.text)).has_value(), c.whole)
        << c.text;
  EXPECT_FALSE(check_whole(files, directory.path("missing")));
}

TEST(ApplyEventsTest, SaysHowManyWereAppliedBeforeTheError) {
  const TempDirectory directory;
  PosixFiles files;
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
  const auto applied = apply_events(files, path, session);
  ASSERT_FALSE(applied);
  EXPECT_TRUE(applied.error().text.starts_with("1 of the rescued transactions applied, then: "))
      << applied.error().text;
  EXPECT_EQ(session.asked[0], "/*M!100001 SET @@session.gtid_seq_no=1*/");
}

TEST(ApplyEventsTest, ATornTransactionIsNoneAndATableIsOne) {
  const TempDirectory directory;
  PosixFiles files;
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
  const auto applied = apply_events(files, path, session);
  ASSERT_TRUE(applied) << applied.error().text;
  EXPECT_EQ(*applied, 2u);
}

}  // namespace
}  // namespace ha
