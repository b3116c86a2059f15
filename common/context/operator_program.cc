// SPDX-License-Identifier: MIT
#include "common/context/operator_program.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

Deadline program_deadline(const Step& step, const Deadline& deadline) {
  return step.may_fail ? deadline.from_now(deadline.remaining_s() / 2) : deadline;
}

std::string describe_end(const std::vector<std::string>& argv, const ProcessOutcome& outcome) {
  constexpr std::size_t kMostOutput = 300;
  const std::string_view output = trim(outcome.output);
  const bool cut = output.size() > kMostOutput;
  return fmt::format("{} {}: {}{}", argv[0], describe(outcome), cut ? "..." : "",
                     sanitize(cut ? output.substr(output.size() - kMostOutput) : output));
}

void describe_node(Command& command, std::string_view role, const Node& node) {
  command.environment.emplace_back(fmt::format("HA_{}_NODE", role), node.name);
  command.environment.emplace_back(fmt::format("HA_{}_HOST", role), node.host);
  command.environment.emplace_back(fmt::format("HA_{}_PORT", role), std::to_string(node.port));
}

FenceEnd read_fence(const ProcessOutcome& outcome) {
  constexpr int kOperatorAccepts = 10;
  if (outcome.succeeded()) return FenceEnd::kFenced;
  return outcome.end == ProcessOutcome::End::kExited && outcome.code == kOperatorAccepts
             ? FenceEnd::kAccepted
             : FenceEnd::kFailed;
}

}  // namespace ha
