// SPDX-License-Identifier: MIT
// How a run tells people what it does while it is at work.

#pragma once

#include <functional>
#include <string>

namespace ha {

// Gets a line for each step as it is done.
using Log = std::function<void(const std::string&)>;

}  // namespace ha
