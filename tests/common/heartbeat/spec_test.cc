// SPDX-License-Identifier: MIT
#include "common/heartbeat/spec.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

// Takes over the settings as the command line would; returns the error's text, "" when it is fine.
std::string complaint(HeartbeatSpec& spec, std::string_view preset, const Settings& settings) {
  spec.preset = *find_preset(preset);
  for (const auto& [name, value] : settings)
    for (const HeartbeatOption& option : heartbeat_options(spec))
      if (option.name == name)
        if (const auto taken = option.accept(value); !taken) return taken.error().text;
  const auto finished = finish(spec);
  return finished ? "" : finished.error().text;
}

TEST(HeartbeatSpecTest, EachPresetHasItsThresholdsAndNames) {
  const struct {
    const char* preset;
    double warning, critical;
    const char *database, *prefix;
  } cases[] = {
      {"nagios1", 150, 300, "nagios", ""},       {"ndo", 30, 60, "nagios", "nagios_"},
      {"ido", 30, 60, "icinga", "icinga_"},      {"icingadb", 30, 65, "icingadb", ""},
      {"zabbix", 30, 60, "zabbix", ""},          {"pandora", 60, 90, "pandora", ""},
      {"pt-heartbeat", 10, 60, "heartbeat", ""},
  };
  for (const auto& c : cases) {
    HeartbeatSpec spec;
    EXPECT_EQ(complaint(spec, c.preset, {}), "");
    EXPECT_EQ(spec.limits.warning, (Range{0, c.warning})) << c.preset;
    EXPECT_EQ(spec.limits.critical, (Range{0, c.critical})) << c.preset;
    EXPECT_EQ(spec.database, c.database);
    EXPECT_EQ(spec.prefix, c.prefix);
  }
}

TEST(HeartbeatSpecTest, WhatWasGivenWinsEvenWhenEmpty) {
  HeartbeatSpec spec;
  spec.limits.warning = Range{0, 5};
  EXPECT_EQ(complaint(spec, "ndo", {{"prefix", ""}, {"database", "ndo3"}}), "");
  EXPECT_EQ(spec.prefix, "");
  EXPECT_EQ(spec.database, "ndo3");
  EXPECT_EQ(spec.limits.warning, (Range{0, 5}));
  EXPECT_EQ(spec.limits.critical, (Range{0, 60}));
}

TEST(HeartbeatSpecTest, WhatIsMissingOrDoesNotBelongIsNamed) {
  const struct {
    const char* preset;
    Settings settings;
    const char* want;
  } cases[] = {
      {"status-dat", {}, "--file: missing (--preset status-dat needs it)"},
      {"icinga2-api",
       {{"api", "https://m1:5665"}},
       "--api-credentials: missing (--preset icinga2-api needs it, or --cert and --key)"},
      {"zabbix", {{"instance", "x"}}, "--instance: --preset zabbix does not take it"},
      {"ido", {{"environment", "x"}}, "--environment: --preset ido does not take it"},
      {"ndo", {{"node-name", "x"}}, "--node-name: --preset ndo does not take it"},
      {"file", {{"file", "/x"}}, "--warning: missing (--preset file has no thresholds of its own)"},
      {"sql", {}, "--table: missing (--preset sql needs --query, or --table, --column and --unit)"},
      {"sql",
       {{"table", "t"}, {"column", "c"}},
       "--unit: missing (--preset sql needs --query, or --table, --column and --unit)"},
      {"sql",
       {{"query", "SELECT 1"}, {"table", "t"}},
       "--query: takes the place of --table, --column, --unit and --where"},
      {"sql", {{"unit", "days"}}, "'days' is not one of: datetime, epoch, epoch-ms"},
  };
  for (const auto& c : cases) {
    HeartbeatSpec spec;
    EXPECT_EQ(complaint(spec, c.preset, c.settings), c.want) << c.preset;
  }
  EXPECT_FALSE(find_preset("nagios"));
}

}  // namespace
}  // namespace ha
