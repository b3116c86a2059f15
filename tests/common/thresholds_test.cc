// SPDX-License-Identifier: MIT
#include "common/thresholds.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ha {
namespace {

TEST(ThresholdsTest, AcceptsTheGrammarOfTheGuidelines) {
  const struct {
    const char* text;
    Range want;
  } cases[] = {
      {"10", {0, 10}},
      {"0", {0, 0}},
      {"10:", {10, INFINITY}},
      {"~:10", {-INFINITY, 10}},
      {"10:20", {10, 20}},
      {"10:10", {10, 10}},
      {"@10:20", {10, 20, true}},
      {"@10", {0, 10, true}},
      {"-7:23", {-7, 23}},
      {"-5:", {-5, INFINITY}},
      {"~:-95.99", {-INFINITY, -95.99}},
      {":5.75", {0, 5.75}},
      {":", {0, INFINITY}},
      {"~:", {-INFINITY, INFINITY}},
      {"@:", {0, INFINITY, true}},
      {"@~:", {-INFINITY, INFINITY, true}},
      {"010", {0, 10}},
      {"1e3", {0, 1000}},
      {"12345678901234567890:", {12345678901234567890.0, INFINITY}},
  };
  for (const auto& c : cases) {
    const auto range = parse_range(c.text);
    ASSERT_TRUE(range) << c.text;
    EXPECT_EQ(*range, c.want) << c.text;
  }
}

TEST(ThresholdsTest, RejectsWhatWouldBeAGuess) {
  for (const char* text :
       {"",      "@",    "~",    "~5",    "~5:10", "5:~",    "~:~", "2:1", "@20:10",
        "1:-1",  "-5",   "--5",  "5s",    "5abc",  "5@",     "1,5", "5%",  "1:12%",
        "0x10",  "inf",  "nan",  "+5",    "1:+5",  "1e400",  " 5",  "5 ",  "5 :6",
        "5:6:7", "1:2:", "none", "1_000", "1:inf", "-inf:5", "@@5", "\\10"})
    EXPECT_FALSE(parse_range(text)) << "'" << text << "'";
}

TEST(ThresholdsTest, SaysWhatIsWrongAndWhatIsAccepted) {
  EXPECT_EQ(parse_range("5\n|s").error().text,
            "'5  s' is not a range (accepted: 10, 10:, ~:10, 10:20, @10:20; plain decimal numbers, "
            "start <= end)");
}

TEST(ThresholdsTest, EndPointsBelongToTheRange) {
  const struct {
    const char* range;
    double value;
    bool alerts;
  } cases[] = {
      {"10", 10, false},
      {"10", 10.1, true},
      {"10", 0, false},
      {"10", -0.1, true},
      {"10:", 10, false},
      {"10:", 9.9, true},
      {"~:10", 10, false},
      {"~:10", 11, true},
      {"~:10", -1e9, false},
      {"10:20", 9, true},
      {"10:20", 20, false},
      {"@10:20", 10, true},
      {"@10:20", 20, true},
      {"@10:20", 21, false},
      {"@1:1", 1, true},
      {"@1:1", 0.5, false},
      {"1:1", 1, false},
      {"1:1", 5.2, true},
      {"~:", -1e300, false},
      {"@~:", 0, true},
      {"@0:657.8210567", 32.88, true},
      {"@0:657.8210567", -2, false},
      {"~:0", 0.5, true},
  };
  for (const auto& c : cases) {
    const auto range = parse_range(c.range);
    ASSERT_TRUE(range) << c.range;
    EXPECT_EQ(alerts(*range, c.value), c.alerts) << c.range << " " << c.value;
  }
}

TEST(ThresholdsTest, FormatsWhatItParses) {
  for (const char* text : {"10", "10:", "~:10", "10:20", "@10:20", "@10", "-5:5",
                           "~:", "0:", "@0:", "0.25", "~:-3", "@~:"})
    EXPECT_EQ(format_range(*parse_range(text)), text);
}

TEST(ThresholdsTest, CriticalIsJudgedFirstAndNeedNotEncloseWarning) {
  const Thresholds limits{Range{-10, -2}, Range{-30, 20}};
  const struct {
    double value;
    State want;
  } cases[] = {{-31, State::kCritical}, {-29, State::kWarning}, {-10, State::kOk},
               {-2, State::kOk},        {-1, State::kWarning},  {21, State::kCritical}};
  for (const auto& c : cases) EXPECT_EQ(judge(limits, c.value), c.want) << c.value;
}

TEST(ThresholdsTest, WithoutThresholdsAllIsOk) {
  EXPECT_EQ(judge({}, 1e9), State::kOk);
  EXPECT_EQ(judge({{}, Range{0, 5}}, 6), State::kCritical);
  EXPECT_EQ(judge({Range{0, 5}, {}}, 6), State::kWarning);
}

}  // namespace
}  // namespace ha
