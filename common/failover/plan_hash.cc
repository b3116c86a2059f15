// SPDX-License-Identifier: MIT
#include "common/failover/plan_hash.h"

#include <fmt/format.h>

#include <cstdint>

namespace ha {

namespace {

std::string print(const History& history) {
  if (const auto* mysql = std::get_if<MysqlHistory>(&history))
    return unite(mysql->executed, mysql->retrieved).print();
  if (const auto* mariadb = std::get_if<MariadbHistory>(&history))
    return unite(unite(mariadb->binlog_state, mariadb->current_position),
                 mariadb->received_position)
        .print();
  return "";
}

}  // namespace

std::string hash_of(const Plan& plan, const Topology& topology) {
  std::string text = render(plan);
  for (const Step& step : plan.steps)
    for (const Step& undo : step.undo)
      text += fmt::format("\n{} {} {} {}", step.number, undo.channel, undo.other, render(undo));
  for (const Node& node : topology.nodes) {
    text += fmt::format("\n{} {} {}", node.name, static_cast<int>(node.reach), node.writable());
    if (!node.facts) continue;
    text += " " + print(node.facts->history);
    for (const ChannelStatus& channel : node.channels())
      text += fmt::format(" {} {} {}:{} {}", channel.name, channel.source(), channel.read.file,
                          channel.read.offset, channel.io.running());
  }
  // FNV-1a: it need not resist forging, only show a change.
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return fmt::format("{:016x}", hash);
}

}  // namespace ha
