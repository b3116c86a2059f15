// SPDX-License-Identifier: MIT
#include "common/execute/dump_threads.h"

#include <set>

#include "common/mysql/variables.h"

namespace ha {

namespace {

// As the server shows them: it may resolve names itself.
std::set<std::string> find_addresses(Resolver& network, const std::vector<NodeAddress>& nodes) {
  std::set<std::string> addresses;
  for (const NodeAddress& node : nodes) {
    addresses.insert(node.host);
    addresses.merge(network.resolve(node.host));
  }
  return addresses;
}

}  // namespace

Result<int> end_dump_threads(SqlSession& session, Resolver& network,
                             const ReplicaAddresses& replicas) {
  if (session.version().flavour != Flavour::kMariadb) return 0;
  const auto waits = read_switch(session, "rpl_semi_sync_master_enabled");
  if (!waits) return waits.error();
  if (!*waits) return 0;
  std::set<std::string> addresses = find_addresses(network, replicas.gone);
  for (const std::string& one : find_addresses(network, replicas.there)) addresses.erase(one);
  const auto rows = session.query_long("SHOW PROCESSLIST");
  if (!rows) return rows.error();
  int ended = 0;
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    const Row row(*rows, i);
    const std::string host = row.text("Host").value_or("");
    if (!row.text("Command").value_or("").starts_with("Binlog Dump") ||
        !addresses.contains(host.substr(0, host.rfind(':'))))
      continue;
    // One that has ended by itself is ended, too.
    if (session.query("KILL CONNECTION " + row.text("Id").value_or(""))) ++ended;
  }
  return ended;
}

}  // namespace ha
