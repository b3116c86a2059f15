// SPDX-License-Identifier: MIT
#include "common/resolve.h"

#include <netdb.h>
#include <strings.h>

namespace ha {

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
