// SPDX-License-Identifier: MIT
// How to reach and log in to a MySQL or MariaDB server.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mysql/node_address.h"
#include "common/mysql/tls_mode.h"
#include "common/result.h"

namespace ha {

inline constexpr unsigned kMysqlPort = 3306;

struct MysqlOptions {
  std::string host = {};  // an absolute path is a socket
  unsigned port = 0;      // 0: the client library's default
  std::string socket = {};
  std::string user = {};
  std::optional<std::string> password = {};
  std::string defaults_file =
      {};  // one that is still to be read, by complete_login() of cli_options.h
  std::string defaults_group = "client";
  std::string exposed_file = {};         // one that was read, if every user may read it
  std::optional<TlsMode> tls_mode = {};  // unset: as the other TLS options and the file say
  bool tls = false;                      // -l
  bool clear_text = false;               // give the password to a server that wants it as it is
  std::string ca = {}, ca_directory = {}, certificate = {}, key = {}, ciphers = {};
  std::string crl = {}, crl_directory = {}, tls_versions = {};  // only a defaults file says these
  unsigned connect_timeout_s = 0;  // set by programs that continue without an answer; 0: none
  unsigned answer_timeout_s = 0;   // likewise, for the answer to a statement
};

// Returns the TLS mode that the options amount to: what --ssl-mode says, else verify-identity is
// never implied: a CA asks for verify-ca, -l or a certificate for required, nothing for preferred.
TlsMode effective_tls_mode(const MysqlOptions& options);

// Parses the words of --ssl-mode; nullopt for another.
std::optional<TlsMode> parse_tls_mode(std::string_view word);

// Takes the brackets off an IPv6 address, as --node has them. Fails with kUsage.
Result<std::string> parse_host(const std::string& text);

// Returns the connection options for one node of a cluster, whose attempt to connect gives up after
// `seconds`.
MysqlOptions options_for(const NodeAddress& node, const MysqlOptions& common, double seconds);

// True when the server is reached by TCP: by a host that is another than localhost, or by a port
// that was given. To the client libraries "localhost" is a socket, whatever the port.
bool by_tcp(const MysqlOptions& options);

// Returns how messages name the server: "db2", "db2:3307", "[::1]:3307", "/run/mysqld/mysqld.sock".
std::string server_label(const MysqlOptions& options);

// Returns an error's text without that label, for messages that name the server.
std::string without_label(const Error& error, const MysqlOptions& options);

// Returns a warning for -v about the defaults file, if there is one to give.
std::vector<std::string> option_notes(const MysqlOptions& options);

}  // namespace ha
