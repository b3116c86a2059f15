// SPDX-License-Identifier: MIT
#include "common/failover/witness.h"

#include <algorithm>
#include <cerrno>

#include "common/parallel.h"
#include "common/reach.h"

namespace ha {

namespace {

bool reaches(const HostPort& witness, const Deadline& deadline) {
  constexpr unsigned kSsh = 22;
  const AddressList addresses =
      find_addresses({witness.host, witness.port != 0 ? witness.port : kSsh});
  for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next)
    if (const int error = try_to_connect(*one, deadline); error == 0 || error == ECONNREFUSED)
      return true;
  return false;
}

}  // namespace

std::vector<bool> reach_witnesses(const std::vector<HostPort>& witnesses,
                                  const Deadline& deadline) {
  const auto answers = run_each<bool>(
      witnesses.size(), deadline,
      [witnesses, deadline](std::size_t i) { return reaches(witnesses[i], deadline); });
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
