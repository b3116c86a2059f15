// SPDX-License-Identifier: MIT
// The layout of --help: 80 columns wide, and what help2man reads. CLI11's own is neither.

#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace ha {

// Returns the help of a program; `operands` follows the options in the usage, with a blank before
// it, and may be empty.
std::string render_help(const CLI::App& app, const std::string& binary,
                        const std::string& operands);

}  // namespace ha
