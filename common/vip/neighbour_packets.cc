// SPDX-License-Identifier: MIT
#include "common/vip/neighbour_packets.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_ether.h>

#include <algorithm>

namespace ha {

namespace {

constexpr Mac kBroadcast = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
constexpr std::size_t kArpSize = 28, kIpv6Header = 40, kNeighbourMessage = 24;
constexpr unsigned char kIcmpv6 = 58, kSolicitation = 135, kAdvertisement = 136;
constexpr unsigned char kSourceOption = 1, kTargetOption = 2;

std::string bytes_of(const Mac& mac) { return {mac.begin(), mac.end()}; }

std::string ipv4(std::string_view address) {
  char bytes[4] = {};
  inet_pton(AF_INET, std::string(address).c_str(), bytes);
  return {bytes, sizeof bytes};
}

std::string ipv6(std::string_view address) {
  char bytes[16] = {};
  inet_pton(AF_INET6, std::string(address).c_str(), bytes);
  return {bytes, sizeof bytes};
}

bool is_ipv6(std::string_view address) { return address.find(':') != address.npos; }

// A request of ARP for Ethernet and IPv4. An announcement is a request too (RFC 5227, 3).
std::string arp_request(const Mac& sender, const std::string& sender_ip, const std::string& ip) {
  return std::string("\0\1\x08\0\6\4\0\1", 8) + bytes_of(sender) + sender_ip +
         std::string(6, '\0') + ip;
}

// The checksum of an ICMPv6 message (RFC 4443, 2.3).
std::string checksum(const std::string& source, const std::string& destination,
                     const std::string& message) {
  const std::string summed = source + destination +
                             std::string({0, 0, 0, static_cast<char>(message.size()), 0, 0, 0}) +
                             static_cast<char>(kIcmpv6) + message;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < summed.size(); ++i) {
    const auto byte = static_cast<unsigned char>(summed[i]);
    sum += i % 2 == 0 ? byte * 256u : byte;
  }
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  sum = ~sum;
  return {static_cast<char>(sum >> 8 & 0xFF), static_cast<char>(sum & 0xFF)};
}

// A message of neighbour discovery with one option that holds `own`; hop limit 255 proves to its
// receivers that no router has passed it on.
NeighbourPacket neighbour_message(unsigned char type, const std::string& flags,
                                  const std::string& target, unsigned char option, const Mac& own,
                                  const std::string& source, const std::string& destination) {
  const std::string head = {static_cast<char>(type), 0};
  const std::string rest =
      flags + target + std::string({static_cast<char>(option), 1}) + bytes_of(own);
  const std::string sum = checksum(source, destination, head + std::string(2, '\0') + rest);
  const std::string message = head + sum + rest;
  NeighbourPacket packet{ETH_P_IPV6, {0x33, 0x33}};
  std::copy_n(destination.end() - 4, 4, packet.to.begin() + 2);
  packet.bytes = std::string({0x60, 0, 0, 0, 0, static_cast<char>(message.size()),
                              static_cast<char>(kIcmpv6), static_cast<char>(255)}) +
                 source + destination + message;
  return packet;
}

std::optional<Mac> read_mac(std::string_view bytes) {
  Mac mac = {};
  std::copy_n(bytes.begin(), mac.size(), mac.begin());
  return mac == Mac{} ? std::nullopt : std::optional(mac);
}

// Any packet whose sender is the address claims it, a request as much as a reply (RFC 5227, 2.1.1).
std::optional<Mac> arp_claim(std::string_view address, std::string_view bytes) {
  constexpr std::size_t kSender = 8, kSenderIp = 14;
  if (bytes.size() < kArpSize || !bytes.starts_with(std::string_view("\0\1\x08\0\6\4\0", 7)) ||
      bytes.substr(kSenderIp, 4) != ipv4(address))
    return std::nullopt;
  return read_mac(bytes.substr(kSender));
}

std::optional<Mac> neighbour_claim(std::string_view address, std::string_view bytes,
                                   const Mac& from) {
  constexpr std::size_t kNextHeader = 6, kHopLimit = 7, kTarget = kIpv6Header + 8;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < kIpv6Header + kNeighbourMessage || byte(kNextHeader) != kIcmpv6 ||
      byte(kHopLimit) != 255 || byte(kIpv6Header) != kAdvertisement || byte(kIpv6Header + 1) != 0 ||
      bytes.substr(kTarget, 16) != ipv6(address))
    return std::nullopt;
  for (std::size_t at = kIpv6Header + kNeighbourMessage; at + 8 <= bytes.size();) {
    if (byte(at) == kTargetOption && byte(at + 1) == 1) return read_mac(bytes.substr(at + 2));
    if (byte(at + 1) == 0) return std::nullopt;
    at += byte(at + 1) * std::size_t{8};
  }
  return from;
}

}  // namespace

NeighbourPacket ask_packet(std::string_view address, const Mac& own,
                           std::string_view own_link_local) {
  if (!is_ipv6(address))
    return {ETH_P_ARP, kBroadcast, arp_request(own, std::string(4, '\0'), ipv4(address))};
  const std::string target = ipv6(address);
  // The solicited-node address (RFC 4291, 2.7.1).
  const std::string group = ipv6("ff02::1:ff00:0").substr(0, 13) + target.substr(13);
  return neighbour_message(kSolicitation, std::string(4, '\0'), target, kSourceOption, own,
                           ipv6(own_link_local), group);
}

NeighbourPacket announce_packet(std::string_view address, const Mac& own) {
  if (!is_ipv6(address))
    return {ETH_P_ARP, kBroadcast, arp_request(own, ipv4(address), ipv4(address))};
  const std::string override_flag("\x20\0\0\0", 4), target = ipv6(address);
  return neighbour_message(kAdvertisement, override_flag, target, kTargetOption, own, target,
                           ipv6("ff02::1"));
}

std::optional<Mac> claimed_by(std::string_view address, std::string_view bytes, const Mac& from) {
  return is_ipv6(address) ? neighbour_claim(address, bytes, from) : arp_claim(address, bytes);
}

std::string format_mac(const Mac& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3],
                     mac[4], mac[5]);
}

}  // namespace ha
