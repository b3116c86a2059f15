// SPDX-License-Identifier: MIT
// What a server's error says of the row that was to be written. Source: mysqld_error.h. Pure.

#pragma once

#include "common/result.h"

namespace ha {

inline bool is_key_taken(const Error& error) {
  return error.server_errno == 1062 || error.server_errno == 1586;
}
inline bool is_parent_missing(const Error& error) {
  return error.server_errno == 1452 || error.server_errno == 1216;
}
// A row that the server does not take as it is: CHECK (MySQL, MariaDB), no partition, SIGNAL.
inline bool is_row_refused(const Error& error) {
  return error.server_errno == 3819 || error.server_errno == 4025 || error.server_errno == 1526 ||
         error.server_errno == 1644;
}
// A row that others refer to.
inline bool is_parent(const Error& error) {
  return error.server_errno == 1451 || error.server_errno == 1217;
}
// What concerns one row, and leaves the transaction as it was.
inline bool is_of_row(const Error& error) {
  return is_key_taken(error) || is_parent_missing(error) || is_row_refused(error);
}
// A deadlock, a lock that another client has, or rows that have changed between two statements.
inline bool is_passing(const Error& error) {
  return error.server_errno == 1213 || error.server_errno == 1205 || error.code == Errc::kChanged;
}

}  // namespace ha
