// SPDX-License-Identifier: MIT
#include "common/check_result.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

TEST(CheckResultTest, WorstIsCriticalThenWarningThenUnknownThenOk) {
  const State ascending[] = {State::kOk, State::kUnknown, State::kWarning, State::kCritical};
  for (int a = 0; a < 4; ++a)
    for (int b = 0; b < 4; ++b)
      EXPECT_EQ(worst(ascending[a], ascending[b]), ascending[std::max(a, b)]) << a << b;
}

TEST(CheckResultTest, ReadsStatesByNameOrNumber) {
  const struct {
    const char* text;
    State want;
  } cases[] = {{"ok", State::kOk},           {"Warning", State::kWarning},
               {"2", State::kCritical},      {"CRITICAL", State::kCritical},
               {"unknown", State::kUnknown}, {"0", State::kOk}};
  for (const auto& c : cases) {
    const auto state = parse_state(c.text);
    ASSERT_TRUE(state) << c.text;
    EXPECT_EQ(*state, c.want) << c.text;
  }
  for (const char* text : {"", "warningfewgw", "00", "01", "10", "4", "-1", " ok"})
    EXPECT_FALSE(parse_state(text)) << text;
}

TEST(CheckResultTest, AFailedGatheringIsCriticalOnlyWhenTheServerIsDown) {
  const struct {
    Errc code;
    State want;
  } cases[] = {{Errc::kUnreachable, State::kCritical}, {Errc::kTimedOut, State::kCritical},
               {Errc::kRefused, State::kCritical},     {Errc::kAccessDenied, State::kUnknown},
               {Errc::kPrivilege, State::kUnknown},    {Errc::kMissing, State::kUnknown},
               {Errc::kBadData, State::kUnknown},      {Errc::kUsage, State::kUnknown},
               {Errc::kInternal, State::kUnknown}};
  for (const auto& c : cases) {
    const CheckResult result = from_error({c.code, "db2: gone"});
    EXPECT_EQ(result.state, c.want) << static_cast<int>(c.code);
    EXPECT_EQ(result.text, "db2: gone");
  }
}

TEST(CheckResultTest, SummaryNamesTheWorstThreeAndCountsTheRest) {
  const std::vector<Item> items = {
      {"a", State::kOk, "a fine"},      {"b", State::kUnknown, "b odd"},
      {"c", State::kWarning, "c slow"}, {"d", State::kCritical, "d dead"},
      {"e", State::kWarning, "e slow"}, {"f", State::kUnknown, "f odd"}};
  EXPECT_EQ(summarize(items, "fine"), "d dead; c slow; e slow; and 2 more");
  EXPECT_EQ(summarize({items[0], items[1]}, "fine"), "b odd");
  EXPECT_EQ(summarize({items[0]}, "fine"), "fine");
}

}  // namespace
}  // namespace ha
