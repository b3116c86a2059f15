// SPDX-License-Identifier: MIT
#include "common/execute/run_statements.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

const PlaceholderValues kKnown = {.binlog_end = BinlogPosition{"b.000001", 77},
                                  .applied = BinlogPosition{},
                                  .repl_password = "it's {binlog_file}"};

TEST(CompleteTest, ReplacesWhatIsNeededOutsideOfQuotes) {
  const Placeholder end = Placeholder::kBinlogEnd, password = Placeholder::kReplPassword;
  const struct {
    std::string sql;
    std::vector<Placeholder> placeholders;
    std::string want;
  } cases[] = {
      {"FILE={binlog_file}, POS={binlog_position}", {end}, "FILE='b.000001', POS=77"},
      {"HOST='{binlog_file}', FILE={binlog_file}", {end}, "HOST='{binlog_file}', FILE='b.000001'"},
      {"USER='a''{repl_password}', PASSWORD={repl_password}",
       {password},
       "USER='a''{repl_password}', PASSWORD='it''s {binlog_file}'"},
      {"P={repl_password}, FILE={binlog_file}",
       {end, password},
       "P='it''s {binlog_file}', FILE='b.000001'"},
      {"FILE={binlog_file}", {}, "FILE={binlog_file}"},
      {"FILE={applied_file}, POS={applied_position}", {Placeholder::kApplied}, "FILE='', POS=0"},
      {"POS={unknown}, FILE={binlog_file", {end}, "POS={unknown}, FILE={binlog_file"},
      {"", {}, ""},
  };
  for (const auto& c : cases) {
    const auto sql = complete({Part::kPoint, c.sql, c.placeholders}, kKnown);
    ASSERT_TRUE(sql) << c.sql;
    EXPECT_EQ(*sql, c.want);
  }
}

TEST(CompleteTest, NothingIsSentWithoutWhatItNeeds) {
  const std::pair<Placeholder, const char*> cases[] = {
      {Placeholder::kBinlogEnd, "the position {binlog_file}:{binlog_position} is not known"},
      {Placeholder::kRelay, "the position {relay_file}:{relay_position} is not known"},
      {Placeholder::kReplPassword,
       "the password of the replication account is not known (--repl-defaults-file)"}};
  for (const auto& [placeholder, want] : cases) {
    const auto sql = complete({Part::kPoint, "CHANGE", {placeholder}}, {});
    ASSERT_FALSE(sql) << want;
    EXPECT_EQ(sql.error().text, want);
  }
}

}  // namespace
}  // namespace ha
