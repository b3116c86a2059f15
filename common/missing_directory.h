// SPDX-License-Identifier: MIT
// What to type when a directory is not there. Pure.

#pragma once

#include <string>
#include <string_view>

#include "common/result.h"

namespace ha {

// Says that a directory is missing, cannot be created for this reason, and what to type so that it
// is this user's.
Error missing_directory(const std::string& path, std::string_view reason, std::string_view user);

}  // namespace ha
