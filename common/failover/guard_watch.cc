// SPDX-License-Identifier: MIT
#include "common/failover/guard_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/text.h"

namespace ha {

namespace {

// What no word of a node shows, such as a thread of replication that has stopped, is seen by then.
constexpr double kBetweenLooks_s = 60;

// What stands in the way of a failover often passes in moments, such as a replica that has not
// noticed yet that its source is gone; when it does not, in hours.
double pause_between_looks_s(double trouble_s) {
  return trouble_s < 5 ? 0.2 : trouble_s < 60 ? 1 : 10;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

}  // namespace

std::string_view life_name(NodeLife life) {
  constexpr std::string_view kNames[] = {"unknown", "answers", "refuses", "gone"};
  return kNames[static_cast<std::size_t>(life)];
}

std::string describe(const WatchedNode& node) {
  switch (node.life) {
    case NodeLife::kUnknown:
      return node.name + " was not asked yet";
    case NodeLife::kAnswers:
      return fmt::format("{} answers{}", node.name,
                         !node.read_only   ? ""
                         : *node.read_only ? ", read-only"
                                           : " and accepts writes");
    case NodeLife::kRefuses:
      return fmt::format("{} is alive and cannot be read: {}", node.name, sanitize(node.error));
    case NodeLife::kGone:
      break;
  }
  return fmt::format("{} gives no answer: {}", node.name, sanitize(node.error));
}

GuardWatch::GuardWatch(const std::vector<std::string>& names, double now_s) : looked_s_(now_s) {
  for (const std::string& name : names) nodes_.push_back({name, now_s});
}

bool GuardWatch::hear(std::size_t i, const NodeWord& word, const GuardTiming& timing,
                      double now_s) {
  WatchedNode& node = nodes_[i];
  const WatchedNode before = node;
  switch (word.kind) {
    case NodeWord::Kind::kNotAsked:
      node.heard_s = now_s;
      break;
    case NodeWord::Kind::kAnswers:
      if (word.new_session && before.life == NodeLife::kAnswers) changed_ = true;
      node = {node.name, now_s, NodeLife::kAnswers, word.read_only};
      break;
    case NodeWord::Kind::kRefuses:
      node = {node.name, now_s, NodeLife::kRefuses, {}, 0, word.error};
      break;
    case NodeWord::Kind::kFails:
      ++node.failures;
      node.error = word.error;
      if (node.failures >= timing.retries) node.life = NodeLife::kGone;
      break;
    case NodeWord::Kind::kNone:
      if (node.life == NodeLife::kGone || now_s - node.heard_s < timing.interval_s * timing.retries)
        break;
      node.life = NodeLife::kGone;
      node.error = "nothing within " + format_duration(timing.interval_s * timing.retries);
      break;
  }
  if (node.life == NodeLife::kGone) node.read_only.reset();
  const bool other = node.life != before.life || node.read_only != before.read_only;
  if (other) changed_ = true;
  return other;
}

void GuardWatch::begin_trouble(double now_s) {
  if (!trouble_since_s_) trouble_since_s_ = now_s;
  next_look_s_ = now_s + pause_between_looks_s(now_s - *trouble_since_s_);
}

void GuardWatch::found(Finding finding, double now_s) {
  looked_s_ = now_s;
  changed_ = false;
  if (finding == Finding::kTrouble) {
    tried_ = primary_is_gone();
    return begin_trouble(now_s);
  }
  trouble_since_s_.reset();
  tried_ = false;
}

// A run looks at the cluster, too.
void GuardWatch::tried(double now_s) {
  looked_s_ = now_s;
  tried_ = true;
  changed_ = false;
  begin_trouble(now_s);
}

bool GuardWatch::primary_is_gone() const {
  const auto node = std::ranges::find(nodes_, primary_, &WatchedNode::name);
  return node != nodes_.end() && node->life == NodeLife::kGone;
}

GuardTurn GuardWatch::decide(const GuardTiming& timing, double now_s) const {
  using Kind = GuardTurn::Kind;
  if (primary_is_gone() && !tried_) return {Kind::kReplace};
  // A look takes the whole time of a probe when a node that counts as there is gone.
  const bool failing = std::ranges::any_of(nodes_, [](const WatchedNode& node) {
    return node.failures > 0 && node.life != NodeLife::kGone;
  });
  if (failing) return {Kind::kConfirm, std::min(timing.retry_interval_s, timing.interval_s)};
  if (changed_ && std::ranges::none_of(nodes_, [](const WatchedNode& node) {
        return node.life == NodeLife::kUnknown;
      }))
    return {Kind::kLook};
  if (trouble_since_s_ && now_s >= next_look_s_) return {Kind::kLook};
  if (now_s - looked_s_ >= kBetweenLooks_s) return {Kind::kLook};
  const double wait_s = trouble_since_s_ ? next_look_s_ - now_s : timing.interval_s;
  return {Kind::kWait, std::min(wait_s, timing.interval_s)};
}

std::string without_passing_numbers(std::string_view text) {
  std::string kept;
  for (std::size_t i = 0; i < text.size(); ++i) {
    // "db1" is a name.
    const bool in_name = i > 0 && (is_letter(text[i - 1]) || is_digit(text[i - 1]));
    if (!is_digit(text[i]) || in_name) {
      kept += text[i];
      continue;
    }
    while (i + 1 < text.size() && (is_digit(text[i + 1]) || text[i + 1] == '.')) ++i;
    kept += '#';
  }
  return kept;
}

}  // namespace ha
