// SPDX-License-Identifier: MIT
// The start of the MySQL client library, without what hardly any run needs of it.

#pragma once

namespace ha {

// Starts the client library, once; returns false when it does not start. Any thread may call this
// before its first mysql_init(), which alone would not be safe for the first of several.
bool start_client_library();

}  // namespace ha
