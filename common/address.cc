// SPDX-License-Identifier: MIT
#include "common/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "common/text.h"

namespace ha {

namespace {

// True for an IPv6 address, with or without the zone of RFC 4007 ("fe80::1%eth0").
bool is_ipv6(std::string_view text) {
  in6_addr address = {};
  return inet_pton(AF_INET6, std::string(text.substr(0, text.find('%'))).c_str(), &address) == 1;
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text) {
  const Error malformed{Errc::kUsage, fmt::format("'{}' is not HOST[:PORT] (an IPv6 address with a "
                                                  "port stands in brackets)",
                                                  sanitize(text))};
  std::string_view host = text, port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return malformed;
    host = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest[0] != ':') return malformed;
    has_port = !rest.empty();
    port = rest.substr(has_port ? 1 : 0);
  } else if (const std::size_t colon = text.find(':');
             colon != text.npos && colon == text.rfind(':')) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  if (host.empty() || host.find_first_of(" \t\r\n/[]") != host.npos) return malformed;
  if (host.find(':') != host.npos && !is_ipv6(host)) return malformed;
  HostPort address{std::string(host)};
  if (has_port) {
    const auto number = parse_integer(port);
    if (!number || *number < 1 || *number > 65535) return malformed;
    address.port = static_cast<unsigned>(*number);
  }
  return address;
}

std::string format_host_port(const HostPort& address) {
  const std::string host =
      address.host.find(':') == address.host.npos ? address.host : "[" + address.host + "]";
  return address.port == 0 ? host : fmt::format("{}:{}", host, address.port);
}

bool is_numeric_address(const std::string& host) {
  in_addr address = {};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 || is_ipv6(host);
}

}  // namespace ha
