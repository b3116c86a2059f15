// SPDX-License-Identifier: MIT
// What gluster prints with --xml.

#include "common/mount/gluster_xml.h"

#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  if (const auto volume = parse_volume_info(text)) volume->set_size();
  (void)parse_volume_status(text).has_value();
  (void)parse_peer_status(text).has_value();
  (void)parse_heal_summary(text).has_value();
  is_busy(text);
}
