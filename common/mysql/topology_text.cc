// SPDX-License-Identifier: MIT
#include "common/mysql/topology_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/text.h"

namespace ha {

namespace {

constexpr std::size_t kColumns = 6;
using Cells = std::array<std::string, kColumns>;

std::string paint(const std::string& line, State state, Colours colours) {
  if (colours == Colours::kNone || state == State::kOk) return line;
  const char* const code = state == State::kCritical  ? "1;31"
                           : state == State::kWarning ? "33"
                                                      : "35";
  return fmt::format("\033[{}m{}\033[0m", code, line);
}

// The lines that lead from a source to its replicas.
std::string branch(const std::vector<NodeView>& rows, std::size_t place) {
  const auto goes_on = [&](std::size_t depth) {
    for (std::size_t i = place + 1; i < rows.size() && rows[i].depth >= depth; ++i)
      if (rows[i].depth == depth) return true;
    return false;
  };
  std::string text;
  for (std::size_t depth = 1; depth < rows[place].depth; ++depth)
    text += goes_on(depth) ? "|  " : "   ";
  return rows[place].depth == 0 ? "" : text + "+- ";
}

std::string gap(const NodeView& row) {
  if (!row.transactions_behind) return "-";
  std::vector<std::string> parts;
  if (*row.transactions_behind > 0)
    parts.push_back(fmt::format("{} behind", *row.transactions_behind));
  if (row.errant_transactions.value_or(0) > 0)
    parts.push_back(fmt::format("{} errant", *row.errant_transactions));
  return parts.empty() ? "equal" : join(parts, ", ");
}

Cells cells_of(const std::vector<NodeView>& rows, std::size_t place) {
  const NodeView& row = rows[place];
  const std::string lag = !row.follows ? "-" : row.lag_s ? format_duration(*row.lag_s) : "unknown";
  return {branch(rows, place) + printable(row.name), row.role, row.writes, lag, gap(row),
          printable(join(row.notes, "; "))};
}

}  // namespace

std::string render_topology(const TopologyView& view, Colours colours) {
  std::vector<Cells> table = {{"NODE", "ROLE", "WRITES", "LAG", "GTIDS", ""}};
  for (std::size_t i = 0; i < view.rows.size(); ++i) table.push_back(cells_of(view.rows, i));
  std::array<std::size_t, kColumns> widths = {};
  for (const Cells& cells : table)
    for (std::size_t c = 0; c < kColumns; ++c) widths[c] = std::max(widths[c], cells[c].size());

  std::string text;
  for (std::size_t i = 0; i < table.size(); ++i) {
    std::string line;
    for (std::size_t c = 0; c < kColumns; ++c)
      line += fmt::format("{:<{}}", table[i][c], widths[c] + 2);
    line.erase(line.find_last_not_of(' ') + 1);
    text += paint(line, i == 0 ? State::kOk : view.rows[i - 1].state, colours) + "\n";
  }
  if (view.state == State::kOk && view.findings.empty()) return text + "\nhealthy\n";
  text += "\n";
  const auto add = [&](State state, std::string_view what, const std::string& words) {
    text += paint(fmt::format("[{}] {}: {}", state_name(state), what, sanitize(words)), state,
                  colours) +
            "\n";
  };
  for (const Finding& finding : view.findings)
    add(usual_state(finding.verdict), verdict_name(finding.verdict), finding.text);
  for (const NodeView& row : view.rows)
    if (!row.stopped.empty())
      add(State::kWarning, "stopped", row.name + ": " + join(row.stopped, "; "));
  return text;
}

}  // namespace ha
