// SPDX-License-Identifier: MIT
#include "common/steady_uptime.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace ha {
namespace {

TEST(SteadyUptimeTest, ItIsOfOneClockForTheLifeOfAProcess) {
  using Read = std::optional<double>;
  struct {
    const char* name;
    std::vector<std::pair<Read, double>> seen;  // the uptime as it was read, and the other clock
    Read uptime_s;                              // in the end
  } const cases[] = {
      {"it is read", {{100.0, 7}, {103.0, 10}}, 103},
      {"once it cannot be read", {{100.0, 7}, {{}, 10}}, 103},
      {"twice", {{100.0, 7}, {{}, 10}, {{}, 12}}, 105},
      {"and again it can", {{100.0, 7}, {{}, 10}, {104.0, 11}}, 104},
      {"the other clock was a little ahead", {{100.0, 7}, {{}, 10}, {102.99, 10}}, 103},
      {"it could not be read at first", {{{}, 7}, {103.0, 10}}, {}},
      {"it could never be read", {{{}, 7}, {{}, 10}}, {}},
  };
  for (const auto& c : cases) {
    SteadyUptime uptime;
    Read last;
    for (const auto& [read_s, other_s] : c.seen) last = uptime.advance(read_s, other_s);
    EXPECT_EQ(last, c.uptime_s) << c.name;
  }
}

}  // namespace
}  // namespace ha
