// SPDX-License-Identifier: MIT
#include "common/vip/local_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netpacket/packet.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>

#include "common/files.h"
#include "common/text.h"

namespace ha {

namespace {

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words = split(line, ' ');
  std::erase(words, "");
  return words;
}

// The bytes of a numeric address, 4 or 16; none when it is not one.
std::string address_bytes(std::string_view text) {
  const std::string copy(text);
  char bytes[16];
  if (inet_pton(AF_INET, copy.c_str(), bytes) == 1) return {bytes, 4};
  if (inet_pton(AF_INET6, copy.c_str(), bytes) == 1) return {bytes, 16};
  return {};
}

std::string print_address(int family, const void* bytes) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(family, bytes, text, sizeof text);
  return text;
}

unsigned count_bits(const void* mask, std::size_t size) {
  unsigned count = 0;
  for (std::size_t i = 0; i < size; ++i)
    count += static_cast<unsigned>(std::popcount(static_cast<const unsigned char*>(mask)[i]));
  return count;
}

void add_entry(const ifaddrs& entry, Interfaces& interfaces) {
  // IPv4 entries carry their label, "eth0:1"; no interface has a colon in its name.
  const std::string name(entry.ifa_name, std::strcspn(entry.ifa_name, ":"));
  const sockaddr* const at = entry.ifa_addr;
  if (at == nullptr) return;
  if (at->sa_family == AF_PACKET) {
    const auto* link = reinterpret_cast<const sockaddr_ll*>(at);
    EthernetInterface ethernet{name, link->sll_ifindex};
    if (link->sll_hatype != ARPHRD_ETHER || link->sll_halen != ethernet.mac.size() ||
        (entry.ifa_flags & IFF_NOARP) != 0)
      return;
    std::copy_n(link->sll_addr, ethernet.mac.size(), ethernet.mac.begin());
    interfaces.ethernet.push_back(ethernet);
  } else if (at->sa_family == AF_INET && entry.ifa_netmask != nullptr) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(at);
    const auto* mask = reinterpret_cast<const sockaddr_in*>(entry.ifa_netmask);
    interfaces.addresses.push_back({name, print_address(AF_INET, &v4->sin_addr),
                                    count_bits(&mask->sin_addr, sizeof mask->sin_addr)});
  } else if (at->sa_family == AF_INET6 && entry.ifa_netmask != nullptr) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(at);
    const auto* mask = reinterpret_cast<const sockaddr_in6*>(entry.ifa_netmask);
    interfaces.addresses.push_back({name, print_address(AF_INET6, &v6->sin6_addr),
                                    count_bits(&mask->sin6_addr, sizeof mask->sin6_addr)});
  }
}

AddressState state_of(bool tentative, bool duplicate) {
  return duplicate   ? AddressState::kDuplicate
         : tentative ? AddressState::kTentative
                     : AddressState::kUsable;
}

// Adds what getifaddrs does not tell. Lines of /proc/net/if_inet6: address, index, prefix length,
// scope and flags in hexadecimal, name (net/ipv6/addrconf.c, if6_seq_show). Absent without IPv6.
void add_states(std::vector<LocalAddress>& addresses) {
  const auto table = read_file("/proc/net/if_inet6");
  if (!table) return;
  for (const std::string& line : split(*table, '\n')) {
    const std::vector<std::string> words = words_of(line);
    if (words.size() != 6) continue;
    const std::string &hex = words[0], &name = words[5];
    const unsigned long bits = std::strtoul(words[4].c_str(), nullptr, 16);
    std::string grouped;
    for (std::size_t i = 0; i < hex.size(); i += 4)
      grouped += (i == 0 ? "" : ":") + hex.substr(i, 4);
    for (LocalAddress& entry : addresses)
      if (entry.interface == name && address_bytes(entry.address) == address_bytes(grouped))
        entry.state = state_of((bits & IFA_F_TENTATIVE) != 0, (bits & IFA_F_DADFAILED) != 0);
  }
}

bool in_network(const std::string& bytes, const LocalAddress& network) {
  const std::string other = address_bytes(network.address);
  if (bytes.size() != other.size() || bytes == other) return false;
  for (unsigned bit = 0; bit < network.prefix; ++bit)
    if (((bytes[bit / 8] ^ other[bit / 8]) & (0x80 >> bit % 8)) != 0) return false;
  return true;
}

}  // namespace

Result<Interfaces> read_interfaces() {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0)
    return Error{Errc::kInternal,
                 fmt::format("cannot list the network interfaces: {}", std::strerror(errno))};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> list(first, freeifaddrs);
  Interfaces interfaces;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next)
    add_entry(*entry, interfaces);
  add_states(interfaces.addresses);
  return interfaces;
}

std::vector<LocalAddress> parse_ip_addresses(std::string_view text) {
  std::vector<LocalAddress> addresses;
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> words = words_of(line);  // index, name, family, address, ...
    if (words.size() < 4 || !words[2].starts_with("inet")) continue;
    const std::string& place = words[3];
    const std::size_t slash = place.find('/');
    const std::string bytes = address_bytes(place.substr(0, slash));
    const auto prefix = slash == place.npos ? std::optional<long long>(bytes.size() * 8)
                                            : parse_integer(place.substr(slash + 1));
    if (bytes.empty() || !prefix || *prefix < 0 ||
        *prefix > static_cast<long long>(bytes.size() * 8))
      continue;
    const auto has = [&](const char* flag) {
      return std::ranges::find(words, flag) != words.end();
    };
    addresses.push_back(
        {words[1], print_address(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data()),
         static_cast<unsigned>(*prefix), state_of(has("tentative"), has("dadfailed"))});
  }
  return addresses;
}

std::optional<LocalAddress> find_own(const Interfaces& ours, std::string_view address) {
  std::vector<LocalAddress> on_ethernet;
  std::ranges::copy_if(ours.addresses, std::back_inserter(on_ethernet), [&](const auto& entry) {
    return std::ranges::find(ours.ethernet, entry.interface, &EthernetInterface::name) !=
           ours.ethernet.end();
  });
  const auto found = find_address(on_ethernet, address);
  return found ? found : find_address(ours.addresses, address);
}

bool answers_for_others(const std::string& interface, std::string_view address) {
  if (address.find(':') != address.npos) return false;
  // The greater of the two counts (Documentation/networking/ip-sysctl.rst); 3 spares addresses of
  // the scope host alone, 0 none.
  long long ignore = 0;
  for (const std::string& name : {std::string("all"), interface}) {
    const auto text = read_file("/proc/sys/net/ipv4/conf/" + name + "/arp_ignore");
    if (text) ignore = std::max(ignore, parse_integer(trim(*text)).value_or(0));
  }
  return ignore == 0 || ignore == 3;
}

std::optional<std::string> find_network(const std::vector<LocalAddress>& addresses,
                                        std::string_view address) {
  const std::string bytes = address_bytes(address);
  const LocalAddress* best = nullptr;
  for (const LocalAddress& entry : addresses)
    if (in_network(bytes, entry) && (best == nullptr || entry.prefix > best->prefix)) best = &entry;
  return best == nullptr ? std::nullopt : std::optional(best->interface);
}

}  // namespace ha
