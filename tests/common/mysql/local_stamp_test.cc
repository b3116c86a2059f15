// SPDX-License-Identifier: MIT
#include "common/mysql/local_stamp.h"

#include <gtest/gtest.h>

#include "common/mysql/session.h"

namespace ha {
namespace {

// 02:00 of the second time, on 2024-10-27 in Central Europe.
constexpr double kTwo_s = 1729990800, kHour_s = 3600;

Rows row_of(std::optional<std::string> stamp_s, const char* twin_s) {
  return {{"now", "stamp", "stamp_s", "twin_s"},
          {{"1729990800", "2024-10-27 02:00:00", std::move(stamp_s), twin_s}}};
}

TEST(LocalStampTest, TheServerMayTakeEitherReading) {
  for (const auto& [stamp_s, twin_s] :
       {std::pair("1729987200", "3600"), std::pair("1729990800", "-3600")}) {
    const Rows rows = row_of(stamp_s, twin_s);
    const LocalStamp stamp = read_local_stamp(Row(rows, 0));
    EXPECT_EQ(stamp.text, "2024-10-27 02:00:00");
    EXPECT_EQ(stamp.now_s, kTwo_s);
    EXPECT_EQ(stamp.written_s, kTwo_s - kHour_s);
    EXPECT_EQ(stamp.later_s, kTwo_s);
  }
  const Rows once = row_of("1729990790", "0"), none = row_of(std::nullopt, "0");
  EXPECT_EQ(read_local_stamp(Row(once, 0)).later_s, std::nullopt);
  EXPECT_EQ(read_local_stamp(Row(none, 0)).written_s, std::nullopt);
}

// Seconds from 02:00 of the second time.
LocalStamp stamp_at(double earlier_s, double now_s) {
  return {"stamp", kTwo_s + now_s, kTwo_s + earlier_s, kTwo_s + earlier_s + kHour_s};
}

SeenStamp seen(const char* text, std::optional<double> written_s, double seen_s) {
  if (written_s) *written_s += kTwo_s;
  return {text, written_s, kTwo_s + seen_s};
}

TEST(LocalStampTest, WhatWasSeenBeforeTellsTheReading) {
  const struct {
    const char* what;
    LocalStamp stamp;
    std::optional<SeenStamp> before;
    StampAge want;
  } cases[] = {
      {"the later one would be in the future", stamp_at(-1800, -1793), {}, {7}},
      {"nothing is known", stamp_at(-3600, 7), {}, {7, 3607}},
      {"seen when it was new: dead", stamp_at(-1800, 1807), seen("stamp", -1800, 1790), {3607}},
      {"seen when it was old: dead", stamp_at(-1800, 2000), seen("stamp", -1800, 0), {3800}},
      {"seen in the second hour", stamp_at(-3600, 60), seen("stamp", 0, 7), {60}},
      {"unchanged, and it was not known then",
       stamp_at(-3600, 60),
       seen("stamp", {}, 7),
       {60, 3660}},
      {"changed since the first hour", stamp_at(-3590, 12), seen("before", -1, 2), {2}},
      {"changed since a look that could not tell", stamp_at(-3590, 12), seen("before", {}, 2), {2}},
      {"changed since a look long before",
       stamp_at(-1800, 1807),
       seen("before", -5000, -4990),
       {7, 3607}},
      {"an hour ago exactly the same",
       stamp_at(-1800, 1801),
       seen("stamp", -1800, -1799),
       {1, 3601}},
      {"no stamp", {"", kTwo_s}, seen("stamp", 0, 0), {}},
      {"one reading, in the future", {"stamp", kTwo_s, kTwo_s + 60}, {}, {-60}},
  };
  for (const auto& c : cases) {
    const StampAge age = age_of(c.stamp, c.before ? &*c.before : nullptr);
    EXPECT_EQ(age.age_s, c.want.age_s) << c.what;
    EXPECT_EQ(age.other_age_s, c.want.other_age_s) << c.what;
  }
}

TEST(LocalStampTest, WhatIsRemembered) {
  EXPECT_EQ(remember(stamp_at(-3600, 7), {7}), seen("stamp", 0, 7));
  EXPECT_EQ(remember(stamp_at(-3600, 7), {7, 3607}), seen("stamp", {}, 7));
}

}  // namespace
}  // namespace ha
