// SPDX-License-Identifier: MIT
// What a failed call of the client library means: whether the server, the account or this machine
// is at fault, in one sentence that names the server.

#pragma once

#include <optional>
#include <string>

#include "common/address.h"
#include "common/mysql/login_plugins.h"
#include "common/result.h"

namespace ha {

// The server of a session.
struct Peer {
  std::string label;                   // its name in messages
  std::optional<HostPort> place = {};  // what is connected to by TCP; nullopt: a Unix socket
};

// What the client library reports of a call.
struct LibraryFailure {
  unsigned number = 0;         // mysql_errno()
  std::string text = {};       // mysql_error(), which a server may have written
  std::string statement = {};  // SQL; empty: the login
  bool speaks_mysql = true;    // the greeting was that of a MySQL server of 4.1 or later
};

// Returns the error of a call: kUnreachable, kRefused, kAccessDenied, kPrivilege, kMissing,
// kBadData, or kInternal for a want of this machine's. Blocks as is_cut_off() where no connection
// was made.
Error describe_failure(const Peer& peer, LibraryFailure failure);

// Returns the error of a login that we gave up to protect the password; never for
// LoginRefusal::kNone.
Error describe_refusal(const std::string& label, LoginRefusal refusal);

// Names a statement in an error: its beginning, up to the first value, which may be a secret.
std::string name_statement(const std::string& sql);

}  // namespace ha
