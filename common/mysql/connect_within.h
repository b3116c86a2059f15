// SPDX-License-Identifier: MIT
// The login of a check that asks one server, whose name may have several addresses.

#pragma once

#include <memory>

#include "common/deadline.h"
#include "common/mysql/session.h"

namespace ha {

// As connect(), for a run that ends at the deadline. The client library waits at an address that
// does not answer for as long as the system does, and the bound that it can be given holds for the
// server's greeting, too, which may well take its time. So when a quarter of the time is over, a
// second login is tried beside the first, with an equal share of the rest for each address;
// whichever is in first counts. The other's thread is left behind, as by run_each(). Blocks, too,
// as connect().
Result<std::unique_ptr<SqlSession>> connect_within(const MysqlOptions& options,
                                                   const Deadline& deadline);

}  // namespace ha
