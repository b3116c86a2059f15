// SPDX-License-Identifier: MIT
#include "common/failover/live_actions.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

TEST(FillInTest, ReplacesWhatIsKnownOutsideOfQuotes) {
  const RunFacts values = {{"file", "'b.000001'"}, {"password", "'it''s {file}'"}};
  const struct {
    const char *sql, *want;
  } cases[] = {
      {"LOG_FILE={file}, POS=4", "LOG_FILE='b.000001', POS=4"},
      {"HOST='{file}', FILE={file}", "HOST='{file}', FILE='b.000001'"},
      {"USER='a''{password}', PASSWORD={password}",
       "USER='a''{password}', PASSWORD='it''s {file}'"},
      {"POS={unknown}", "POS={unknown}"},
      {"POS={file", "POS={file"},
      {"", ""},
  };
  for (const auto& c : cases) EXPECT_EQ(fill_in(c.sql, values), c.want);
}

}  // namespace
}  // namespace ha
