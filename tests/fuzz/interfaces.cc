// SPDX-License-Identifier: MIT
// What `ip -o addr show` of another machine prints.

#include "common/vip/local_address.h"
#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  const auto addresses = parse_ip_addresses(text);
  for (const LocalAddress& one : addresses) {
    require(find_address(addresses, one.address).has_value());
    find_network(addresses, one.address);
  }
  find_network(addresses, "10.0.0.1");
  find_network(addresses, "fd00::1");
}
