// SPDX-License-Identifier: MIT
#include "common/heartbeat/icinga2_api.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

// What Icinga 2.13 answers, without what is not read.
constexpr const char* kApplication = R"({"results":[
  {"name":"IcingaApplication","perfdata":[],"status":{"icingaapplication":{"app":{
    "enable_notifications":false,"enable_service_checks":true,"node_name":"m1",
    "pid":4711.0,"program_start":1700000000.25,"version":"r2.13.6-1"}}}}]})";
constexpr const char* kCib = R"({"results":[{"name":"CIB","status":{"uptime":1500.5}}]})";

TEST(Icinga2ApiTest, TheFlagsAndTheStartAreRead) {
  const auto node = parse_icinga2_status(kApplication);
  ASSERT_TRUE(node);
  EXPECT_EQ(node->facts.writer, "Icinga 2 m1");
  EXPECT_EQ(node->facts.active, false);
  EXPECT_EQ(node->facts.checks, true);
  EXPECT_EQ(node->program_start_s, 1700000000.25);
  EXPECT_EQ(parse_icinga2_uptime(kCib), 1500.5);
}

TEST(Icinga2ApiTest, WhatIsNoAnswerOfIcingaIsNotUnderstood) {
  for (const char* body :
       {"", "{", "[]", "null", "{\"results\":[]}", "{\"results\":7}", "<html></html>",
        R"({"results":[{"name":"IcingaApplication","status":7}]})",
        R"({"results":[{"name":"IcingaApplication","status":{"icingaapplication":[]}}]})",
        R"({"results":[{"name":7},7,{"name":"IcingaApplication"}]})"}) {
    const auto node = parse_icinga2_status(body);
    ASSERT_FALSE(node) << body;
    EXPECT_EQ(node.error().code, Errc::kBadData) << body;
    EXPECT_EQ(parse_icinga2_uptime(body), std::nullopt) << body;
  }
}

TEST(Icinga2ApiTest, MissingFlagsAreNotKnown) {
  const auto node = parse_icinga2_status(
      R"({"results":[{"name":"IcingaApplication","status":{"icingaapplication":{"app":{
         "enable_notifications":"yes"}}}}]})");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->facts.active, std::nullopt);
  EXPECT_EQ(node->program_start_s, std::nullopt);
}

}  // namespace
}  // namespace ha
