// SPDX-License-Identifier: MIT
#include "common/cluster/import_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

std::string value_of(const ImportSettings& settings, const std::string& key,
                     const std::string& otherwise) {
  const auto found = settings.find(key);
  return found == settings.end() ? otherwise : found->second;
}

std::optional<std::string> secret_of(const ImportSettings& settings, const std::string& key) {
  const auto found = settings.find(key);
  return found == settings.end() ? std::nullopt : std::optional(found->second);
}

Result<unsigned> port_of(const ImportSettings& settings, const std::string& key,
                         const std::string& file) {
  const std::string text = value_of(settings, key);
  if (text.empty()) return 0u;
  const auto number = parse_integer(text);
  if (!number || *number < 1 || *number > 65535)
    return Error{Errc::kUsage, fmt::format("{}: {}: '{}' is not a port (accepted: 1 to 65535)",
                                           file, key, sanitize(text))};
  return static_cast<unsigned>(*number);
}

Result<std::optional<unsigned>> count_of(const ImportSettings& settings, const std::string& key,
                                         unsigned least, const std::string& file) {
  constexpr unsigned kMost = 1000;
  const std::string text = value_of(settings, key);
  if (text.empty()) return std::optional<unsigned>();
  const auto number = parse_integer(text);
  if (!number || *number < least || *number > kMost)
    return Error{Errc::kUsage, fmt::format("{}: {}: '{}' is not a number from {} to {}", file, key,
                                           sanitize(text), least, kMost)};
  return std::optional(static_cast<unsigned>(*number));
}

void collect_unknown(ImportedCluster& cluster, const std::string& key) {
  const std::string name = sanitize(shorten(key, 60));
  if (std::ranges::find(cluster.unknown_keys, name) == cluster.unknown_keys.end())
    cluster.unknown_keys.push_back(name);
}

}  // namespace ha
