// SPDX-License-Identifier: MIT
#include "common/context/witness.h"

#include <algorithm>

#include "common/parallel.h"

namespace ha {

std::vector<bool> reach_witnesses(const Env& env, const std::vector<HostPort>& witnesses,
                                  const Deadline& deadline) {
  constexpr unsigned kSsh = 22;
  const auto answers = run_each<bool>(
      env.workers, witnesses.size(), deadline,
      [witnesses, deadline, &network = env.network](std::size_t i) {
        const HostPort& place = witnesses[i];
        return network.reach({place.host, place.port != 0 ? place.port : kSsh}, deadline);
      });
  std::vector<bool> reached;
  for (const auto& answer : answers) reached.push_back(answer.value_or(false));
  return reached;
}

Witnesses judge_witnesses(const std::vector<bool>& reached) {
  if (reached.empty()) return Witnesses::kNotAsked;
  return std::ranges::find(reached, true) != reached.end() ? Witnesses::kReached
                                                           : Witnesses::kUnreached;
}

}  // namespace ha
