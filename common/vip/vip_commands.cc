// SPDX-License-Identifier: MIT
#include "common/vip/vip_commands.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

Argv add_command(const VipOptions& vip, KernelCheck check) {
  Argv argv = {"ip",  "addr",      "add", fmt::format("{}/{}", vip.address, vip.prefix),
               "dev", vip.device()};
  if (vip.ipv6() && check == KernelCheck::kNo) argv.emplace_back("nodad");
  if (!vip.ipv6() && vip.interface != vip.device())
    argv.insert(argv.end(), {"label", vip.interface});
  return argv;
}

Argv delete_command(const LocalAddress& held) {
  return {"ip",  "addr",        "del", fmt::format("{}/{}", held.address, held.prefix),
          "dev", held.interface};
}

Argv show_command() { return {"ip", "-o", "addr", "show"}; }

Argv arping_ask_command(const VipOptions& vip) {
  return {"arping", "-D", "-c", "2", "-w", "2", "-I", vip.device(), vip.address};
}

ArpingAnswer arping_answer(std::string_view output) {
  constexpr std::string_view kCount = "Received ";
  const std::size_t at = output.find(kCount);
  if (at == output.npos) return ArpingAnswer::kUnknown;
  const std::string_view rest = output.substr(at + kCount.size());
  const std::size_t end = rest.find(' ');
  if (end == rest.npos || !rest.substr(end).starts_with(" response")) return ArpingAnswer::kUnknown;
  return rest.substr(0, end) == "0" ? ArpingAnswer::kNone : ArpingAnswer::kMachine;
}

Argv arping_announce_command(const VipOptions& vip) {
  return {"arping", "-U", "-c", "2", "-I", vip.device(), vip.address};
}

Argv announcing_command(const VipOptions& vip) {
  // With slashes, because an interface may have dots in its name.
  return {"sysctl", "-q", "-w", fmt::format("net/ipv6/conf/{}/ndisc_notify=1", vip.device())};
}

Result<Argv> remote_command(const VipOptions& vip, const std::string& host, const Argv& command) {
  if (vip.remote_command.empty())
    return Error{Errc::kUsage,
                 fmt::format("{} is another machine and there is no --remote-command", host)};
  if (host.starts_with('-'))
    return Error{Errc::kUsage, fmt::format("'{}' is not a host", sanitize(host))};
  Argv argv;
  for (std::string word : vip.remote_command) {
    constexpr std::string_view kPlaceholder = "{host}";
    for (std::size_t at = 0; (at = word.find(kPlaceholder, at)) != word.npos; at += host.size())
      word.replace(at, kPlaceholder.size(), host);
    argv.push_back(std::move(word));
  }
  for (const std::string& word : command) argv.push_back(quote_word(word));
  return argv;
}

}  // namespace ha
