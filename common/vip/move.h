// SPDX-License-Identifier: MIT
// Moves a virtual IP address in two steps that may each be repeated: away from one machine, to
// another. What was done is read back.

#pragma once

#include "common/clock.h"
#include "common/deadline.h"
#include "common/result.h"
#include "common/vip/vip_host.h"
#include "common/vip/vip_options.h"

namespace ha {

// Makes a machine hold the address and tells its network. Refuses (kRefused) while another
// machine answers for it, and when it stands on another interface there. After a failure the
// address is as it was, unless the text says otherwise. Takes about a second here, four or more
// elsewhere. `host` is a name or address, ours or empty for this machine.
Result<Done> take_vip(const VipOptions& vip, VipHost& host, Clock& clock, const Deadline& deadline);

// Makes a machine not hold the address, on whatever interface it stands.
Result<Done> drop_vip(const VipOptions& vip, VipHost& host);

}  // namespace ha
