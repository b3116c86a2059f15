// SPDX-License-Identifier: MIT
// What the steps have in common that are done to real servers.

#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "common/deadline.h"
#include "common/failover/plan.h"
#include "common/mysql/channel_status.h"
#include "common/mysql/topology.h"
#include "common/process.h"
#include "common/result.h"
#include "common/text.h"

namespace ha {

// Polls are short beside what they wait for, and cheap: two statements.
inline constexpr double kPoll_s = 0.001;

inline Error failure(std::string text) { return {Errc::kUnreachable, std::move(text)}; }

// What a node shows speaks against the plan: another one is to be made.
inline Error contradiction(std::string text) { return {Errc::kRefused, std::move(text)}; }

// Returns how long a step's program may take. What a failover can do without leaves the rest of it
// half of the time: ssh that hangs on a host which is half dead must not keep everybody waiting.
inline Deadline program_deadline(const Step& step, const Deadline& deadline) {
  return step.may_fail ? deadline.from_now(deadline.remaining_s() / 2) : deadline;
}

// Returns how a program of the operator's ended and what it printed last, for people: ssh prints
// the other side's banner first.
inline std::string describe_end(const std::vector<std::string>& argv,
                                const ProcessOutcome& outcome) {
  constexpr std::size_t kMostOutput = 300;
  const std::string_view output = trim(outcome.output);
  const bool cut = output.size() > kMostOutput;
  return fmt::format("{} {}: {}{}", argv[0], describe(outcome), cut ? "..." : "",
                     sanitize(cut ? output.substr(output.size() - kMostOutput) : output));
}

// Returns each channel with its source, sorted, to be compared.
inline std::vector<std::string> sources_of(const std::vector<ChannelStatus>& channels) {
  std::vector<std::string> sources;
  for (const ChannelStatus& channel : channels) sources.push_back(channel.name + channel.source());
  std::ranges::sort(sources);
  return sources;
}

// Tells a program of the operator's which node has this role: HA_ROLE_NODE, _HOST and _PORT.
inline void describe_node(Command& command, std::string_view role, const Node& node) {
  command.environment.emplace_back(fmt::format("HA_{}_NODE", role), node.name);
  command.environment.emplace_back(fmt::format("HA_{}_HOST", role), node.host);
  command.environment.emplace_back(fmt::format("HA_{}_PORT", role), std::to_string(node.port));
}

// The environment's name of what the fence command is asked for: off, or status.
inline constexpr char kFenceAction[] = "HA_FENCE_ACTION";

// What a fence command says by its exit code, as MHA's scripts do, which people have.
enum class FenceEnd {
  kFenced,    // 0
  kAccepted,  // 10: nothing is proven, the operator accepts that
  kFailed,
};
inline FenceEnd read_fence(const ProcessOutcome& outcome) {
  constexpr int kOperatorAccepts = 10;
  if (outcome.succeeded()) return FenceEnd::kFenced;
  return outcome.end == ProcessOutcome::End::kExited && outcome.code == kOperatorAccepts
             ? FenceEnd::kAccepted
             : FenceEnd::kFailed;
}

// True when a replica has applied all that another server had, as far as this channel tells.
inline bool has_all(const ServerFacts& replica, const ChannelStatus& channel,
                    const ServerFacts& other) {
  return channel.uses_gtid ? has_applied(replica.history, other.history) == true
                           : other.binlog == channel.executed;
}

// True when a channel's source is this node.
inline bool follows(const ChannelStatus& channel, const Node& source) {
  return channel.source_host == source.host && channel.source_port == source.port;
}

}  // namespace ha
