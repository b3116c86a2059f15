// SPDX-License-Identifier: MIT
#include "common/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <strings.h>

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

std::set<std::string> resolve_host(const std::string& host) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::set<std::string> addresses;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) == 0)
      addresses.insert(text);
  }
  freeaddrinfo(found);
  return addresses;
}

bool same_host(const std::string& a, const std::string& b) {
  if (strcasecmp(a.c_str(), b.c_str()) == 0) return true;
  const std::set<std::string> of_a = resolve_host(a), of_b = resolve_host(b);
  for (const std::string& address : of_a)
    if (of_b.contains(address)) return true;
  return false;
}

}  // namespace ha
