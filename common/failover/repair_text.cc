// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "common/failover/repair.h"
#include "common/json_writer.h"
#include "common/text.h"

namespace ha {

namespace {

// In the order of ReturnWay.
constexpr std::string_view kWays[] = {"none", "rejoin", "resync"};

std::string_view way_name(ReturnWay way) { return kWays[static_cast<std::size_t>(way)]; }

}  // namespace

std::vector<std::string> describe_signs(const std::vector<Sign>& signs) {
  std::vector<std::string> lines;
  for (const Sign& sign : signs)
    lines.push_back(fmt::format("for {}: {}", sign.node.empty() ? "none" : sign.node, sign.text));
  return lines;
}

std::string render(const Repair& repair) {
  std::string text =
      !repair.possible() ? fmt::format("no repair ({}): {}\n", refusal_name(repair.refusal),
                                       printable(repair.reason))
      : !repair.needed() ? fmt::format("nothing to repair: {} is the primary\n", repair.winner)
                         : fmt::format("keep {} as the primary\n", repair.winner);
  for (const std::string& line : describe_signs(repair.signs)) text += printable(line) + "\n";
  for (const Step& step : repair.closing.steps) text += render(step);
  for (const RepairTask& task : repair.tasks)
    text += fmt::format("then {} {}: {}\n", way_name(task.way), task.node, printable(task.why));
  for (const Rejection& one : repair.left)
    text += fmt::format("not {}: {}\n", one.node, printable(one.reason));
  return text;
}

std::string repair_to_json(const Repair& repair) {
  JsonWriter json;
  json.begin_object();
  json.field("winner", repair.winner);
  json.field("refusal", refusal_name(repair.refusal));
  json.field("reason", repair.reason);
  json.key("evidence");
  json.begin_array();
  for (const Sign& sign : repair.signs) {
    json.begin_object();
    json.field("node", sign.node);
    json.field("text", sign.text);
    json.end_object();
  }
  json.end_array();
  std::vector<std::string> closed;
  for (const Step& step : repair.closing.steps)
    if (step.action == Action::kFence) closed.push_back(step.node);
  json.field("close", closed);
  json.key("return");
  json.begin_array();
  for (const RepairTask& task : repair.tasks) {
    json.begin_object();
    json.field("node", task.node);
    json.field("by", way_name(task.way));
    json.field("why", task.why);
    json.end_object();
  }
  json.end_array();
  json.key("left");
  json.begin_array();
  for (const Rejection& one : repair.left) {
    json.begin_object();
    json.field("node", one.node);
    json.field("why", one.reason);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

}  // namespace ha
