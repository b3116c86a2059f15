// SPDX-License-Identifier: MIT
#include "common/engine/icinga2_api.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

TEST(Icinga2ApiTest, FlagsAreReadFromTheStatus) {
  const auto flags = parse_icinga2_flags(
      R"({"results":[{"name":"IcingaApplication","perfdata":[],"status":{"icingaapplication":{"app":
      {"enable_notifications":false,"enable_service_checks":true,"enable_host_checks":"yes",
      "node_name":"m1","pid":7}}}}]})");
  ASSERT_TRUE(flags);
  EXPECT_EQ(*flags, (EngineFlags{false, true, {}}));
}

TEST(Icinga2ApiTest, OtherAnswersAreNotUnderstood) {
  for (const std::string_view body : {"", "<html>", "{}", "[]", "null", R"({"results":[]})",
                                      R"({"results":[{"status":{"icingaapplication":{}}}]})"}) {
    const auto flags = parse_icinga2_flags(body);
    ASSERT_FALSE(flags) << body;
    EXPECT_EQ(flags.error().code, Errc::kBadData) << body;
  }
}

}  // namespace
}  // namespace ha
