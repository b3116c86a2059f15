// SPDX-License-Identifier: MIT
#include "common/vip/vip_options.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "common/process.h"
#include "common/text.h"

namespace ha {

namespace {

// Reads a unicast address into `canonical`; false for everything else. A link-local IPv6 address is
// different on each link and cannot be connected to without naming one.
bool read_address(const std::string& text, std::string& canonical) {
  char printed[INET6_ADDRSTRLEN] = {};
  in_addr v4 = {};
  in6_addr v6 = {};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    const unsigned first = ntohl(v4.s_addr) >> 24;
    if (first == 0 || first >= 224) return false;
    inet_ntop(AF_INET, &v4, printed, sizeof printed);
  } else if (inet_pton(AF_INET6, text.c_str(), &v6) == 1) {
    if (IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_MULTICAST(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6) ||
        IN6_IS_ADDR_V4MAPPED(&v6))
      return false;
    inet_ntop(AF_INET6, &v6, printed, sizeof printed);
  }
  canonical = printed;
  return !canonical.empty();
}

Result<Done> take_interface(const std::string& value, std::string& target) {
  constexpr std::string_view kAccepted =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@:-";
  constexpr std::size_t kMaxName = 15;  // IFNAMSIZ of <net/if.h>, without the end
  if (value.empty() || value.size() > kMaxName || value[0] == '-' || value[0] == ':' ||
      value.find_first_not_of(kAccepted) != value.npos)
    return Error{Errc::kUsage,
                 fmt::format("'{}' is no interface (accepted: a name as ip link prints it)",
                             sanitize(value))};
  target = value;
  return Done{};
}

Result<Done> take_remote_command(const std::string& value, std::vector<std::string>& target) {
  auto words = split_command(value);
  if (!words) return words.error();
  // Without it a command for one node would be run on whatever other one it always goes to.
  if (value.find("{host}") == value.npos)
    return Error{Errc::kUsage, "{host}, which stands for the node's host, is missing"};
  target = std::move(*words);
  return Done{};
}

}  // namespace

Result<Done> parse_vip(std::string_view text, VipOptions& vip) {
  const std::size_t slash = text.find('/');
  VipOptions read;
  const bool good = read_address(std::string(text.substr(0, slash)), read.address);
  const unsigned most = read.ipv6() ? 128 : 32;
  const auto prefix =
      slash == text.npos ? std::optional<long long>(most) : parse_integer(text.substr(slash + 1));
  if (!good || !prefix || *prefix < 1 || *prefix > most)
    return Error{Errc::kUsage, fmt::format("'{}' is not ADDRESS[/PREFIX] (a numeric unicast "
                                           "address, IPv4 or IPv6 but not link-local)",
                                           sanitize(text))};
  vip.address = read.address;
  vip.prefix = static_cast<unsigned>(*prefix);
  return Done{};
}

void add_vip_address(Cli& cli, VipOptions& vip) {
  cli.option(
      "--vip", "ADDRESS[/PREFIX]",
      [&vip](const std::string& value) { return parse_vip(value, vip); },
      "the virtual IP address, IPv4 or IPv6 (default prefix: 32 or 128)");
  cli.option(
      "--interface", "NAME",
      [&vip](const std::string& value) { return take_interface(value, vip.interface); },
      "network interface that the virtual IP address belongs on");
}

void add_vip_options(Cli& cli, VipOptions& vip) {
  add_vip_address(cli, vip);
  cli.option(
      "--remote-command", "COMMAND",
      [&vip](const std::string& value) { return take_remote_command(value, vip.remote_command); },
      "how to run a command on another node, whose host replaces {host}: the command's words "
      "follow, quoted for a shell; e.g. 'ssh -oBatchMode=yes root@{host}'");
}

Result<Done> complete_vip(const VipOptions& vip) {
  if (vip.address.empty() && !vip.interface.empty())
    return Error{Errc::kUsage, "--interface: there is no --vip"};
  if (!vip.address.empty() && vip.interface.empty())
    return Error{Errc::kUsage, fmt::format("--vip: {} needs --interface", vip.address)};
  return Done{};
}

}  // namespace ha
