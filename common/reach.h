// SPDX-License-Identifier: MIT
// What becomes of a connection by TCP, address by address. The libraries tell of the last one only.

#pragma once

#include <netdb.h>

#include <memory>

#include "common/address.h"
#include "common/deadline.h"

namespace ha {

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

// Returns the addresses of a place, null when its name does not resolve. Blocks as long as the
// resolver does.
AddressList find_addresses(const HostPort& place);

// Connects and hangs up. Returns 0, or the errno: ETIMEDOUT when the deadline passes.
int try_to_connect(const addrinfo& address, const Deadline& deadline);

// True when `error`, the errno of a connection to `place` that failed, is for a want of this
// machine's, so that it says nothing of the server: no descriptor, memory or port, a packet filter
// that lets nothing out. One of the last address that was tried is not believed alone: where IPv6
// is off, each IPv6 address gives one. Blocks as long as the resolver does and a tenth of a second.
bool is_cut_off(int error, const HostPort& place);

}  // namespace ha
