// SPDX-License-Identifier: MIT
// The tables that tell the age of what a replica received and applied.

#include "common/mysql/heartbeat_table.h"
#include "common/mysql/receiver_activity.h"
#include "tests/fuzz/scripted_session.h"

void ha::fuzz(std::string_view text) {
  ScriptedSession session(text);
  (void)read_channel_activity(session).has_value();
  (void)read_heartbeat_table(session, {}).has_value();
}
