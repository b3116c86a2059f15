// SPDX-License-Identifier: MIT
// A virtual IP address as an operator names it, and the options that do.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/cli.h"
#include "common/result.h"

namespace ha {

struct VipOptions {
  std::string address = {};    // numeric, as inet_ntop prints it; empty: there is none
  unsigned prefix = 0;         // length; of one host (32, 128) unless given
  std::string interface = {};  // "eth0", or with the label of old configurations "eth0:1"
  // How to run a command on another node: its words follow these, quoted for a shell as ssh joins
  // them, and {host} stands for the node's host. E.g. ssh -oBatchMode=yes ha@{host}.
  std::vector<std::string> remote_command = {};

  bool ipv6() const { return address.find(':') != address.npos; }
  // The interface without a label.
  std::string device() const { return interface.substr(0, interface.find(':')); }
};

// Adds --vip and --interface. The target must outlive parse().
void add_vip_address(Cli& cli, VipOptions& vip);

// Adds what moves an address: these and --remote-command.
void add_vip_options(Cli& cli, VipOptions& vip);

// Fails with kUsage when the options do not suffice to move an address: one of --vip and
// --interface without the other. No options at all are fine.
Result<Done> complete_vip(const VipOptions& vip);

// Parses ADDRESS[/PREFIX], numeric, into the target; fails with what is accepted.
Result<Done> parse_vip(std::string_view text, VipOptions& vip);

}  // namespace ha
