// SPDX-License-Identifier: MIT
// What of a call of MHA's script is known only when it is called.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/deadline.h"
#include "common/env.h"

namespace ha {

// Returns the words of common/failover/mha_scripts.h with what stands for their braces: addresses,
// "--command=stopssh" where the machine answers to ssh and else "--command=stop", the password.
std::vector<std::string> expand_mha_call(const Env& env, const std::vector<std::string>& argv,
                                         const std::optional<std::string>& password,
                                         const Deadline& deadline);

// Takes a password out of what a script printed.
std::string without_password(std::string output, const std::optional<std::string>& password);

}  // namespace ha
