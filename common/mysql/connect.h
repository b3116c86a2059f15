// SPDX-License-Identifier: MIT
// Logs in to a server. The files of this folder that include mysql.h are the only ones that know
// the client library, and use the calls that Oracle's libmysqlclient and MariaDB Connector/C share;
// everything above works on sessions.

#pragma once

#include <memory>

#include "common/mysql/options.h"
#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// Connects and logs in, by complete options (complete_login() of
// common/mysql/cli_options.h). Fails with kUnreachable, kRefused,
// kAccessDenied or kUsage (the host). Blocks as long as the network does: the caller's hard stop
// bounds it.
Result<std::unique_ptr<SqlSession>> connect(const MysqlOptions& options);

}  // namespace ha
