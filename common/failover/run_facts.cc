// SPDX-License-Identifier: MIT
#include "common/failover/run_facts.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

namespace {

// The names under which journals hold them.
constexpr std::pair<const char*, bool RunFacts::*> kFlags[] = {
    {"opened", &RunFacts::opened}, {"closed", &RunFacts::closed}, {"fenced", &RunFacts::fenced}};
// Each is two fields, NAME_file and NAME_position.
constexpr std::pair<const char*, std::optional<BinlogPosition> RunFacts::*> kPositions[] = {
    {"applied", &RunFacts::applied},
    {"binlog", &RunFacts::binlog},
    {"closed", &RunFacts::closed_at},
    {"return", &RunFacts::after_rescue}};
constexpr std::string_view kRescued = "rescued";
constexpr std::string_view kDrained = "drained_";  // and the node
constexpr std::string_view kWarning = "warning_";  // and the step's number

std::uint64_t parse_count(const std::string& text) {
  return static_cast<std::uint64_t>(parse_integer(text).value_or(0));
}

BinlogPosition& open_position(std::optional<BinlogPosition>& position) {
  return position ? *position : position.emplace();
}

}  // namespace

JournalRecord to_fields(const RunFacts& facts) {
  JournalRecord fields;
  for (const auto& [name, flag] : kFlags)
    if (facts.*flag) fields.emplace_back(name, "yes");
  for (const auto& [name, position] : kPositions) {
    if (!(facts.*position)) continue;
    fields.emplace_back(fmt::format("{}_file", name), (facts.*position)->file);
    fields.emplace_back(fmt::format("{}_position", name),
                        std::to_string((facts.*position)->offset));
  }
  if (facts.rescued) fields.emplace_back(kRescued, std::to_string(*facts.rescued));
  for (const std::string& node : facts.drained)
    fields.emplace_back(std::string(kDrained) + node, "yes");
  for (const auto& [number, warning] : facts.warnings)
    fields.emplace_back(fmt::format("{}{}", kWarning, number), warning);
  return fields;
}

void read_field(RunFacts& facts, std::string_view name, const std::string& value) {
  for (const auto& [flag_name, flag] : kFlags)
    if (name == flag_name) facts.*flag = true;
  for (const auto& [position_name, position] : kPositions) {
    if (!name.starts_with(position_name)) continue;
    const std::string_view rest = name.substr(std::string_view(position_name).size());
    if (rest == "_file") open_position(facts.*position).file = value;
    if (rest == "_position") open_position(facts.*position).offset = parse_count(value);
  }
  if (name == kRescued) facts.rescued = parse_count(value);
  if (name.starts_with(kDrained)) facts.drained.emplace(name.substr(kDrained.size()));
  if (!name.starts_with(kWarning)) return;
  if (const auto number = parse_integer(name.substr(kWarning.size())))
    facts.warnings[static_cast<int>(*number)] = value;
}

void add_facts(RunFacts& facts, const RunFacts& found) {
  for (const auto& [name, value] : to_fields(found)) read_field(facts, name, value);
}

}  // namespace ha
