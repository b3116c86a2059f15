// SPDX-License-Identifier: MIT
// The packets by which machines in one network ask and tell which one has an address: ARP (RFC 826,
// RFC 5227) and neighbour discovery (RFC 4861). Pure: bytes in, bytes out, without the Ethernet
// header.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/vip/local_address.h"

namespace ha {

struct NeighbourPacket {
  std::uint16_t protocol = 0;  // ETH_P_ARP or ETH_P_IPV6
  Mac to = {};
  std::string bytes = {};
};

// Asks who has `address`, without telling any machine that we have it. IPv4: an ARP probe. IPv6: a
// solicitation from our link-local address, because one without a sender would make a machine that
// is just taking the address give it up; unused for IPv4.
NeighbourPacket ask_packet(std::string_view address, const Mac& own,
                           std::string_view own_link_local);

// Tells everybody that `address` is at `own`: an ARP announcement, or an unsolicited neighbour
// advertisement that overrides what they know.
NeighbourPacket announce_packet(std::string_view address, const Mac& own);

// Returns the machine that claims by this packet to have `address`; nullopt when it says nothing of
// the kind. `from` is its sender's hardware address, which counts where an advertisement tells
// none.
std::optional<Mac> claimed_by(std::string_view address, std::string_view bytes, const Mac& from);

// Prints "02:00:5e:10:00:01".
std::string format_mac(const Mac& mac);

}  // namespace ha
