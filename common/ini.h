// SPDX-License-Identifier: MIT
// INI files as the monitoring-plugins library reads them (lib/parse_ini.c): `key=value` below
// `[section]`, blanks around both trimmed, nothing quoted, sections may repeat; `;` and `#` start a
// comment at the start of a line only.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace ha {

struct IniEntry {
  std::string section;  // empty before the first section
  std::string key;
  std::string value;  // empty for `key=`
};

// Parses a whole file; `name` stands in the errors, with the line number. A line that is neither
// comment, section nor `key=value` is an error.
Result<std::vector<IniEntry>> parse_ini(std::string_view text, const std::string& name);

// Returns the file that `--extra-opts` reads when it names none: $MP_CONFIG_FILE, else the first of
// the library's standard places that exists; empty when there is none.
std::string default_extra_opts_file();

}  // namespace ha
