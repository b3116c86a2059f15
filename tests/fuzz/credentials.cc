// SPDX-License-Identifier: MIT
// The file of a user and a password. No error quotes it.

#include "common/http/credentials.h"

#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) { (void)parse_credentials(text, "file").has_value(); }
