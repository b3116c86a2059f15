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

// A line of a file of settings, of whatever syntax.
struct SettingLine {
  int number = 0;  // from 1
  std::string text = {};
};

// Returns the lines of a file of settings without the blanks around them; not those that are empty
// or begin with one of the characters `comments`.
std::vector<SettingLine> setting_lines(std::string_view text, std::string_view comments);

// Says what is wrong with a line: "NAME line 7: WHAT". The line is not quoted: it may hold a
// password.
Error line_error(const std::string& name, int number, std::string_view what);

// Parses a whole file; `name` stands in the errors, with the line number. A line that is neither
// comment, section nor `key=value` is an error.
Result<std::vector<IniEntry>> parse_ini(std::string_view text, const std::string& name);

// Returns the file that `--extra-opts` reads when it names none: $MP_CONFIG_FILE, else the first of
// the library's standard places that exists; empty when there is none.
std::string default_extra_opts_file();

}  // namespace ha
