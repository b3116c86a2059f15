// SPDX-License-Identifier: MIT
#include "common/mysql/events.h"

namespace ha {

Result<std::vector<ServerEvent>> read_events(SqlSession& session) {
  const auto rows = session.query(
      "SELECT event_schema AS event_schema, event_name AS event_name, definer AS definer,"
      " status AS status, originator AS originator FROM information_schema.events"
      " WHERE status <> 'DISABLED' ORDER BY event_schema, event_name");
  if (!rows) return rows.error();
  std::vector<ServerEvent> events;
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    const Row row(*rows, i);
    const std::string definer = row.text("definer").value_or("");
    const std::size_t at = definer.rfind('@');
    ServerEvent event;
    event.name = quote_identifier(row.text("event_schema").value_or("")) + "." +
                 quote_identifier(row.text("event_name").value_or(""));
    if (at == definer.npos) return Error{Errc::kBadData, "no definer of event " + event.name};
    event.definer =
        quote_identifier(definer.substr(0, at)) + "@" + quote_identifier(definer.substr(at + 1));
    event.enabled = row.text("status") == "ENABLED";
    event.on_source = !event.enabled;
    event.origin = row.integer("originator").value_or(0);
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace ha
