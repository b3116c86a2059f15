// SPDX-License-Identifier: MIT
#include "common/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"
#include "common/thresholds.h"

namespace ha {

namespace {

// A label may hold anything but '=' and the marks that end perfdata.
std::string clean_label(std::string_view text) {
  std::string label = sanitize(text);
  std::ranges::replace(label, '=', '_');
  return label;
}

std::string format_value(const std::optional<double>& value) {
  return value ? format_number(*value) : "U";
}

std::string perfdata_item(std::string_view label, const Metric& metric) {
  std::string quoted;
  for (char c : label) quoted.append(c == '\'' ? 2 : 1, c);
  std::string item =
      fmt::format("'{}'={}{}", quoted, format_value(metric.value), metric.value ? metric.unit : "");
  std::string tail;
  for (const auto& range : {metric.limits.warning, metric.limits.critical})
    tail += ";" + (range ? format_range(*range) : "");
  for (const auto& bound : {metric.min, metric.max})
    tail += ";" + (bound ? format_number(*bound) : "");
  tail.erase(tail.find_last_not_of(';') + 1);
  return item + tail;
}

// Calls f(label, metric, item) for each metric; the item is null for those of the whole check.
template <class F>
void for_each_metric(const CheckResult& result, F f) {
  for (const Metric& metric : result.metrics) f(clean_label(metric.label), metric, nullptr);
  for (const Item& item : result.items)
    for (const Metric& metric : item.metrics) f(full_label(item, metric), metric, &item);
}

std::string render_nagios(const ReportStyle& style, const CheckResult& result) {
  std::string name = to_upper(style.check);
  std::ranges::replace(name, '_', ' ');
  const std::string head = fmt::format("{} {} - ", name, state_name(result.state));
  // Half the room for the sentence leaves the other half for numbers.
  const std::string text = shorten(sanitize(result.text), kMaxNagiosOutput / 2);

  std::vector<std::string> perfdata;
  for_each_metric(result, [&](const std::string& label, const Metric& metric, const Item*) {
    perfdata.push_back(perfdata_item(label, metric));
  });
  const std::vector<std::string> lines = detail_lines(style, result);

  // Room for the remark and the marks between the parts.
  constexpr std::size_t kRemark = 64;
  std::size_t used = head.size() + text.size() + kRemark;
  std::size_t kept_perfdata = 0, kept_lines = 0;
  while (kept_perfdata < perfdata.size() &&
         used + perfdata[kept_perfdata].size() + 1 <= kMaxNagiosOutput)
    used += perfdata[kept_perfdata++].size() + 1;
  while (kept_lines < lines.size() && used + lines[kept_lines].size() + 1 <= kMaxNagiosOutput)
    used += lines[kept_lines++].size() + 1;

  std::string remark;
  const std::size_t cut_lines = lines.size() - kept_lines;
  const std::size_t cut_perfdata = perfdata.size() - kept_perfdata;
  if (cut_lines + cut_perfdata > 0)
    remark = fmt::format(" ({} lines and {} metrics left out)", cut_lines, cut_perfdata);
  perfdata.resize(kept_perfdata);

  std::string output = head + text + remark;
  if (!perfdata.empty()) output += " | " + join(perfdata, " ");
  for (std::size_t i = 0; i < kept_lines; ++i) output += "\n" + lines[i];
  return output + "\n";
}

std::string openmetrics_unit(const Metric& metric) {
  if (metric.unit == "s") return "seconds";
  if (metric.unit == "B") return "bytes";
  if (metric.unit == "%") return "percent";
  return "";
}

std::string escape_openmetrics(std::string_view text) {
  std::string escaped;
  for (char c : sanitize(text)) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string render_openmetrics(const ReportStyle& style, const CheckResult& result) {
  struct Family {
    std::string name, unit, samples;
  };
  std::vector<Family> families;  // a family's samples must stand together
  families.push_back({style.check + "_state", "",
                      fmt::format("{}_state {}\n", style.check, static_cast<int>(result.state))});
  for_each_metric(result, [&](const std::string&, const Metric& metric, const Item* item) {
    const std::string unit = openmetrics_unit(metric);
    const std::string name = style.check + "_" + metric.label + (unit.empty() ? "" : "_" + unit);
    auto family = std::ranges::find(families, name, &Family::name);
    if (family == families.end()) family = families.insert(families.end(), Family{name, unit, ""});
    const std::string labels =
        item ? fmt::format("{{{}=\"{}\"}}", result.item_kind, escape_openmetrics(item->name)) : "";
    family->samples +=
        fmt::format("{}{} {}\n", name, labels, metric.value ? format_number(*metric.value) : "NaN");
  });
  std::string output;
  for (const Family& family : families) {
    output += fmt::format("# TYPE {} gauge\n", family.name);
    if (!family.unit.empty()) output += fmt::format("# UNIT {} {}\n", family.name, family.unit);
    output += family.samples;
  }
  return output + "# EOF\n";
}

Report render_value(const ReportStyle& style, const CheckResult& result) {
  std::vector<std::string> labels;
  std::optional<std::string> value;
  for_each_metric(result, [&](const std::string& label, const Metric& metric, const Item*) {
    labels.push_back(label);
    if (label == style.value_label) value = format_value(metric.value);
  });
  if (labels.empty()) value = "U";
  if (value) return {*value + "\n", result.state};
  const CheckResult unknown_label{State::kUnknown,
                                  fmt::format("--value: there is no metric '{}' (available: {})",
                                              style.value_label, join(labels, ", "))};
  return {render_nagios({style.check}, unknown_label), State::kUnknown};
}

}  // namespace

std::string full_label(const Item& item, const Metric& metric) {
  return clean_label(item.name.empty() ? metric.label : item.name + "_" + metric.label);
}

std::vector<std::string> detail_lines(const ReportStyle& style, const CheckResult& result) {
  std::vector<std::string> lines;
  if (result.items.size() > 1) {
    for (State state : {State::kCritical, State::kWarning, State::kUnknown, State::kOk})
      for (const Item& item : result.items)
        if (item.state == state)
          lines.push_back(fmt::format("[{}] {}", state_name(state), sanitize(item.text)));
  }
  if (style.verbosity > 0)
    for (const std::string& note : result.notes) lines.push_back(sanitize(note));
  return lines;
}

Report render(const ReportStyle& style, const CheckResult& result) {
  switch (style.voice) {
    case Voice::kJson:
      return {render_json(style, result), result.state};
    case Voice::kOpenmetrics:
      return {render_openmetrics(style, result), result.state};
    case Voice::kValue:
      return render_value(style, result);
    case Voice::kDiscovery:
      if (result.item_kind.empty()) break;
      return {render_discovery(result), result.state};
    case Voice::kNagios:
      break;
  }
  return {render_nagios(style, result), result.state};
}

}  // namespace ha
