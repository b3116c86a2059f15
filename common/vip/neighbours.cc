// SPDX-License-Identifier: MIT
#include "common/vip/neighbours.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <map>

#include "common/vip/local_address.h"
#include "common/vip/neighbour_packets.h"

namespace ha {

namespace {

constexpr int kRounds = 3;
constexpr double kAskRound_s = 0.2, kAnnounceRound_s = 0.1;
// More tell nothing new; a machine may flood us.
constexpr std::size_t kMostClaimants = 16;

// A packet socket on one interface; the kernel adds and removes the Ethernet header.
class Link {
 public:
  Link() : fd_(socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}
  ~Link() {
    if (fd_ >= 0) close(fd_);
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Listens to `protocol` from here on.
  Result<Done> open(int interface, std::uint16_t protocol) {
    if (fd_ < 0 && errno == EPERM)
      return Error{
          Errc::kPrivilege,
          "asking the network needs CAP_NET_RAW (as root, or after setcap cap_net_raw+ep on this "
          "program)"};
    if (fd_ < 0 || !filter(protocol)) return failure("open a packet socket");
    const sockaddr_ll here = address(interface, protocol, {});
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0)
      return failure("listen on the interface");
    return Done{};
  }

  Result<Done> send(int interface, const NeighbourPacket& packet) {
    const sockaddr_ll there = address(interface, packet.protocol, packet.to);
    if (sendto(fd_, packet.bytes.data(), packet.bytes.size(), 0,
               reinterpret_cast<const sockaddr*>(&there), sizeof there) < 0)
      return failure("send to the network");
    return Done{};
  }

  // Adds the machines that claim the address until the deadline.
  void collect(std::string_view vip, const Deadline& deadline, std::set<Mac>& claimants) {
    char buffer[2048];
    while (!deadline.passed()) {
      pollfd polled = {fd_, POLLIN, 0};
      poll(&polled, 1, static_cast<int>(std::ceil(deadline.remaining_s() * 1000)));
      sockaddr_ll sender = {};
      socklen_t size = sizeof sender;
      const ssize_t got = recvfrom(fd_, buffer, sizeof buffer, MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&sender), &size);
      if (got < 0) continue;
      Mac from = {};
      std::copy_n(sender.sll_addr, from.size(), from.begin());
      const auto mac = claimed_by(vip, {buffer, static_cast<std::size_t>(got)}, from);
      if (mac && claimants.size() < kMostClaimants) claimants.insert(*mac);
    }
  }

 private:
  // Of IPv6 only neighbour advertisements are let through: on a busy interface all of it would
  // overflow the buffer.
  bool filter(std::uint16_t protocol) const {
    sock_filter advertisements[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
                                    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
                                    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 40),
                                    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 136, 0, 1),
                                    BPF_STMT(BPF_RET | BPF_K, 0xFFFF),
                                    BPF_STMT(BPF_RET | BPF_K, 0)};
    const sock_fprog program = {std::size(advertisements), advertisements};
    return protocol != ETH_P_IPV6 ||
           setsockopt(fd_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
  }

  static sockaddr_ll address(int interface, std::uint16_t protocol, const Mac& mac) {
    sockaddr_ll link = {};
    link.sll_family = AF_PACKET;
    link.sll_protocol = htons(protocol);
    link.sll_ifindex = interface;
    link.sll_halen = static_cast<unsigned char>(mac.size());
    std::ranges::copy(mac, link.sll_addr);
    return link;
  }

  static Error failure(const char* what) {
    return {errno == EPERM ? Errc::kPrivilege : Errc::kInternal,
            fmt::format("cannot {}: {}", what, std::strerror(errno))};
  }

  int fd_;
};

std::string link_local_of(const Interfaces& interfaces, const std::string& name) {
  for (const LocalAddress& entry : interfaces.addresses)
    if (entry.interface == name && entry.address.starts_with("fe80:")) return entry.address;
  return {};
}

enum class Purpose { kAsk, kAnnounce };

// Sends the same packet in each round and listens in between.
Result<std::set<std::string>> talk(Purpose purpose, const std::string& interface,
                                   const std::string& vip, const Deadline& deadline) {
  const double round_s = purpose == Purpose::kAsk ? kAskRound_s : kAnnounceRound_s;
  if (deadline.remaining_s() < kRounds * round_s)
    return Error{Errc::kInternal, "no time is left to ask the network"};
  const auto ours = read_interfaces();
  if (!ours) return ours.error();
  const auto found = std::ranges::find(ours->ethernet, interface, &EthernetInterface::name);
  if (found == ours->ethernet.end())
    return Error{Errc::kUsage, fmt::format("there is no Ethernet interface {}", interface)};
  const std::string link_local = link_local_of(*ours, interface);
  const bool ipv6 = vip.find(':') != vip.npos;
  if (purpose == Purpose::kAsk && ipv6 && link_local.empty())
    return Error{Errc::kUsage,
                 fmt::format("{} has no link-local IPv6 address to ask from", interface)};

  const NeighbourPacket packet = purpose == Purpose::kAsk ? ask_packet(vip, found->mac, link_local)
                                                          : announce_packet(vip, found->mac);
  Link link;
  if (const auto opened = link.open(found->index, packet.protocol); !opened) return opened.error();
  std::set<Mac> claimants;
  for (int round = 0; round < kRounds; ++round) {
    if (const auto sent = link.send(found->index, packet); !sent) return sent.error();
    link.collect(vip, deadline.from_now(round_s), claimants);
  }
  // Another interface of ours in the same network answers as well.
  for (const EthernetInterface& own : ours->ethernet) claimants.erase(own.mac);
  std::set<std::string> printed;
  for (const Mac& mac : claimants) printed.insert(format_mac(mac));
  return printed;
}

// Calls visit(entry, attributes) for each neighbour of a family that the kernel lists
// (rtnetlink(7)).
template <class Visit>
void each_neighbour(unsigned char family, Visit visit) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return;
  struct {
    nlmsghdr header;
    ndmsg body;
  } request = {};
  request.header = {sizeof request, RTM_GETNEIGH, NLM_F_REQUEST | NLM_F_DUMP, 1, 0};
  request.body.ndm_family = family;
  alignas(nlmsghdr) char buffer[32768];
  bool more = send(fd, &request, sizeof request, 0) == static_cast<ssize_t>(sizeof request);
  while (more) {
    const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) break;
    auto size = static_cast<unsigned>(got);
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(message, size) && more;
         message = NLMSG_NEXT(message, size)) {
      more = message->nlmsg_type == RTM_NEWNEIGH;
      if (!more) break;
      const auto* entry = static_cast<const ndmsg*>(NLMSG_DATA(message));
      auto* attribute = reinterpret_cast<rtattr*>(static_cast<char*>(NLMSG_DATA(message)) +
                                                  NLMSG_ALIGN(sizeof *entry));
      auto left = static_cast<int>(NLMSG_PAYLOAD(message, sizeof *entry));
      std::map<int, std::string> attributes;
      for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
        attributes[attribute->rta_type] = {static_cast<const char*>(RTA_DATA(attribute)),
                                           RTA_PAYLOAD(attribute)};
      visit(*entry, attributes);
    }
  }
  close(fd);
}

}  // namespace

std::optional<std::string> known_neighbour(const std::string& interface,
                                           const std::string& address) {
  const int family = address.find(':') == address.npos ? AF_INET : AF_INET6;
  char bytes[sizeof(in6_addr)] = {};
  if (inet_pton(family, address.c_str(), bytes) != 1) return std::nullopt;
  const std::string wanted(bytes, family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr));
  const auto index = static_cast<int>(if_nametoindex(interface.c_str()));
  constexpr int kLearned = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE;
  std::optional<std::string> known;
  each_neighbour(static_cast<unsigned char>(family), [&](const ndmsg& entry, auto& attributes) {
    Mac mac = {};
    if (entry.ndm_ifindex != index || (entry.ndm_state & kLearned) == 0 ||
        attributes[NDA_DST] != wanted || attributes[NDA_LLADDR].size() != mac.size())
      return;
    std::ranges::copy(attributes[NDA_LLADDR], mac.begin());
    known = format_mac(mac);
  });
  return known;
}

Result<std::set<std::string>> find_claimants(const std::string& interface,
                                             const std::string& address, const Deadline& deadline) {
  return talk(Purpose::kAsk, interface, address, deadline);
}

Result<std::set<std::string>> announce_address(const std::string& interface,
                                               const std::string& address,
                                               const Deadline& deadline) {
  return talk(Purpose::kAnnounce, interface, address, deadline);
}

}  // namespace ha
