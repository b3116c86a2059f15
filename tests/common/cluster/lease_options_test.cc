// SPDX-License-Identifier: MIT
#include "common/cluster/lease_options.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

TEST(LeaseOptionsTest, WhatDoesNotGoTogetherIsRefused) {
  struct {
    const char* name;
    LeaseOptions options;
    std::string refusal;
  } const cases[] = {
      {"no lease", {}, ""},
      {"a lease", {.lease_s = 5}, ""},
      {"the shortest", {.lease_s = 2}, ""},
      {"all", {5, 2, "/run/mysqld/mysqld.pid", "/dev/watchdog", {"kill-it"}}, ""},
      {"no time to close it",
       {.lease_s = 5, .margin_s = 0},
       "--lease-margin: 0s is not between 0.2s and 4.8s, shorter than --lease (5s)"},
      {"no time to hold it",
       {.lease_s = 2, .margin_s = 2},
       "--lease-margin: 2s is not between 0.2s and 1.8s, shorter than --lease (2s)"},
      {"a file without a lease",
       {.pid_file = "/run/mysqld/mysqld.pid"},
       "--pid-file: has no effect without --lease"},
      {"a watchdog without a lease",
       {.watchdog = "/dev/watchdog"},
       "--watchdog: has no effect without --lease"},
      {"a command without a lease",
       {.kill_command = {"kill-it"}},
       "--kill-command: has no effect without --lease"},
  };
  for (const auto& c : cases) {
    const auto checked = check_lease_options(c.options);
    EXPECT_EQ(checked ? "" : checked.error().text, c.refusal) << c.name;
  }
}

}  // namespace
}  // namespace ha
