// SPDX-License-Identifier: MIT
#include "common/execute/binlog_dumps.h"

#include <algorithm>
#include <set>

#include "common/mysql/variables.h"

namespace ha {

namespace {

constexpr unsigned kAnswer_s = 2;

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

Result<int> end_binlog_dumps(SqlSession& session, Resolver& network,
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

Result<Pending<Result<int>>> begin_end_of_binlog_dumps(const Env& env,
                                                       const ClusterOptions& cluster,
                                                       const std::string& node,
                                                       const ReplicaAddresses& replicas) {
  const auto address = std::ranges::find(cluster.nodes, node, &NodeAddress::name);
  MysqlOptions login = options_for(*address, cluster.mysql, kAnswer_s);
  login.answer_timeout_s = kAnswer_s;
  return Pending<Result<int>>::begin(env.workers, [env, login, replicas]() -> Result<int> {
    const auto session = env.connector.connect(login);
    if (!session) return session.error();
    // Else it would acknowledge alone what it writes now, and the node may be cut off only.
    const auto waits = read_switch(**session, "rpl_semi_sync_master_wait_no_slave");
    return waits && *waits ? end_binlog_dumps(**session, env.network, replicas) : 0;
  });
}

}  // namespace ha
