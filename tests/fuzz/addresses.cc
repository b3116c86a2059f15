// SPDX-License-Identifier: MIT
// Addresses of servers and nodes: what is accepted can be printed and read again.

#include "common/address.h"
#include "common/cluster/node_options.h"
#include "common/mount/share_spec.h"
#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  (void)parse_node(text).has_value();
  const auto address = parse_host_port(text);
  if (!address) return;
  const auto again = parse_host_port(format_host_port(*address));
  require(again && again->host == address->host && again->port == address->port);
}
