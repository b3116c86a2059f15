// SPDX-License-Identifier: MIT
// What engines put in the place of macros, and texts whose commands are completed.

#include "common/commands.h"
#include "common/engine/gate.h"
#include "common/text.h"
#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  const auto words = split(text, '\n');
  EventMacros macros;
  macros.state = words[0];
  if (words.size() > 1) macros.state_type = words[1];
  if (words.size() > 2) macros.attempt = words[2];
  if (words.size() > 3) macros.soft_attempt = 2;
  (void)judge_event(macros).has_value();
  (void)refuse_control_bytes(words).has_value();
  complete_commands(text, {"runuser -u nagios -- ", "--cluster /etc/c.conf", "mysql_ha plan"});
}
