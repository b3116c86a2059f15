// SPDX-License-Identifier: MIT
// Everything that is read of a server, its answers in the order in which they are asked for.

#include "common/mysql/privileges.h"
#include "common/mysql/read_facts.h"
#include "tests/fuzz/scripted_session.h"

void ha::fuzz(std::string_view text) {
  ScriptedSession session(text);
  auto facts = read_server_facts(session);
  if (!facts) return;
  (void)reread_replication(session, *facts).has_value();
  (void)read_read_only_origin(session).has_value();
  if (const auto privileges = read_privileges(session)) missing_to_manage(*facts, *privileges);
}
