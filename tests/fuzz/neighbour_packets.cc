// SPDX-License-Identifier: MIT
// Packets from the network that claim an address.

#include "common/vip/neighbour_packets.h"

#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  const Mac from = {2, 0, 0, 0, 0, 1};
  for (const char* address : {"10.0.0.1", "fd00::1"})
    if (const auto mac = claimed_by(address, text, from)) format_mac(*mac);
}
