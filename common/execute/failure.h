// SPDX-License-Identifier: MIT
// The error of a step that was done to a server and does not hold.

#pragma once

#include <string>
#include <utility>

#include "common/result.h"

namespace ha {

inline Error failure(std::string text) { return {Errc::kUnreachable, std::move(text)}; }

// What a node shows speaks against the plan: another one is to be made.
inline Error contradiction(std::string text) { return {Errc::kChanged, std::move(text)}; }

}  // namespace ha
