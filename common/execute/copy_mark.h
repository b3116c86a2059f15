// SPDX-License-Identifier: MIT
// What tells that a node is being copied to, or holds no complete copy: locks on the servers, a
// file NODE.copying in the store of resyncs, and, unless the node's files are being replaced, a
// database on it for managers on other machines. Such a node may not replicate.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/cluster/options.h"
#include "common/env.h"
#include "common/mysql/session.h"
#include "common/mysql/topology.h"
#include "common/result.h"

namespace ha {

// The database that marks a copy which was begun and is not whole.
inline constexpr char kHalfCopy[] = "mysql_ha_half_a_copy";

// True when a server has that database.
Result<bool> is_half_copied(SqlSession& session);

// Returns the path of a node's files in the store of resyncs, without their extension.
std::string resync_path(const FailoverOptions& options, const std::string& node);

// A file that is there for as long as a node holds no complete copy, with what is to be put back
// then.
class CopyRecord {
 public:
  CopyRecord(Files& files, const FailoverOptions& options, const std::string& node);

  bool exists() const { return exists_; }
  bool has(std::string_view word) const { return words_.find(word) != words_.npos; }
  Result<Done> add(std::string_view word);
  void remove();

 private:
  Files& files_;
  std::string path_, words_;
  bool exists_ = false;
};

// The sessions with the nodes of a cluster; null: no answer.
using ClusterSessions = std::vector<std::shared_ptr<SqlSession>>;

// Fails when another client, on whatever machine, copies to this node now. `session` is the node's;
// while it is restarted for a copy only the other nodes' sessions tell.
Result<Done> expect_no_copier(const Node& node, SqlSession& session, const ClusterSessions& all);

// Fails then too, and when a copy to this node was begun and not finished.
Result<Done> expect_whole(Files& files, const Node& node, SqlSession& session,
                          const ClusterSessions& all, const FailoverOptions& options);

}  // namespace ha
