// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "common/report.h"
#include "common/text.h"
#include "common/thresholds.h"
#include "common/version.h"

namespace ha {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json to_json(const std::optional<Range>& range) {
  return range ? Json(format_range(*range)) : Json(nullptr);
}

Json to_json(const Metric& metric) {
  return {{"value", to_json(metric.value)},
          {"unit", metric.unit},
          {"warning", to_json(metric.limits.warning)},
          {"critical", to_json(metric.limits.critical)},
          {"min", to_json(metric.min)},
          {"max", to_json(metric.max)}};
}

Json to_json(const FactValue& fact) {
  if (const auto* flag = std::get_if<bool>(&fact)) return *flag;
  if (const auto* whole = std::get_if<std::int64_t>(&fact)) return *whole;
  if (const auto* number = std::get_if<double>(&fact)) return *number;
  if (const auto* text = std::get_if<std::string>(&fact)) return sanitize(*text);
  return nullptr;
}

Json to_json(const Item& item) {
  Json facts = Json::object(), metrics = Json::object();
  for (const auto& [key, text] : item.identity) facts[key] = sanitize(text);
  for (const auto& [key, fact] : item.facts) facts[key] = to_json(fact);
  for (const Metric& metric : item.metrics) metrics[metric.label] = to_json(metric);
  return {{"name", sanitize(item.name)},
          {"state", state_name(item.state)},
          {"text", sanitize(item.text)},
          {"facts", facts},
          {"metrics", metrics}};
}

}  // namespace

std::string render_json(const ReportStyle& style, const CheckResult& result) {
  Json metrics = Json::object(), items = Json::array();
  for (const Metric& metric : result.metrics) metrics[metric.label] = to_json(metric);
  for (const Item& item : result.items) {
    items.push_back(to_json(item));
    for (const Metric& metric : item.metrics) metrics[full_label(item, metric)] = to_json(metric);
  }
  return Json{{"check", style.check},
              {"version", kVersion},
              {"state", state_name(result.state)},
              {"state_code", static_cast<int>(result.state)},
              {"summary", sanitize(result.text)},
              {"details", detail_lines(style, result)},
              {"metrics", metrics},
              {"items", items}}
             .dump() +
         "\n";
}

// Macro names follow
// https://www.zabbix.com/documentation/current/en/manual/discovery/low_level_discovery;
// {#PREFIX} before a metric's name makes the LABEL that --value takes.
std::string render_discovery(const CheckResult& result) {
  Json rows = Json::array();
  for (const Item& item : result.items) {
    Json row = Json::object();
    row["{#" + to_upper(result.item_kind) + "}"] = sanitize(item.name);
    row["{#PREFIX}"] = item.name.empty() ? "" : full_label(item, {"", {}});
    for (const auto& [key, text] : item.identity) row["{#" + to_upper(key) + "}"] = sanitize(text);
    rows.push_back(row);
  }
  return rows.dump() + "\n";
}

}  // namespace ha
