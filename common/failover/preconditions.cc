// SPDX-License-Identifier: MIT
#include "common/failover/preconditions.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>

#include "common/failover/run_store.h"
#include "common/failover/situation.h"
#include "common/files.h"
#include "common/mysql/privileges.h"
#include "common/mysql/session.h"
#include "common/mysql/version.h"
#include "common/parallel.h"
#include "common/process.h"
#include "common/text.h"

namespace ha {

namespace {

using Answers = std::map<std::string, Result<std::string>>;

// Asks all nodes at the same time; by the node's name.
Answers ask_nodes(const FailoverOptions& options, const Deadline& deadline,
                  const std::function<Result<std::string>(SqlSession&)>& ask,
                  const std::function<void(MysqlOptions&)>& change = {}) {
  std::vector<MysqlOptions> nodes;
  for (const NodeAddress& node : options.cluster.nodes) {
    nodes.push_back(options_for_node(options.cluster.mysql, node.host, node.port));
    nodes.back().connect_timeout_s = std::max(1u, static_cast<unsigned>(deadline.remaining_s()));
    if (change) change(nodes.back());
  }
  const auto answers = run_each<Result<std::string>>(
      nodes.size(), deadline, [nodes, ask](std::size_t i) -> Result<std::string> {
        const auto session = connect(nodes[i]);
        return session ? ask(**session) : session.error();
      });
  Answers by_name;
  for (std::size_t i = 0; i < answers.size(); ++i)
    by_name.emplace(options.cluster.nodes[i].name,
                    answers[i].value_or(Error{Errc::kUnreachable, "no answer in time"}));
  return by_name;
}

}  // namespace

Troubles try_replication_account(const FailoverOptions& options, const Deadline& deadline) {
  const auto try_it = [](SqlSession& session) -> Result<std::string> {
    const auto privileges = read_privileges(session);
    if (!privileges) return privileges.error();
    if (holds(*privileges, kReplicationPrivilege)) return std::string();
    return "it may not replicate; run: " + grant_statement(session, kReplicationPrivilege, "*.*");
  };
  const auto use_account = [&](MysqlOptions& node) {
    node.user = options.policy.repl_user;
    node.password = options.repl_password.value_or("");  // never that of the other account's file
  };
  Troubles troubles;
  for (const auto& [node, answer] : ask_nodes(options, deadline, try_it, use_account))
    if (const std::string text = answer ? *answer : answer.error().text; !text.empty())
      troubles[node] = text;
  return troubles;
}

std::map<std::string, Result<std::string>> read_node_locks(const FailoverOptions& options,
                                                           const Deadline& deadline) {
  const std::string query =
      fmt::format("SELECT COALESCE(IS_USED_LOCK({}), '')", quote_string(options.node_lock()));
  return ask_nodes(options, deadline,
                   [query](SqlSession& session) { return query_value(session, query); });
}

Troubles find_missing_programs(const FailoverOptions& options) {
  const Policy& policy = options.policy;
  std::vector<std::vector<std::string>> commands = {policy.fence_command, policy.rescue_command};
  for (const auto* list : {&policy.pre_failover, &policy.post_failover, &policy.start_services})
    commands.insert(commands.end(), list->begin(), list->end());
  Troubles troubles;
  for (const auto& argv : commands)
    if (!argv.empty())
      if (const auto found = find_program(argv[0]); !found) troubles[argv[0]] = found.error().text;
  return troubles;
}

Troubles find_unwritable_files(const Policy& policy) {
  Troubles troubles;
  for (const std::string& path : {policy.hosts_file, policy.flag_file}) {
    // Files are replaced, so it is the directory that counts.
    const std::string directory = path.substr(0, path.rfind('/') + 1);
    if (!path.empty() && access(directory.empty() ? "." : directory.c_str(), W_OK | X_OK) != 0)
      troubles[path] = fmt::format("cannot write {}: {}", sanitize(path), std::strerror(errno));
  }
  return troubles;
}

namespace {

// Returns why a run could not write its journal; empty when it could.
std::string try_to_write(const std::string& directory) {
  const std::string file = directory + "/writable";
  const auto written = write_file_atomic(file, "\n");
  unlink(file.c_str());
  return written ? "" : written.error().text;
}

Result<Done> read_runs(const FailoverOptions& options, double now_s, StateDirectory& state) {
  const auto store = RunStore::open(options.state_dir, options.cluster_name);
  if (!store) return store.error();
  state.lock_holder = store->lock_holder();
  Circumstances circumstances;
  if (const auto added = add_history(*store, now_s, circumstances); !added) return added;
  state.last_failover_age_s = circumstances.last_failover_age_s;
  const auto unfinished = store->unfinished();
  if (!unfinished) return unfinished.error();
  // One that is at work has not ended either.
  if (*unfinished && state.lock_holder.empty()) state.interrupted_run = (*unfinished)->id;
  if (const std::string trouble = try_to_write(store->path()); !trouble.empty())
    return Error{Errc::kInternal, trouble};
  return Done{};
}

}  // namespace

StateDirectory look_at_state(const FailoverOptions& options, double now_s) {
  StateDirectory state;
  for (const std::string& path :
       {options.state_dir, options.state_dir + "/" + options.cluster_name}) {
    if (access(path.c_str(), F_OK) == 0) continue;
    const std::size_t slash = path.rfind('/');
    const std::string parent = slash == path.npos ? "." : path.substr(0, slash + 1);
    if (access(parent.c_str(), W_OK | X_OK) != 0)
      state.trouble = fmt::format("cannot create directory {}: {}", path, std::strerror(errno));
    return state;  // there was no run yet
  }
  if (const auto read = read_runs(options, now_s, state); !read) state.trouble = read.error().text;
  return state;
}

}  // namespace ha
