// SPDX-License-Identifier: MIT
#include "common/watchdog.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

TEST(WatchdogTest, WhatIsNoneIsRefused) {
  EXPECT_EQ(open_watchdog("/dev/null", 5).error().text,
            "/dev/null is no watchdog: Inappropriate ioctl for device");
  const auto missing = open_watchdog("/no/such/watchdog", 5);
  EXPECT_EQ(missing.error().code, Errc::kMissing);
  EXPECT_EQ(missing.error().text, "cannot open /no/such/watchdog: No such file or directory");
}

}  // namespace
}  // namespace ha
