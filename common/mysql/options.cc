// SPDX-License-Identifier: MIT
#include "common/mysql/options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <tuple>

#include "common/address.h"
#include "common/mysql/defaults_file.h"
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

namespace {

void add_tls_options(Cli& cli, MysqlOptions& options) {
  cli.flag("-l,--ssl", options.tls, "require TLS");
  cli.text("-C,--ca-cert", "PATH", options.ca, "CA certificates that sign the server's");
  cli.text("-D,--ca-dir", "PATH", options.ca_directory, "directory of CA certificates");
  cli.text("-a,--cert", "PATH", options.certificate, "our client certificate");
  cli.text("-k,--key", "PATH", options.key, "its private key");
  cli.text("-L,--ciphers", "LIST", options.ciphers, "TLS ciphers to offer");
  cli.option(
      "--ssl-mode", "MODE",
      [&options](const std::string& value) -> Result<Done> {
        options.tls_mode = parse_tls_mode(value);
        if (options.tls_mode) return Done{};
        return Error{Errc::kUsage, fmt::format("'{}' is not one of: disabled, preferred, required, "
                                               "verify-ca, verify-identity",
                                               value)};
      },
      "disabled, preferred (default), required, verify-ca or verify-identity");
  cli.flag("--enable-cleartext-plugin", options.clear_text,
           "send the password as it is where asked to (PAM, LDAP): verified TLS or a socket only");
}

}  // namespace

void add_mysql_options(Cli& cli, MysqlOptions& options) {
  cli.option(
      "-H,--hostname", "HOST",
      [&options](const std::string& value) -> Result<Done> {
        const auto host = parse_host(value);
        if (!host) return host.error();
        options.host = *host;
        return Done{};
      },
      "server; an absolute path is a socket");
  cli.port("-P,--port", options.port, "TCP port (default: 3306)");
  cli.text("-s,--socket", "PATH", options.socket, "Unix socket, used without a host");
  cli.text("-u,--username", "USER", options.user, "account to log in with");
  cli.option(
      "-p,--password", "PASSWORD",
      [&options](const std::string& value) -> Result<Done> {
        options.password = value;
        return Done{};
      },
      "its password, wiped from the process list; a defaults file is better");
  cli.text("-f,--defaults-file", "PATH", options.defaults_file, "MySQL option file to read");
  cli.text("-g,--group", "NAME", options.defaults_group, "its group (default: client)");
  add_tls_options(cli, options);
}

TlsMode effective_tls_mode(const MysqlOptions& options) {
  if (options.tls_mode) return *options.tls_mode;
  if (!options.ca.empty() || !options.ca_directory.empty()) return TlsMode::kVerifyCa;
  if (options.tls || !options.certificate.empty()) return TlsMode::kRequired;
  return TlsMode::kPreferred;
}

Result<Done> complete_login(MysqlOptions& options, DefaultsFiles& files) {
  auto whole = with_defaults_file(options, files);
  if (!whole) return whole.error();
  const std::tuple<const char*, const char*, std::string MysqlOptions::*> named[] = {
      {"--ca-cert", "ssl-ca", &MysqlOptions::ca},
      {"--ca-dir", "ssl-capath", &MysqlOptions::ca_directory},
      {"--cert", "ssl-cert", &MysqlOptions::certificate},
      {"--key", "ssl-key", &MysqlOptions::key},
      {"", "ssl-crl", &MysqlOptions::crl},
      {"", "ssl-crlpath", &MysqlOptions::crl_directory}};
  for (const auto& [option, name, member] : named) {
    const std::string& path = *whole.*member;
    if (path.empty() || access(path.c_str(), R_OK) == 0) continue;
    const std::string said = (options.*member).empty() ? fmt::format("--defaults-file: {} {}",
                                                                     options.defaults_file, name)
                                                       : option;
    return Error{Errc::kUsage,
                 fmt::format("{}: cannot read {}: {}", said, sanitize(path), std::strerror(errno))};
  }
  options = std::move(*whole);
  return Done{};
}

Result<Done> complete_login(MysqlOptions& options) {
  DefaultsFiles files;
  return complete_login(options, files);
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
