// SPDX-License-Identifier: MIT
// The option files of MySQL's and MariaDB's clients: what they say of a server's place, the account
// and TLS.

#pragma once

#include <map>
#include <string>

#include "common/mysql/options.h"
#include "common/result.h"

namespace ha {

// What a defaults file says of the server's place, account and TLS; all else in it is passed over.
struct DefaultsFile {
  MysqlOptions options = {};
  bool tcp = false;  // protocol=tcp
  bool world_readable = false;
};

// Reads defaults files, each only once for a run: one that is a pipe, as of a shell's <(command),
// is empty the second time, and what it says of TLS would be lost.
class DefaultsFiles {
 public:
  // As read_defaults_file().
  Result<DefaultsFile> read(const std::string& path, const std::string& group);

 private:
  std::map<std::string, std::string> contents_;
};

// Reads a defaults file: the groups [client], [client-server], [client-mariadb] and `group`, and
// what it includes. The client libraries do not read it: each knows other TLS settings and passes
// over those of the other. Settings may be written as both flavours' own clients take them ("_" for
// "-", "loose-", "skip-"). Fails with kUsage and the line's number, also for a TLS setting that
// cannot be honoured.
Result<DefaultsFile> read_defaults_file(const std::string& path, const std::string& group);

// Returns the options with what the defaults file says and they do not, and names that file no
// more. A TLS mode of the file's makes those of -l and -C stricter, never laxer; --ssl-mode wins.
// Fails as read_defaults_file().
Result<MysqlOptions> with_defaults_file(MysqlOptions options, DefaultsFiles& files);

}  // namespace ha
