// SPDX-License-Identifier: MIT
#include "common/execute/copy_mark.h"

#include <fmt/format.h>

#include "common/context/node_locks.h"
#include "common/execute/failure.h"

namespace ha {

Result<bool> is_half_copied(SqlSession& session) {
  const auto found = query_value(
      session,
      fmt::format("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = '{}'",
                  kHalfCopy));
  if (!found) return found.error();
  return *found != "0";
}

std::string resync_path(const FailoverOptions& options, const std::string& node) {
  return fmt::format("{}/{}/{}", options.state_dir, options.resync_store(), node);
}

CopyRecord::CopyRecord(Files& files, const FailoverOptions& options, const std::string& node)
    : files_(files), path_(resync_path(options, node) + ".copying") {
  const auto text = files_.read(path_);
  exists_ = text || text.error().code != Errc::kMissing;
  if (text) words_ = *text;
}

Result<Done> CopyRecord::add(std::string_view word) {
  if (exists_ && has(word)) return Done{};
  words_ += fmt::format("{}\n", word);
  const auto written = files_.write_atomic(path_, words_);
  exists_ = exists_ || written;
  return written;
}

void CopyRecord::remove() {
  static_cast<void>(files_.remove(path_));
  exists_ = false;
  words_.clear();
}

namespace {

Result<Done> expect_free(SqlSession& session, const std::string& lock) {
  const auto holder = node_lock_holder(session, lock);
  if (!holder) return holder.error();
  if (!holder->empty())
    return failure(fmt::format("another client or run copies to it (connection {})", *holder));
  return Done{};
}

}  // namespace

Result<Done> expect_no_copier(const Node& node, SqlSession& session, const ClusterSessions& all) {
  if (const auto free = expect_free(session, kCopyLock); !free) return free;
  for (const auto& other : all) {
    if (!other) continue;
    const auto free = expect_free(*other, copy_guard_lock(node.facts->server_id));
    // A node that cannot be asked has no say in this.
    if (!free && !is_no_answer(free.error())) return free;
  }
  return Done{};
}

Result<Done> expect_whole(Files& files, const Node& node, SqlSession& session,
                          const ClusterSessions& all, const FailoverOptions& options) {
  if (const auto free = expect_no_copier(node, session, all); !free) return free;
  const auto half = is_half_copied(session);
  if (!half) return half.error();
  if (!*half && !CopyRecord(files, options, node.name).exists()) return Done{};
  return failure(fmt::format("{0} holds no complete copy; run: mysql_ha resync {0}", node.name));
}

}  // namespace ha
