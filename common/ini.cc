// SPDX-License-Identifier: MIT
#include "common/ini.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "common/text.h"

namespace ha {

std::vector<SettingLine> setting_lines(std::string_view text, std::string_view comments) {
  std::vector<SettingLine> lines;
  int number = 0;
  for (const std::string& raw : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(raw);
    if (!line.empty() && comments.find(line[0]) == comments.npos)
      lines.push_back({number, std::string(line)});
  }
  return lines;
}

Error line_error(const std::string& name, int number, std::string_view what) {
  return {Errc::kUsage, fmt::format("{} line {}: {}", name, number, what)};
}

Result<std::vector<IniEntry>> parse_ini(std::string_view text, const std::string& name) {
  std::vector<IniEntry> entries;
  std::string section;
  for (const auto& [number, line] : setting_lines(text, ";#")) {
    if (line[0] == '[') {
      if (line.back() != ']') return line_error(name, number, "a section must end with ']'");
      section = trim(std::string_view(line).substr(1, line.size() - 2));
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == line.npos) return line_error(name, number, "expected key=value");
    const std::string key(trim(std::string_view(line).substr(0, equals)));
    if (key.empty()) return line_error(name, number, "expected a key before '='");
    entries.push_back({section, key, std::string(trim(std::string_view(line).substr(equals + 1)))});
  }
  return entries;
}

std::string default_extra_opts_file() {
  if (const char* file = std::getenv("MP_CONFIG_FILE")) return file;
  std::vector<std::string> candidates;
  if (const char* directories = std::getenv("NAGIOS_CONFIG_PATH"))
    for (const std::string& directory : split(directories, ':'))
      for (const char* file : {"monitoring-plugins.ini", "plugins.ini", "nagios-plugins.ini"})
        candidates.push_back(directory + "/" + file);
  for (const char* path :
       {"/usr/local/etc/monitoring-plugins/monitoring-plugins.ini",
        "/usr/local/etc/monitoring-plugins.ini", "/etc/monitoring-plugins/monitoring-plugins.ini",
        "/etc/monitoring-plugins.ini", "/etc/nagios/plugins.ini",
        "/usr/local/nagios/etc/plugins.ini", "/usr/local/etc/nagios/plugins.ini",
        "/etc/opt/nagios/plugins.ini", "/etc/nagios-plugins.ini",
        "/usr/local/etc/nagios-plugins.ini", "/etc/opt/nagios-plugins.ini"})
    candidates.emplace_back(path);
  for (const std::string& path : candidates)
    if (access(path.c_str(), R_OK) == 0) return path;
  return "";
}

}  // namespace ha
