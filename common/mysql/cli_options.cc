// SPDX-License-Identifier: MIT
#include "common/mysql/cli_options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <tuple>
#include <utility>

#include "common/mysql/defaults_file.h"
#include "common/text.h"

namespace ha {

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

void add_write_probe_option(Cli& cli, WriteProbe& probe) {
  cli.option(
      "--write-probe", "DB.TABLE",
      [&](const std::string& value) -> Result<Done> {
        if (value.empty() || value.find('.') == value.npos || value.starts_with('.') ||
            value.ends_with('.'))
          return Error{Errc::kUsage,
                       fmt::format("'{}' is not a table (accepted: DB.TABLE)", value)};
        probe.table = value;
        return Done{};
      },
      "prove that the writer takes writes: update its own row of this table once, which has the "
      "columns ts and server_id and serves nothing else (default: nothing is written)");
}

}  // namespace ha
