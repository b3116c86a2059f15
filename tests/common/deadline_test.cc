// SPDX-License-Identifier: MIT
#include "common/deadline.h"

#include <gtest/gtest.h>

#include "tests/fakes/deadline_in.h"

namespace ha {
namespace {

TEST(DeadlineTest, LeavesAMomentForTheReport) {
  const auto moment = [](double seconds) {
    const Deadline end = deadline_in(seconds);
    return end.remaining_s() - end.before_report().remaining_s();
  };
  EXPECT_NEAR(moment(10), 0.2, 0.01);
  EXPECT_NEAR(moment(1), 0.1, 0.01);
}

TEST(DeadlineTest, CountsDownAndStaysAtZero) {
  const Deadline soon = deadline_in(100);
  EXPECT_GT(soon.remaining_s(), 99);
  EXPECT_LE(soon.remaining_s(), 100);
  EXPECT_FALSE(soon.passed());
  const Deadline past = deadline_in(-1);
  EXPECT_EQ(past.remaining_s(), 0);
  EXPECT_TRUE(past.passed());
}

}  // namespace
}  // namespace ha
