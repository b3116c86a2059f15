// SPDX-License-Identifier: MIT
#include "common/cli/option_files.h"

#include <fmt/format.h>

#include "common/files.h"
#include "common/ini.h"
#include "common/text.h"

namespace ha {

namespace {

Result<std::vector<IniEntry>> read_ini(std::string_view name, const std::string& path) {
  const auto content = read_file(path);
  if (!content) return Error{Errc::kUsage, fmt::format("{}: {}", name, content.error().text)};
  auto entries = parse_ini(*content, path);
  if (!entries) return Error{Errc::kUsage, fmt::format("{}: {}", name, entries.error().text)};
  return entries;
}

}  // namespace

Result<std::vector<FileSetting>> read_extra_opts(const std::string& argument,
                                                 const std::string& binary) {
  const std::size_t at = argument.find('@');
  std::string section(trim(argument.substr(0, at)));
  std::string path = at == argument.npos ? default_extra_opts_file() : argument.substr(at + 1);
  if (section.empty()) section = binary;
  if (path.empty())
    return Error{Errc::kUsage, "--extra-opts: no config file in any standard location"};
  const auto entries = read_ini("--extra-opts", path);
  if (!entries) return entries.error();
  std::vector<FileSetting> settings;
  for (const IniEntry& entry : *entries) {
    if (entry.section.empty())
      return Error{
          Errc::kUsage,
          fmt::format("--extra-opts: {}: option '{}' stands before any section", path, entry.key)};
    if (entry.section == section) settings.push_back({path, entry.key, entry.value});
  }
  if (settings.empty())
    return Error{Errc::kUsage, fmt::format("--extra-opts: no section '{}' in {}", section, path)};
  return settings;
}

Result<std::vector<FileSetting>> read_option_file(std::string_view name, const std::string& path,
                                                  const std::string& binary) {
  const auto entries = read_ini(name, path);
  if (!entries) return entries.error();
  std::vector<FileSetting> settings;
  for (const IniEntry& entry : *entries)
    if (entry.section.empty() || entry.section == binary)
      settings.push_back({path, entry.key, entry.value});
  return settings;
}

}  // namespace ha
