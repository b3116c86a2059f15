// SPDX-License-Identifier: MIT
// A user and a password that stand in a file, because every user can read a command line.

#pragma once

#include <string>
#include <string_view>

#include "common/result.h"

namespace ha {

struct Credentials {
  std::string username;
  std::string password;
};

// The certificate that proves our identity, instead of a password, and its key: files. Empty: none.
struct ClientCertificate {
  std::string certificate = {}, key = {};
};

// Parses the lines `username=...` and `password=...`; a value is everything up to the end of its
// line, blanks included. Empty lines and those that start with '#' are passed over. Fails with the
// number of the line that is wrong, never with its text; `name` stands for the file.
Result<Credentials> parse_credentials(std::string_view text, const std::string& name);

// Reads such a file.
Result<Credentials> read_credentials(const std::string& path);

}  // namespace ha
