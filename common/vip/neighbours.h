// SPDX-License-Identifier: MIT
// Asks the machines in our network which one has an address, and tells them that we have it. Needs
// the capability CAP_NET_RAW and an Ethernet interface in that network.

#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/deadline.h"
#include "common/result.h"

namespace ha {

// Returns the hardware address to which our kernel sends what is for `address`, as it has learned
// it; nullopt when it has none, or one that an administrator has set. Asks no machine.
std::optional<std::string> known_neighbour(const std::string& interface,
                                           const std::string& address);

// Returns the hardware addresses of the other machines that claim `address` on `interface`, asked
// three times within 0.6 s; our own do not count. Machines in one network answer within
// milliseconds: RFC 5227 waits for seconds, which a failover does not have. Fails with kPrivilege
// without CAP_NET_RAW, kUsage when the interface cannot be used for it, kInternal when the deadline
// leaves too little time.
Result<std::set<std::string>> find_claimants(const std::string& interface,
                                             const std::string& address, const Deadline& deadline);

// Announces three times within 0.3 s that `address` is at our `interface`, and returns which
// machine else claims it in the meantime; fails as find_claimants does.
Result<std::set<std::string>> announce_address(const std::string& interface,
                                               const std::string& address,
                                               const Deadline& deadline);

}  // namespace ha
