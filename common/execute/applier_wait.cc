// SPDX-License-Identifier: MIT
#include "common/execute/applier_wait.h"

#include <fmt/format.h>

#include "common/mysql/statements.h"
#include "common/text.h"

namespace ha {

Result<std::string> read_applier_wait(SqlSession& session) {
  const bool mysql = session.version().flavour == Flavour::kMysql;
  const auto state = session.query(ask_applier_wait(session.version()));
  if (!state) return state.error();
  if (state->cells.empty()) return std::string();
  const std::string wait = sanitize(state->cells[0][0].value_or(""));
  if (wait.find("semi-sync") != wait.npos) return wait;
  const auto holder = session.query(ask_lock_holder(session.version()));
  // An account that may not read it can still be told what it is.
  if (!holder || holder->cells.empty()) return wait;
  const Row row(*holder, 0);
  return fmt::format("{} {} connection {} of {}@{}", wait, mysql ? "held by" : "held, perhaps, by",
                     row.text("id").value_or("?"), sanitize(row.text("user").value_or("?")),
                     sanitize(row.text("host").value_or("?")));
}

}  // namespace ha
