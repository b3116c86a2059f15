// SPDX-License-Identifier: MIT
#include "common/http/credentials.h"

#include <fmt/format.h>

#include <optional>

#include "common/files.h"
#include "common/text.h"

namespace ha {

Result<Credentials> parse_credentials(std::string_view text, const std::string& name) {
  std::optional<std::string> username, password;
  int number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (trim(line).empty() || line.starts_with('#')) continue;
    const std::size_t equals = line.find('=');
    const std::string_view key = trim(line.substr(0, equals));
    if (equals == line.npos || (key != "username" && key != "password"))
      return Error{Errc::kUsage,
                   fmt::format("{} line {}: expected username=... or password=...", name, number)};
    (key == "username" ? username : password) = line.substr(equals + 1);
  }
  if (!username || username->empty() || !password)
    return Error{Errc::kUsage,
                 fmt::format("{}: there is no line {}=...", name,
                             username && !username->empty() ? "password" : "username")};
  return Credentials{*username, *password};
}

Result<Credentials> read_credentials(const std::string& path) {
  const auto content = read_file(path);
  if (!content) return content.error();
  return parse_credentials(*content, path);
}

}  // namespace ha
