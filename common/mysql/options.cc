// SPDX-License-Identifier: MIT
#include "common/mysql/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/address.h"
#include "common/text.h"

namespace ha {

std::optional<TlsMode> parse_tls_mode(std::string_view word) {
  constexpr std::pair<std::string_view, TlsMode> kModes[] = {
      {"disabled", TlsMode::kDisabled},
      {"preferred", TlsMode::kPreferred},
      {"required", TlsMode::kRequired},
      {"verify-ca", TlsMode::kVerifyCa},
      {"verify-identity", TlsMode::kVerifyIdentity}};
  for (const auto& [name, mode] : kModes)
    if (word == name) return mode;
  return std::nullopt;
}

Result<std::string> parse_host(const std::string& text) {
  if (!text.starts_with('[')) return text;
  const auto place = parse_host_port(text);
  if (!place || place->port != 0)
    return Error{Errc::kUsage, fmt::format("'{}' is not a host or an IPv6 address in brackets (the "
                                           "port belongs to --port)",
                                           sanitize(text))};
  return place->host;
}

TlsMode effective_tls_mode(const MysqlOptions& options) {
  if (options.tls_mode) return *options.tls_mode;
  if (!options.ca.empty() || !options.ca_directory.empty()) return TlsMode::kVerifyCa;
  if (options.tls || !options.certificate.empty()) return TlsMode::kRequired;
  return TlsMode::kPreferred;
}

bool by_tcp(const MysqlOptions& options) {
  if (options.host.starts_with('/')) return false;
  if (!options.host.empty() && options.host != "localhost") return true;
  return options.port != 0 && options.socket.empty();
}

std::string server_label(const MysqlOptions& options) {
  if (!by_tcp(options)) {
    if (options.host.starts_with('/')) return options.host;
    return options.socket.empty() ? "localhost" : options.socket;
  }
  const std::string host = options.host.empty() ? "localhost" : options.host;
  if (host != "localhost" && (options.port == 0 || options.port == kMysqlPort)) return host;
  return format_host_port({host, options.port});
}

std::string without_label(const Error& error, const MysqlOptions& options) {
  const std::string label = server_label(options) + ": ";
  return error.text.starts_with(label) ? error.text.substr(label.size()) : error.text;
}

std::vector<std::string> option_notes(const MysqlOptions& options) {
  if (options.exposed_file.empty()) return {};
  return {fmt::format("WARN: {} is readable by every user (chmod 640)", options.exposed_file)};
}

MysqlOptions options_for(const NodeAddress& node, const MysqlOptions& common, double seconds) {
  MysqlOptions options = common;
  // To the client libraries "localhost" is a socket, whatever the port.
  options.host = node.host == "localhost" ? "127.0.0.1" : node.host;
  options.port = node.port;
  options.socket.clear();
  options.connect_timeout_s = std::max(1u, static_cast<unsigned>(seconds));
  return options;
}

}  // namespace ha
