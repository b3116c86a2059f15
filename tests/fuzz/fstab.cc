// SPDX-License-Identifier: MIT
// fstab, and what its entries demand of a mount.

#include "common/mount/mountinfo.h"
#include "common/mount/share_spec.h"
#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  for (const FstabEntry& entry : parse_fstab(text)) to_spec(entry);
}
