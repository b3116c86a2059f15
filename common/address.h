// SPDX-License-Identifier: MIT
// Host and port as people write them. Pure; resolve.h asks the resolver.

#pragma once

#include <string>
#include <string_view>

#include "common/result.h"

namespace ha {

struct HostPort {
  std::string host;   // without brackets
  unsigned port = 0;  // 0: not given

  bool operator==(const HostPort&) const = default;
};

// Parses HOST, HOST:PORT, [IPV6], [IPV6]:PORT or a bare IPv6 address; fails with what is accepted.
Result<HostPort> parse_host_port(std::string_view text);

// Prints it back, IPv6 in brackets, the port unless 0.
std::string format_host_port(const HostPort& address);

// True for an address that needs no resolver, IPv6 with or without a zone ("fe80::1%eth0").
bool is_numeric_address(const std::string& host);

}  // namespace ha
