// SPDX-License-Identifier: MIT
#include "common/mysql/channel_status.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

std::string describe_stop(std::string_view name, const ReplicationThread& thread) {
  const char* const state = thread.state == ThreadState::kConnecting ? "connecting"
                            : thread.running()                       ? "waits for disk space"
                                                                     : "stopped";
  if (thread.error_number == 0) return fmt::format("{} thread {}", name, state);
  return fmt::format("{} thread {}, error {}: {}", name, state, thread.error_number,
                     shorten(sanitize(thread.error), 300));
}

std::pair<long long, std::uint64_t> binlog_order(const BinlogPosition& position) {
  const std::size_t dot = position.file.rfind('.');
  const auto number =
      dot == std::string::npos ? std::nullopt : parse_integer(position.file.substr(dot + 1));
  return {number.value_or(-1), position.offset};
}

const ChannelStatus* find_channel(const std::vector<ChannelStatus>& channels,
                                  std::string_view name) {
  const auto found = std::ranges::find(channels, name, &ChannelStatus::name);
  return found == channels.end() ? nullptr : &*found;
}

std::vector<std::string> sources_of(const std::vector<ChannelStatus>& channels) {
  std::vector<std::string> sources;
  for (const ChannelStatus& channel : channels) sources.push_back(channel.name + channel.source());
  std::ranges::sort(sources);
  return sources;
}

}  // namespace ha
