// SPDX-License-Identifier: MIT
#include "common/clock.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

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

TEST(ClockTest, AWaitEndsWithWhatCanBeReadAndWithSignals) {
  constexpr double kLong_s = 60;
  SystemClock clock;
  clock.heed_reload_signal();
  clock.heed_stop_signals();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const double begin_s = clock.monotonic_s();
  EXPECT_TRUE(clock.sleep_until_readable({ends[0]}, 0.002));
  EXPECT_GE(clock.monotonic_s() - begin_s, 0.002) << "there was nothing";
  close(ends[1]);
  EXPECT_TRUE(clock.sleep_until_readable({ends[0]}, kLong_s));
  close(ends[0]);
  EXPECT_FALSE(clock.take_reload());
  kill(getpid(), SIGHUP);
  EXPECT_TRUE(clock.sleep_until_readable({}, kLong_s)) << "SIGHUP means no stop";
  EXPECT_TRUE(clock.take_reload());
  EXPECT_FALSE(clock.take_reload()) << "once";
  EXPECT_FALSE(clock.stopping());
  kill(getpid(), SIGTERM);
  EXPECT_FALSE(clock.sleep_until_readable({}, kLong_s));
  EXPECT_TRUE(clock.stopping());
  EXPECT_FALSE(clock.sleep_until_readable({}, kLong_s)) << "it was taken before";
  EXPECT_LT(clock.monotonic_s() - begin_s, kLong_s);
}

}  // namespace
}  // namespace ha
