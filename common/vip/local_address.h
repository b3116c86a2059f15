// SPDX-License-Identifier: MIT
// The addresses of a machine: of ours as the kernel tells them, of another as its `ip` prints them.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace ha {

// IPv6 only: whether another machine has it is being asked, or was found (RFC 4862, 5.4). Neither
// is in use.
enum class AddressState { kUsable, kTentative, kDuplicate };

struct LocalAddress {
  std::string interface;  // without a label
  std::string address;    // numeric
  unsigned prefix = 0;
  AddressState state = AddressState::kUsable;
};

using Mac = std::array<std::uint8_t, 6>;

// An interface with Ethernet addresses whose neighbours ask for each other's (not one of dummies).
struct EthernetInterface {
  std::string name;
  int index = 0;
  Mac mac = {};
};

struct Interfaces {
  std::vector<LocalAddress> addresses = {};
  std::vector<EthernetInterface> ethernet = {};
};

// Reads ours, in our network namespace.
Result<Interfaces> read_interfaces();

// Reads what `ip -o addr show` prints; lines of another form are passed over.
std::vector<LocalAddress> parse_ip_addresses(std::string_view text);

// Returns the entry of an address, a usable one where there are several.
inline std::optional<LocalAddress> find_address(const std::vector<LocalAddress>& addresses,
                                                std::string_view address) {
  std::optional<LocalAddress> found;
  for (const LocalAddress& entry : addresses)
    if (entry.address == address && (!found || found->state != AddressState::kUsable))
      found = entry;
  return found;
}

// Returns how we have an address: on an Ethernet interface if it is on one, else on lo, a tunnel or
// a dummy.
std::optional<LocalAddress> find_own(const Interfaces& ours, std::string_view address);

// True when our kernel answers a neighbour that asks on `interface` for an address that we have on
// another one: IPv4 without arp_ignore.
bool answers_for_others(const std::string& interface, std::string_view address);

// Returns the name of the interface in whose network an address is, that with the longest prefix;
// an entry of the address itself is no network. nullopt when there is none.
std::optional<std::string> find_network(const std::vector<LocalAddress>& addresses,
                                        std::string_view address);

}  // namespace ha
