// SPDX-License-Identifier: MIT
#include "common/merge/merge_journal.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

TEST(MergeJournalTest, IsTold) {
  const std::vector<JournalRecord> records = {
      {{"event", "begin"},
       {"time", "1000"},
       {"from", "db1"},
       {"to", "db2"},
       {"since", "@1"},
       {"until", "@2"},
       {"tables", "a.b"}},
      {{"event", "table"}, {"time", "1002.5"}, {"table", "a.b"}, {"text", "3 rows"}},
      {{"event", "end"}, {"time", "1003"}, {"outcome", "done"}, {"text", "merge done"}}};
  EXPECT_EQ(summarize_merge(records), "merge      db1 -> db2  done");
  EXPECT_EQ(summarize_merge({records[0]}), "merge      db1 -> db2  unfinished");
  EXPECT_EQ(describe_merge(records),
            (std::vector<std::string>{"  +0.000s  merge of a.b from db1 to db2, since @1 until @2",
                                      "  +2.500s  a.b: 3 rows", "  +3.000s  merge done"}));
  EXPECT_EQ(summarize_merge({}), "merge      ?  unfinished");
}

}  // namespace
}  // namespace ha
