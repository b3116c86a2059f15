// SPDX-License-Identifier: MIT
// The commands that move an address, as data.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/vip/local_address.h"
#include "common/vip/vip_options.h"

namespace ha {

using Argv = std::vector<std::string>;

// Whether the kernel is to look for another machine with the address before it uses it. It does so
// for IPv6 only, and takes one to two seconds.
enum class KernelCheck { kYes, kNo };

// Adds the address to its interface.
Argv add_command(const VipOptions& vip, KernelCheck check);

// Removes one address as it is there.
Argv delete_command(const LocalAddress& held);

// Prints all addresses for parse_ip_addresses().
Argv show_command();

// Asks the network for two seconds whether a machine has the IPv4 address, by iputils' arping.
Argv arping_ask_command(const VipOptions& vip);

// What its output tells. An exit code alone tells nothing: that of the other program of this name
// means the opposite.
enum class ArpingAnswer { kNone, kMachine, kUnknown };
ArpingAnswer arping_answer(std::string_view output);

// Announces the IPv4 address twice, which takes two seconds.
Argv arping_announce_command(const VipOptions& vip);

// Makes the kernel announce IPv6 addresses that are added to the interface.
Argv announcing_command(const VipOptions& vip);

// Returns the command that runs `command` on `host`. Fails with kUsage when there is no remote
// command, or the host could be taken for an option.
Result<Argv> remote_command(const VipOptions& vip, const std::string& host, const Argv& command);

}  // namespace ha
