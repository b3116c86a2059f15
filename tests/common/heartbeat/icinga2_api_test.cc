// SPDX-License-Identifier: MIT
#include "common/heartbeat/icinga2_api.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

// What Icinga 2.13 answers to GET /v1/status, without what is not read.
constexpr const char* kAnswer = R"({"results":[
  {"name":"CIB","perfdata":[],"status":{"uptime":1500.5}},
  {"name":"IcingaApplication","perfdata":[],"status":{"icingaapplication":{"app":{
    "enable_notifications":false,"enable_service_checks":true,"node_name":"m1",
    "pid":4711.0,"program_start":1700000000.25,"version":"r2.13.6-1"}}}}]})";

TEST(Icinga2ApiTest, TheAnswerIsTheHeartbeat) {
  const auto facts = parse_icinga2_status(kAnswer, 0.5, 1700001561.0);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->writer, "Icinga 2 m1");
  EXPECT_EQ(facts->age_s, 0.5);
  EXPECT_EQ(facts->active, false);
  EXPECT_EQ(facts->checks, true);
  EXPECT_EQ(facts->clock_skew_s, 60);  // in the middle of the half second that it took
}

TEST(Icinga2ApiTest, WhatIsNoAnswerOfIcingaIsNotUnderstood) {
  for (const char* body :
       {"", "{", "[]", "null", "{\"results\":[]}", "{\"results\":7}", "<html></html>",
        R"({"results":[{"name":"IcingaApplication","status":7}]})",
        R"({"results":[{"name":"IcingaApplication","status":{"icingaapplication":[]}}]})",
        R"({"results":[{"name":7},7,{"name":"IcingaApplication"}]})"}) {
    const auto facts = parse_icinga2_status(body, 0, 0);
    ASSERT_FALSE(facts) << body;
    EXPECT_EQ(facts.error().code, Errc::kBadData) << body;
  }
}

TEST(Icinga2ApiTest, MissingFlagsAreNotKnown) {
  const auto facts = parse_icinga2_status(
      R"({"results":[{"name":"IcingaApplication","status":{"icingaapplication":{"app":{
         "enable_notifications":"yes"}}}}]})",
      0, 0);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->active, std::nullopt);
  EXPECT_EQ(facts->clock_skew_s, std::nullopt);
}

}  // namespace
}  // namespace ha
