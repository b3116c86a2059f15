// SPDX-License-Identifier: MIT
// Gives our options to the client library. For session.cc only.

#pragma once

#include <mysql.h>

#include "common/mysql/options.h"
#include "common/result.h"

namespace ha {

// Fails with kUsage for a host that the library would take for a connection string with options,
// several hosts or names of plugins.
Result<Done> check_host(std::string_view host);

// Sets everything but the place and the account: TLS, timeouts, the largest packet, and the ways to
// log in that are allowed.
void set_login_options(MYSQL* mysql, const MysqlOptions& options);

// True when the library, by these options, lets any certificate pass.
bool verifies_nothing(MYSQL* mysql);

}  // namespace ha
