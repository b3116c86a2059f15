// SPDX-License-Identifier: MIT
// How to reach and log in to a MySQL or MariaDB server: the options of check_mysql, by the same
// letters.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/cli.h"
#include "common/result.h"

namespace ha {

enum class TlsMode { kDisabled, kPreferred, kRequired, kVerifyCa, kVerifyIdentity };

struct MysqlOptions {
  std::string host = {};  // an absolute path is a socket
  unsigned port = 0;      // 0: the client library's default
  std::string socket = {};
  std::string user = {};
  std::optional<std::string> password = {};
  std::string defaults_file = {};
  std::string defaults_group = "client";
  std::optional<TlsMode> tls_mode = {};  // unset: as the other TLS options and the file say
  bool tls = false;                      // -l
  bool clear_text = false;               // give the password to a server that wants it as it is
  std::string ca = {}, ca_directory = {}, certificate = {}, key = {}, ciphers = {};
  unsigned connect_timeout_s = 0;  // set by programs that go on without an answer; 0: none
  unsigned answer_timeout_s = 0;   // likewise, for the answer to a statement
};

// Adds the connection options; call it after the Cli's construction. Targets must outlive parse().
void add_mysql_options(Cli& cli, MysqlOptions& options);

// Returns the TLS mode that the options amount to: what --ssl-mode says, else verify-identity is
// never implied: a CA asks for verify-ca, -l or a certificate for required, nothing for preferred.
TlsMode effective_tls_mode(const MysqlOptions& options);

// What a defaults file says of the server's place, account and CA, as far as we need it ourselves.
struct DefaultsFile {
  std::string host = {}, socket = {}, user = {}, ca = {};
  std::optional<std::string> password = {};
  unsigned port = 0;
  bool world_readable = false;
};

// Checks a defaults file before the client library reads it, which passes over a missing file and
// over broken lines. Fails with kUsage and the line's number.
Result<DefaultsFile> check_defaults_file(const std::string& path, const std::string& group);

// Checks that every file that the options name can be read, for the libraries notice it late or
// never. Fails with kUsage, the option and the file.
Result<Done> check_option_files(const MysqlOptions& options);

// Returns how messages name the server: "db2", "db2:3307", "[::1]:3307", "/run/mysqld/mysqld.sock".
std::string server_label(const MysqlOptions& options);

// Returns a warning for -v about the defaults file, if there is one to give.
std::vector<std::string> option_notes(const MysqlOptions& options);

}  // namespace ha
