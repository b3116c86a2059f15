// SPDX-License-Identifier: MIT
#include "common/mysql/options.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/address.h"
#include "common/files.h"
#include "common/text.h"

namespace ha {

void add_mysql_options(Cli& cli, MysqlOptions& options) {
  cli.text("-H,--hostname", "HOST", options.host, "server; an absolute path is a socket");
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
  cli.flag("-l,--ssl", options.tls, "require TLS");
  cli.text("-C,--ca-cert", "PATH", options.ca, "CA certificates that sign the server's");
  cli.text("-D,--ca-dir", "PATH", options.ca_directory, "directory of CA certificates");
  cli.text("-a,--cert", "PATH", options.certificate, "our client certificate");
  cli.text("-k,--key", "PATH", options.key, "its private key");
  cli.text("-L,--ciphers", "LIST", options.ciphers, "TLS ciphers to offer");
  cli.option(
      "--ssl-mode", "MODE",
      [&options](const std::string& value) -> Result<Done> {
        const std::pair<const char*, TlsMode> modes[] = {
            {"disabled", TlsMode::kDisabled},
            {"preferred", TlsMode::kPreferred},
            {"required", TlsMode::kRequired},
            {"verify-ca", TlsMode::kVerifyCa},
            {"verify-identity", TlsMode::kVerifyIdentity}};
        for (const auto& [word, mode] : modes) {
          if (value != word) continue;
          options.tls_mode = mode;
          return Done{};
        }
        return Error{Errc::kUsage, fmt::format("'{}' is not one of: disabled, preferred, required, "
                                               "verify-ca, verify-identity",
                                               value)};
      },
      "disabled, preferred (default), required, verify-ca or verify-identity");
  cli.flag("--enable-cleartext-plugin", options.clear_text,
           "send the password as it is where asked to (PAM, LDAP): verified TLS or a socket only");
}

TlsMode effective_tls_mode(const MysqlOptions& options) {
  if (options.tls_mode) return *options.tls_mode;
  if (!options.ca.empty() || !options.ca_directory.empty()) return TlsMode::kVerifyCa;
  if (options.tls || !options.certificate.empty()) return TlsMode::kRequired;
  return TlsMode::kPreferred;
}

Result<DefaultsFile> check_defaults_file(const std::string& path, const std::string& group) {
  const auto content = read_file(path);
  if (!content) return Error{Errc::kUsage, "--defaults-file: " + content.error().text};
  DefaultsFile file;
  struct stat info = {};
  file.world_readable = stat(path.c_str(), &info) == 0 && (info.st_mode & S_IROTH) != 0;

  bool in_section = false, in_group = false;
  int number = 0;
  for (const std::string& raw : split(*content, '\n')) {
    ++number;
    const std::string_view line = trim(raw);
    const auto bad = [&](std::string_view what) {
      return Error{Errc::kUsage,
                   fmt::format("--defaults-file: {} line {}: {}", path, number, what)};
    };
    // !include and !includedir are the client library's business.
    if (line.empty() || line[0] == '#' || line[0] == ';' || line[0] == '!') continue;
    if (line[0] == '[') {
      const std::size_t end = line.find(']');
      if (end == line.npos) return bad("a group must end with ']'");
      in_section = true;
      const std::string_view name = trim(line.substr(1, end - 1));
      in_group = name == "client" || name == group;  // the libraries read both
      continue;
    }
    if (!in_section) return bad("option before the first [group]");
    const std::size_t equals = line.find('=');
    const std::string key(trim(line.substr(0, equals)));
    if (key.empty() || key.find_first_of(" \t") != key.npos)
      return bad("expected option or option=value");
    if (!in_group || equals == line.npos) continue;
    std::string_view value = trim(line.substr(equals + 1));
    if (value.size() > 1 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0])
      value = value.substr(1, value.size() - 2);
    if (key == "host") file.host = value;
    if (key == "user") file.user = value;
    if (key == "password") file.password = std::string(value);
    if (key == "socket") file.socket = value;
    if (key == "ssl-ca" || key == "ssl_ca") file.ca = value;
    if (key == "port") file.port = static_cast<unsigned>(parse_integer(value).value_or(0));
  }
  return file;
}

Result<Done> check_option_files(const MysqlOptions& options) {
  if (!options.defaults_file.empty())
    if (const auto file = check_defaults_file(options.defaults_file, options.defaults_group); !file)
      return file.error();
  const std::pair<const char*, const std::string&> files[] = {{"--ca-cert", options.ca},
                                                              {"--ca-dir", options.ca_directory},
                                                              {"--cert", options.certificate},
                                                              {"--key", options.key}};
  for (const auto& [option, path] : files)
    if (!path.empty() && access(path.c_str(), R_OK) != 0)
      return Error{Errc::kUsage, fmt::format("{}: cannot read {}: {}", option, sanitize(path),
                                             std::strerror(errno))};
  return Done{};
}

std::string server_label(const MysqlOptions& options) {
  std::string host = options.host, socket = options.socket;
  unsigned port = options.port;
  if (!options.defaults_file.empty()) {
    if (const auto file = check_defaults_file(options.defaults_file, options.defaults_group)) {
      if (host.empty()) host = file->host;
      if (socket.empty()) socket = file->socket;
      if (port == 0) port = file->port;
    }
  }
  if (host.empty() || host == "localhost") {
    if (!socket.empty()) return socket;
    if (host.empty()) host = "localhost";
  }
  if (host.starts_with('/') || port == 0 || port == 3306) return host;
  return format_host_port({host, port});
}

std::vector<std::string> option_notes(const MysqlOptions& options) {
  if (options.defaults_file.empty()) return {};
  const auto file = check_defaults_file(options.defaults_file, options.defaults_group);
  if (!file || !file->world_readable) return {};
  return {fmt::format("WARN: {} is readable by every user (chmod 640)", options.defaults_file)};
}

}  // namespace ha
