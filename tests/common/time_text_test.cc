// SPDX-License-Identifier: MIT
#include "common/time_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace ha {
namespace {

// 2026-11-29 22:10:05 UTC, a Sunday.
constexpr double kMoment_s = 1795990205.9, kDay_s = 86400, kHour_s = 3600;

class TimeTextTest : public testing::Test {
 protected:
  TimeTextTest() {
    setenv("TZ", "UTC-1", 1);  // an hour ahead
    tzset();
  }
  ~TimeTextTest() override {
    unsetenv("TZ");
    tzset();
  }
};

TEST_F(TimeTextTest, PeopleReadTheTimeOfThisMachine) {
  EXPECT_EQ(format_local_time(kMoment_s), "2026-11-29 23:10:05");
  EXPECT_EQ(format_local_minute(kMoment_s), "2026-11-29 23:10");
}

TEST_F(TimeTextTest, TheDateStandsWhereItIsNotTodays) {
  EXPECT_EQ(format_local_time(kMoment_s, kMoment_s + 100), "23:10:05");
  EXPECT_EQ(format_local_time(kMoment_s, kMoment_s + kHour_s), "2026-11-29 23:10:05");
  EXPECT_EQ(format_local_time(kMoment_s, kMoment_s + 365 * kDay_s), "2026-11-29 23:10:05");
}

TEST_F(TimeTextTest, MailsHaveUtc) {
  EXPECT_EQ(format_mail_date(kMoment_s), "Sun, 29 Nov 2026 22:10:05 +0000");
}

}  // namespace
}  // namespace ha
