// SPDX-License-Identifier: MIT
// The locks by name that managers, on whatever machine, take on the servers themselves (GET_LOCK).
// A lock ends with its session.

#pragma once

#include <string>
#include <string_view>

#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// On a server that is copied to, whatever the cluster is called there: the first from beginning to
// end, but for restarts, the second while a statement replaces data.
inline constexpr char kCopyLock[] = "monitoring-plugins-ha:copy";
inline constexpr char kCopyWorkLock[] = "monitoring-plugins-ha:copy:work";
// On the server that rows are merged into.
inline constexpr char kMergeLock[] = "monitoring-plugins-ha:merge";
// On the primary, while a server is copied to.
std::string copy_guard_lock(unsigned long long server_id);

// Takes a lock; false: another connection has held it for `patience_s` seconds.
Result<bool> take_node_lock(SqlSession& session, const std::string& name, int patience_s);

// Releases a lock of this session.
Result<Done> release_node_lock(SqlSession& session, const std::string& name);

// Returns the connection that holds a lock; empty: it is free.
Result<std::string> node_lock_holder(SqlSession& session, const std::string& name);

// Returns a column of the process list for a connection. Sessions of our own account are shown
// without a privilege. Fails with kBadData when the connection has ended.
Result<std::string> read_connection(SqlSession& session, std::string_view column,
                                    const std::string& connection);

// True when this session has a lock.
Result<bool> has_node_lock(SqlSession& session, const std::string& name);

}  // namespace ha
