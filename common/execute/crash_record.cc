// SPDX-License-Identifier: MIT
#include "common/execute/crash_record.h"

#include <algorithm>
#include <memory>

#include "common/execute/binlog_events.h"
#include "common/mysql/session.h"
#include "common/text.h"

namespace ha {

Result<std::optional<Run>> find_replacement(const std::string& node,
                                            const std::vector<std::string>& ids,
                                            const ReadRun& read) {
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    auto run = read(*id);
    if (!run) return run.error();
    if (run->copied_over && run->plan.candidate == node) return std::optional(std::move(*run));
    if (!run->plan.changes_primary() || !run->opened()) continue;
    if (run->plan.primary != node) break;
    return std::optional(std::move(*run));
  }
  return std::optional<Run>();
}

CrashRecord record_of_copy(const Plan& plan) {
  return {plan.primary, plan.by_gtid, plan.channel, plan.tls, plan.retry};
}

CrashRecord record_of(const Run& run) {
  const Plan& plan = run.plan;
  if (run.copied_over) return record_of_copy(plan);
  return {plan.candidate,
          plan.by_gtid,
          plan.channel,
          plan.tls,
          plan.retry,
          run.facts.applied.value_or(BinlogPosition()),
          run.facts.binlog.value_or(BinlogPosition()),
          std::nullopt,
          plan.semi_sync};
}

CrashRecord add_tail(CrashRecord record, const Run& run, const BinlogTail& tail) {
  record.lost = tail.lost;
  if (tail.lost) return record;
  record.transactions_beyond = tail.transactions;
  if (!run.facts.after_rescue || run.facts.after_rescue->file.empty()) return record;
  record.binlog = *run.facts.after_rescue;
  if (tail.transactions)
    *record.transactions_beyond -= std::min(*tail.transactions, run.facts.rescued.value_or(0));
  return record;
}

namespace {

// Returns nullopt when the position is none in the node's binlog, which then tells nothing.
Result<std::optional<BinlogTail>> read_tail(Connector& connector, const Node& node,
                                            const BinlogPosition& position,
                                            const FailoverOptions& options) {
  const auto session = connector.connect(options_for(
      {node.name, node.host, node.port}, options.cluster.mysql, options.probe_timeout_s));
  if (!session) return session.error();
  const auto lost = ends_before(**session, position);
  if (!lost) return lost.error();
  if (*lost) return std::optional(BinlogTail{.lost = true});
  const auto count = count_after(**session, position);
  if (count) return std::optional(BinlogTail{.transactions = *count});
  if (is_no_answer(count.error())) return count.error();
  return std::optional<BinlogTail>();
}

}  // namespace

Result<std::optional<CrashRecord>> find_crash_record(Connector& connector, const RunStore& store,
                                                     const std::string& node,
                                                     const Topology& topology,
                                                     const FailoverOptions& options) {
  const auto ids = store.ids();
  if (!ids) return ids.error();
  const auto run =
      find_replacement(node, *ids, [&](const std::string& id) { return store.read(id); });
  if (!run) return run.error();
  if (!*run) return std::optional<CrashRecord>();
  const CrashRecord record = record_of(**run);
  const Node* const old = find_node(topology, node);
  if ((*run)->copied_over || record.by_gtid || old == nullptr || !old->facts)
    return std::optional(record);
  const auto tail = read_tail(connector, *old, record.applied, options);
  if (!tail) return tail.error();
  return std::optional(*tail ? add_tail(record, **run, **tail) : record);
}

}  // namespace ha
