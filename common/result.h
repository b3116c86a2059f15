// SPDX-License-Identifier: MIT
// The outcome of anything that can fail: a value or an Error, never an exception. The caller must
// look, because what is an error here is a CRITICAL in one check and an UNKNOWN in another.

#pragma once

#include <string>
#include <utility>
#include <variant>

namespace ha {

// What kind of failure, as far as a caller decides by it.
enum class Errc {
  kUsage,         // what the operator wrote is wrong: option, config file, defaults file
  kUnreachable,   // no connection, lost connection, no answer, TLS refused
  kTimedOut,      // it had not answered when the budget ended
  kRefused,       // the server is alive and says no: too many connections, host blocked
  kAccessDenied,  // wrong user, password or host
  kPrivilege,     // logged in, but not allowed to do this
  kMissing,       // the table, database or file does not exist
  kChanged,       // what was decided on does not hold any more
  kBadData,       // an answer was read but not understood
  kInternal,      // a local system call or library failed
};

struct Error {
  Errc code = Errc::kInternal;
  std::string text;           // one sentence without a final stop
  unsigned server_errno = 0;  // the MySQL error number, 0 where there is none
};

// Has the member names of std::expected (C++23), so that it can be replaced by it.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : outcome_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : outcome_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool has_value() const { return outcome_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // Precondition: has_value().
  T& operator*() { return std::get<0>(outcome_); }
  const T& operator*() const { return std::get<0>(outcome_); }
  T* operator->() { return &std::get<0>(outcome_); }
  const T* operator->() const { return &std::get<0>(outcome_); }

  // Precondition: !has_value().
  const Error& error() const { return std::get<1>(outcome_); }

 private:
  std::variant<T, Error> outcome_;
};

// The value of functions that only succeed or fail.
struct Done {};

}  // namespace ha
