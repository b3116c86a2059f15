// SPDX-License-Identifier: MIT
// The layout of --help: 80 columns wide, and what help2man reads. CLI11's own is neither.

#pragma once

#include <string>

#include "common/cli/parser.h"

namespace ha {

// Returns the help of a program; `purpose` is one sentence, `operands` follows the options in the
// usage, with a blank before it, and may be empty.
std::string render_help(const Parser& options, const std::string& binary,
                        const std::string& purpose, const std::string& operands);

}  // namespace ha
