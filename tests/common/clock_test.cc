// SPDX-License-Identifier: MIT
#include "common/clock.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

TEST(ClockTest, AMomentNamesItsBoot) {
  const Moment now = system_moment(), later = system_moment();
  EXPECT_GT(now.now_s, 0);
  EXPECT_GT(now.uptime_s, 0);
  EXPECT_EQ(now.boot.size(), 36u);
  EXPECT_EQ(now.boot, later.boot);
  EXPECT_LE(now.uptime_s, later.uptime_s);
}

TEST(ClockTest, AnAgeIsOfOneBootOrOfTheWallClock) {
  const Moment now = {1000, 500, "this"};
  const struct {
    Moment then;
    std::optional<double> age_s;
    const char* why;
  } cases[] = {
      {{900, 400, "this"}, 100, "both agree"},
      {{5000, 400, "this"}, 100, "the clock was ahead"},
      {{1, 400, "this"}, 100, "the clock was behind"},
      {{900, 400, "other"}, 100, "the uptime of another boot tells nothing"},
      {{900}, 100, "no uptime"},
      {{5000, 400, "other"}, std::nullopt, "the clock was set back, and the machine was rebooted"},
      {{5000}, std::nullopt, "the clock was set back"},
      {{900, 600, "this"}, 100, "a container of which this is not the boot"},
  };
  for (const auto& c : cases) EXPECT_EQ(age_of(c.then, now), c.age_s) << c.why;
}

}  // namespace
}  // namespace ha
