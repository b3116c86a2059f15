// SPDX-License-Identifier: MIT
#include "common/context/hung_primary.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ha {

namespace {

using Json = nlohmann::ordered_json;

constexpr char kFormat[] = "monitoring-plugins-ha hung primary 1";
// That no event came between two looks their positions tell, however far apart. That the primary
// did not answer meanwhile nothing tells, so they may be no further apart than an engine's checks.
constexpr double kMostBetweenLooks_s = 600;

std::string path_in(const std::string& directory) { return directory + "/hung-primary.json"; }

// How far each channel from the primary has received, of the nodes that can be read.
std::map<std::string, std::string> received_from(const Topology& topology,
                                                 const std::string& primary) {
  std::map<std::string, std::string> received;
  for (const Node& node : topology.nodes)
    for (std::size_t c = 0; c < node.sources.size(); ++c) {
      if (!node.sources[c] || topology.nodes[*node.sources[c]].name != primary) continue;
      const ChannelStatus& channel = node.channels()[c];
      received[fmt::format("{} {}", node.name, channel.name)] =
          fmt::format("{}:{} {}", channel.read.file, channel.read.offset, channel.received_gtids);
    }
  return received;
}

bool goes_on(const HungPrimary& earlier, const std::string& name,
             const std::map<std::string, std::string>& received, const Moment& now) {
  const auto gap = age_of(earlier.last, now);
  return earlier.name == name && earlier.last.boot == now.boot && gap &&
         *gap <= kMostBetweenLooks_s && std::ranges::all_of(received, [&](const auto& one) {
           const auto known = earlier.received.find(one.first);
           return known != earlier.received.end() && known->second == one.second;
         });
}

Json to_json(const Moment& moment) {
  return {{"now_s", moment.now_s}, {"uptime_s", moment.uptime_s}, {"boot", moment.boot}};
}

Moment moment_of(const Json& json) {
  return {json.at("now_s").get<double>(), json.at("uptime_s").get<double>(),
          json.at("boot").get<std::string>()};
}

}  // namespace

HungPrimary observe_hung(const std::optional<HungPrimary>& earlier, const std::string& name,
                         const Topology& topology, const Moment& now) {
  auto received = received_from(topology, name);
  const bool on = earlier && goes_on(*earlier, name, received, now);
  HungPrimary hung{name, on ? earlier->since : now, now, std::move(received)};
  if (earlier && earlier->name == name)
    hung.received.insert(earlier->received.begin(), earlier->received.end());
  return hung;
}

std::optional<HungPrimary> read_hung(Files& files, const std::string& directory) {
  const auto content = files.read(path_in(directory));
  if (!content) return std::nullopt;
  auto hung = parse_hung(*content);
  // Only the uptime of one boot tells how much time has passed, even when the clock was set.
  if (hung && hung->last.boot.empty()) return std::nullopt;
  return hung;
}

Result<Done> write_hung(Files& files, const std::string& directory, const HungPrimary& hung) {
  return files.write_atomic(path_in(directory), hung_to_json(hung) + "\n");
}

Result<Done> forget_hung(Files& files, const std::string& directory) {
  return files.remove(path_in(directory));
}

std::string hung_to_json(const HungPrimary& hung) {
  return Json{{"format", kFormat},
              {"name", hung.name},
              {"since", to_json(hung.since)},
              {"last", to_json(hung.last)},
              {"received", hung.received}}
      .dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::optional<HungPrimary> parse_hung(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("format") != kFormat) return std::nullopt;
    HungPrimary hung{json.at("name").get<std::string>(),
                     moment_of(json.at("since")),
                     moment_of(json.at("last")),
                     {}};
    for (const auto& [channel, received] : json.at("received").items())
      hung.received[channel] = received.get<std::string>();
    return hung;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace ha
