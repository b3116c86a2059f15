// SPDX-License-Identifier: MIT
// A CheckResult in the voice that was asked for: Nagios text, JSON, OpenMetrics, one bare number,
// or Zabbix discovery. The state is the same in all of them.

#pragma once

#include <string>

#include "common/check_result.h"

namespace ha {

enum class Voice { kNagios, kJson, kOpenmetrics, kValue, kDiscovery };

struct ReportStyle {
  std::string check;  // the binary without check_: "mysql_replication_lag"
  Voice voice = Voice::kNagios;
  std::string value_label = {};  // the metric that kValue prints
  int verbosity = 0;             // from 1 on, the notes are printed too
};

struct Report {
  std::string output;  // with its final newline
  State state;
};

// A Nagios report never exceeds this many bytes: what NRPE carries, and half of what Nagios reads.
inline constexpr std::size_t kMaxNagiosOutput = 4096;

// Renders a result. Changes the state only when the label asked for does not exist (UNKNOWN, with
// the labels that do). A failed check, one without any metric, has the value U and answers a
// discovery with its error line: an empty list would make Zabbix delete the items.
Report render(const ReportStyle& style, const CheckResult& result);

// Returns a metric's label with its instance before it, as perfdata and --value spell it.
std::string full_label(const Item& item, const Metric& metric);

// The JSON voices, in a file of their own (common/json_output.cc).
std::string render_json(const ReportStyle& style, const CheckResult& result);
std::string render_discovery(const CheckResult& result);

// Returns the lines of the long output: items worst first when there are several, then the notes
// when asked for.
std::vector<std::string> detail_lines(const ReportStyle& style, const CheckResult& result);

}  // namespace ha
