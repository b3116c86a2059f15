// SPDX-License-Identifier: MIT
#include "common/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ha {
namespace {

std::string nagios(const CheckResult& result, int verbosity = 0) {
  return render({"mysql_x", Voice::kNagios, "", verbosity}, result).output;
}

CheckResult two_channels() {
  CheckResult result{State::kCritical, "b is late", {{"channels", 2}}, "channel"};
  result.items = {
      {"",
       State::kOk,
       "fine",
       {{"source_host", "db1"}},
       {{"seen", true}},
       {{"lag", 0.4, "s", {Range{0, 10}, Range{0, 60}}, 0}}},
      {"b", State::kCritical, "late", {{"source_host", "db3"}}, {}, {{"lag", std::nullopt, "s"}}}};
  result.notes = {"a note"};
  return result;
}

// Many channels, named so that the order shows.
CheckResult many_channels(int count) {
  CheckResult result{State::kWarning, "many", {}, "channel"};
  for (int i = 0; i < count; ++i)
    result.items.push_back({"c" + std::to_string(i),
                            i == count - 1 ? State::kWarning : State::kOk,
                            "channel " + std::to_string(i) + " is 0.1s behind db1:3306 (status)",
                            {},
                            {},
                            {{"lag", 0.1, "s", {Range{0, 10}, Range{0, 60}}, 0}}});
  return result;
}

TEST(ReportTest, OneLineWithPerfdata) {
  EXPECT_EQ(nagios({State::kOk, "fine", {{"lag", 0.4, "s", {Range{0, 10}, Range{0, 60}}, 0}}}),
            "MYSQL X OK - fine | 'lag'=0.4s;10;60;0\n");
}

TEST(ReportTest, PerfdataLeavesOutEmptyTailsOnly) {
  const struct {
    Metric metric;
    const char* want;
  } cases[] = {
      {{"a", 1}, "'a'=1"},
      {{"a", std::nullopt, "s"}, "'a'=U"},
      {{"a", std::nullopt, "s", {Range{0, 1}, {}}}, "'a'=U;1"},
      {{"a", 1, "B", {{}, Range{5, 10}}}, "'a'=1B;;5:10"},
      {{"a", 50, "%", {}, 0, 100}, "'a'=50%;;;0;100"},
      {{"a", 1, "", {}, {}, 8}, "'a'=1;;;;8"},
      {{"it's", 1}, "'it''s'=1"},
      {{"a=b|c\n", 1}, "'a_b c '=1"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(nagios({State::kOk, "t", {c.metric}}),
              std::string("MYSQL X OK - t | ") + c.want + "\n");
}

TEST(ReportTest, LongOutputIsWorstFirstAndTheDefaultChannelHasNoPrefix) {
  EXPECT_EQ(nagios(two_channels()),
            "MYSQL X CRITICAL - b is late | 'channels'=2 'lag'=0.4s;10;60;0 'b_lag'=U\n"
            "[CRITICAL] late\n[OK] fine\n");
}

TEST(ReportTest, ANamedChannelHasItsPrefixThoughItIsTheOnlyOne) {
  CheckResult result = two_channels();
  result.items.erase(result.items.begin());
  EXPECT_EQ(nagios(result), "MYSQL X CRITICAL - b is late | 'channels'=2 'b_lag'=U\n");
}

TEST(ReportTest, NotesAreForVerboseReadersOnly) {
  EXPECT_EQ(nagios(two_channels()).find("a note"), std::string::npos);
  EXPECT_NE(nagios(two_channels(), 1).find("\na note\n"), std::string::npos);
}

TEST(ReportTest, TextFromOutsideCannotForgePerfdataOrLines) {
  EXPECT_EQ(nagios({State::kOk, "a|'x'=1\nb\xFF"}), "MYSQL X OK - a 'x'=1 b?\n");
}

TEST(ReportTest, WhatDoesNotFitIsLeftOutLongOutputFirst) {
  const struct {
    int channels;
    bool perfdata_cut;
  } cases[] = {{60, false}, {200, true}};
  for (const auto& c : cases) {
    const std::string output = nagios(many_channels(c.channels));
    EXPECT_LE(output.size(), kMaxNagiosOutput);
    EXPECT_GT(output.size(), kMaxNagiosOutput - 150);
    EXPECT_NE(output.find("left out"), std::string::npos);
    EXPECT_NE(output.find("'c0_lag'="), std::string::npos);
    const std::string last = "'c" + std::to_string(c.channels - 1) + "_lag'=";
    EXPECT_EQ(output.find(last) == std::string::npos, c.perfdata_cut) << c.channels;
  }
}

TEST(ReportTest, TheTextCountsWhatIsLeftOut) {
  const std::string output = nagios(many_channels(200));
  const std::string first = output.substr(0, output.find('\n'));
  const auto kept = std::count(first.begin(), first.end(), '\'') / 2;
  EXPECT_TRUE(first.starts_with("MYSQL X WARNING - many (200 lines and " +
                                std::to_string(200 - kept) + " metrics left out) | 'c0_lag'=0.1s"))
      << first.substr(0, 100);
  EXPECT_TRUE(first.ends_with(";10;60;0")) << "an item is cut in the middle";
}

TEST(ReportTest, WorstLineSurvivesTheCut) {
  const std::string output = nagios(many_channels(60));
  EXPECT_NE(output.find("\n[WARNING] channel 59 is"), std::string::npos);
}

TEST(ReportTest, AnEndlessTextLeavesRoomForNumbers) {
  const std::string output = nagios({State::kOk, std::string(100000, 'x'), {{"a", 1}}});
  EXPECT_LE(output.size(), kMaxNagiosOutput);
  EXPECT_TRUE(output.ends_with("xxx... | 'a'=1\n"));
}

TEST(ReportTest, JsonHasEveryField) {
  const Report report = render({"mysql_x", Voice::kJson}, two_channels());
  EXPECT_EQ(report.state, State::kCritical);
  EXPECT_EQ(report.output.find('\n'), report.output.size() - 1);
  const auto json = nlohmann::json::parse(report.output);
  EXPECT_EQ(json["check"], "mysql_x");
  EXPECT_EQ(json["state"], "CRITICAL");
  EXPECT_EQ(json["state_code"], 2);
  EXPECT_EQ(json["summary"], "b is late");
  EXPECT_EQ(json["details"].size(), 2u);
  EXPECT_EQ(json["metrics"]["lag"]["value"], 0.4);
  EXPECT_EQ(json["metrics"]["lag"]["unit"], "s");
  EXPECT_EQ(json["metrics"]["lag"]["warning"], "10");
  EXPECT_EQ(json["metrics"]["lag"]["critical"], "60");
  EXPECT_EQ(json["metrics"]["lag"]["min"], 0.0);
  EXPECT_TRUE(json["metrics"]["lag"]["max"].is_null());
  EXPECT_TRUE(json["metrics"]["b_lag"]["value"].is_null());
  EXPECT_EQ(json["items"][0]["name"], "");
  EXPECT_EQ(json["items"][0]["facts"]["seen"], true);
  EXPECT_EQ(json["items"][1]["facts"]["source_host"], "db3");
  EXPECT_TRUE(json["items"][1]["metrics"].contains("lag"));
  EXPECT_FALSE(json["version"].get<std::string>().empty());
}

TEST(ReportTest, JsonSurvivesBytesThatAreNoUtf8) {
  CheckResult result = two_channels();
  result.text = result.items[1].name = result.items[1].text = "\xFF|\n";
  result.items[1].facts = {{"seen", std::string("\xFF")}};
  const auto json = nlohmann::json::parse(render({"x", Voice::kJson}, result).output);
  EXPECT_EQ(json["summary"], "?  ");
  EXPECT_EQ(json["items"][1]["facts"]["seen"], "?");
}

TEST(ReportTest, OpenmetricsGroupsTheSamplesOfOneFamily) {
  EXPECT_EQ(render({"x", Voice::kOpenmetrics}, two_channels()).output,
            "# TYPE x_state gauge\n"
            "x_state 2\n"
            "# TYPE x_channels gauge\n"
            "x_channels 2\n"
            "# TYPE x_lag_seconds gauge\n"
            "# UNIT x_lag_seconds seconds\n"
            "x_lag_seconds{channel=\"\"} 0.4\n"
            "x_lag_seconds{channel=\"b\"} NaN\n"
            "# EOF\n");
}

TEST(ReportTest, OpenmetricsEscapesLabels) {
  CheckResult result = two_channels();
  result.items[1].name = "a\"b\\c\n";
  const std::string output = render({"x", Voice::kOpenmetrics}, result).output;
  EXPECT_NE(output.find("{channel=\"a\\\"b\\\\c \"}"), std::string::npos) << output;
}

TEST(ReportTest, ValueIsTheBareNumberAndTheStateStaysTrue) {
  const struct {
    const char* label;
    const char* want;
  } cases[] = {{"lag", "0.4\n"}, {"b_lag", "U\n"}, {"channels", "2\n"}};
  for (const auto& c : cases) {
    const Report report = render({"x", Voice::kValue, c.label}, two_channels());
    EXPECT_EQ(report.output, c.want) << c.label;
    EXPECT_EQ(report.state, State::kCritical);
  }
}

TEST(ReportTest, AnUnknownValueLabelIsAUsageErrorThatListsTheLabels) {
  const Report report = render({"x", Voice::kValue, "lga"}, two_channels());
  EXPECT_EQ(report.output,
            "X UNKNOWN - --value: there is no metric 'lga' (available: channels, lag, b_lag)\n");
  EXPECT_EQ(report.state, State::kUnknown);
}

TEST(ReportTest, AFailedCheckHasTheValueU) {
  const Report report = render({"x", Voice::kValue, "lag"}, {State::kCritical, "db2: refused"});
  EXPECT_EQ(report.output, "U\n");
  EXPECT_EQ(report.state, State::kCritical);
}

TEST(ReportTest, DiscoveryListsTheItems) {
  const Report report = render({"x", Voice::kDiscovery}, two_channels());
  EXPECT_EQ(report.output, R"([{"{#CHANNEL}":"","{#PREFIX}":"","{#SOURCE_HOST}":"db1"},)"
                           R"({"{#CHANNEL}":"b","{#PREFIX}":"b_","{#SOURCE_HOST}":"db3"}])"
                           "\n");
  EXPECT_EQ(report.state, State::kCritical);
}

TEST(ReportTest, NothingToDiscoverIsAnEmptyListButAFailureIsNot) {
  EXPECT_EQ(
      render({"x", Voice::kDiscovery}, {State::kWarning, "not a replica", {}, "channel"}).output,
      "[]\n");
  EXPECT_EQ(render({"x", Voice::kDiscovery}, {State::kCritical, "db2: refused"}).output,
            "X CRITICAL - db2: refused\n");
}

}  // namespace
}  // namespace ha
