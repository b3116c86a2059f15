// SPDX-License-Identifier: MIT
// The files of options that a command line names: --extra-opts as monitoring-plugins read it, and
// --config or a file that several binaries share.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace ha {

// One option that a file sets instead of the command line.
struct FileSetting {
  std::string file, key, value;
};

// Reads what "[SECTION][@FILE]" names; the section is the binary's where none is named. Fails with
// kUsage when the file cannot be read or has no such section.
Result<std::vector<FileSetting>> read_extra_opts(const std::string& argument,
                                                 const std::string& binary);

// Reads a flat file, or what one has in the section of this binary, for the option `name`. Fails
// with kUsage when it cannot be read.
Result<std::vector<FileSetting>> read_option_file(std::string_view name, const std::string& path,
                                                  const std::string& binary);

}  // namespace ha
