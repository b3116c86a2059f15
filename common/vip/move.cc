// SPDX-License-Identifier: MIT
#include "common/vip/move.h"

#include <fmt/format.h>

namespace ha {

namespace {

// Waits until the address is in use; fails with kRefused when the kernel has found another machine
// with it.
Result<Done> wait_usable(const VipOptions& vip, VipHost& host, Clock& clock,
                         const Deadline& deadline) {
  constexpr double kPause_s = 0.1;
  for (;;) {
    const auto addresses = host.addresses();
    if (!addresses) return addresses.error();
    const auto held = find_address(*addresses, vip.address);
    if (!held)
      return Error{Errc::kInternal, fmt::format("{} is not there after it was added", vip.address)};
    if (held->state == AddressState::kUsable) return Done{};
    if (held->state == AddressState::kDuplicate)
      return Error{Errc::kRefused,
                   fmt::format("{} is still answered by another machine", vip.address)};
    if (deadline.remaining_s() < 0.2)
      return Error{
          Errc::kUnreachable,
          fmt::format("{} is not in use in time: the kernel still looks for others", vip.address)};
    clock.pause(kPause_s);
  }
}

Result<Done> add_and_announce(const VipOptions& vip, VipHost& host, KernelCheck check, Clock& clock,
                              const Deadline& deadline) {
  if (const auto added = host.run(add_command(vip, check)); !added) return added;
  if (const auto usable = wait_usable(vip, host, clock, deadline); !usable) return usable;
  return host.announce();
}

}  // namespace

Result<Done> take_vip(const VipOptions& vip, VipHost& host, Clock& clock,
                      const Deadline& deadline) {
  const auto addresses = host.addresses();
  if (!addresses) return addresses.error();
  const auto held = find_address(*addresses, vip.address);
  if (held && held->interface != vip.device())
    return Error{Errc::kRefused, fmt::format("{} stands on {} instead of {}", vip.address,
                                             held->interface, vip.device())};
  const auto check = host.prepare();
  if (!check) return check.error();
  if (held && held->state == AddressState::kUsable) return host.announce();

  if (held)  // in vain: to the kernel it was a duplicate once
    if (const auto removed = drop_vip(vip, host); !removed) return removed;
  const auto taken = add_and_announce(vip, host, *check, clock, deadline);
  if (taken) return taken;
  Error error = taken.error();
  if (const auto dropped = drop_vip(vip, host); !dropped)
    error.text += fmt::format("; it may be left behind: {}", dropped.error().text);
  return error;
}

Result<Done> drop_vip(const VipOptions& vip, VipHost& host) {
  const auto before = host.addresses();
  if (!before) return before.error();
  for (const LocalAddress& entry : *before)
    if (entry.address == vip.address)
      if (const auto removed = host.run(delete_command(entry)); !removed) return removed;
  if (!find_address(*before, vip.address)) return Done{};
  const auto after = host.addresses();
  if (!after) return after.error();
  if (find_address(*after, vip.address))
    return Error{Errc::kInternal,
                 fmt::format("{} is still there after it was removed", vip.address)};
  return Done{};
}

}  // namespace ha
