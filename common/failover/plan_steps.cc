// SPDX-License-Identifier: MIT
#include "common/failover/plan_steps.h"

#include <fmt/format.h>

#include "common/mysql/statements.h"
#include "common/text.h"

namespace ha {

namespace {

class StepWriter {
 public:
  StepWriter(const Topology& topology, const Policy& policy, const Roles& roles, Plan& plan)
      : nodes_(topology.nodes), policy_(policy), roles_(roles), plan_(plan) {}

  std::vector<Step> write() {
    const Node& primary = nodes_[roles_.primary];
    const Node& candidate = nodes_[roles_.candidate];
    for (const Node& node : nodes_)
      if (node.facts) add(Action::kLock, node, {}, "so that nobody else acts");
    add(Action::kConfirmDead, primary, {}, "probe it once more");
    for (const auto& argv : policy_.pre_hooks) run(Action::kHook, argv, "");
    fence(primary);
    for (std::size_t i = 0; i < nodes_.size(); ++i) settle_receiver(i);
    drain(roles_.candidate);
    if (roles_.ahead) catch_up(candidate, nodes_[*roles_.ahead]);
    add(Action::kRecord, candidate, {}, "who had what, for the return of " + primary.name);
    promote(candidate);
    const bool one_first = candidate.facts->semi_sync.source_enabled == true;
    const std::size_t before = one_first ? repoint(1) : 0;
    if (!policy_.vip.empty()) {
      add(Action::kVipDown, primary, {}, policy_.vip);
      add(Action::kVipUp, candidate, {}, policy_.vip);
    }
    add(Action::kMakeWritable, candidate, {make_writable(candidate.facts->version)},
        "the point of no return");
    repoint(nodes_.size(), before);
    for (const auto& argv : policy_.start_services) run(Action::kStartService, argv, "");
    for (const auto& argv : policy_.post_hooks) run(Action::kHook, argv, "");
    run(Action::kNotify, {}, fmt::format("{} replaces {}", candidate.name, primary.name));
    return std::move(steps_);
  }

 private:
  void add(Action action, const Node& node, std::vector<std::string> sql, std::string text) {
    steps_.push_back({static_cast<int>(steps_.size()) + 1,
                      action,
                      node.name,
                      std::move(sql),
                      {},
                      std::move(text)});
  }

  void run(Action action, std::vector<std::string> argv, std::string text) {
    steps_.push_back(
        {static_cast<int>(steps_.size()) + 1, action, "", {}, std::move(argv), std::move(text)});
  }

  void fence(const Node& primary) {
    if (policy_.fence == Fence::kNone) return;
    if (primary.facts)
      add(Action::kFence, primary, {make_read_only(primary.facts->version)},
          "and end its clients' connections");
    if (!policy_.fence_command.empty())
      steps_.push_back({static_cast<int>(steps_.size()) + 1,
                        Action::kFence,
                        primary.name,
                        {},
                        policy_.fence_command,
                        "exit 0: fenced, 10: the operator accepts"});
  }

  // The channel to the primary, null for a node without one.
  const ChannelStatus* channel_of(std::size_t i) const {
    for (std::size_t c = 0; c < nodes_[i].sources.size(); ++c)
      if (nodes_[i].sources[c] == roles_.primary) return &nodes_[i].channels()[c];
    return nullptr;
  }

  void settle_receiver(std::size_t i) {
    const ChannelStatus* const channel = channel_of(i);
    if (channel == nullptr || i == roles_.primary) return;
    const Version& version = nodes_[i].facts->version;
    // MariaDB throws relay logs away when a GTID receiver starts again, so it stays as it is.
    if (version.flavour == Flavour::kMysql || !channel->uses_gtid)
      add(Action::kStopReceiver, nodes_[i], {stop_receiver(version, channel->name)},
          "a primary that comes back feeds it no more");
    if (!channel->sql.running() && channel->sql.error_number == 0)
      add(Action::kStartApplier, nodes_[i], {start_applier(version, channel->name)},
          "it was stopped without an error");
  }

  void drain(std::size_t i) {
    const ChannelStatus& channel = *channel_of(i);
    const auto open = unapplied(nodes_[i].facts->history);
    add(Action::kDrain, nodes_[i], {},
        channel.uses_gtid && open
            ? fmt::format("until all received is applied ({} transactions now)", *open)
            : fmt::format("until it has applied {}:{}", channel.read.file, channel.read.offset));
  }

  std::vector<std::string> follow_statements(std::size_t i, const Node& source,
                                             const std::optional<BinlogPosition>& position) const {
    const ChannelStatus& channel = *channel_of(i);
    const Version& version = nodes_[i].facts->version;
    return {stop_replication(version, channel.name),
            follow(version, channel.name, source.host, source.port, position),
            start_replication(version, channel.name)};
  }

  void catch_up(const Node& candidate, const Node& sibling) {
    drain(*roles_.ahead);
    add(Action::kCatchUp, candidate, follow_statements(roles_.candidate, sibling, std::nullopt),
        fmt::format("until it has all that {} has", sibling.name));
  }

  void promote(const Node& candidate) {
    std::vector<std::string> sql;
    const ChannelStatus& channel = *channel_of(roles_.candidate);
    const Version& version = candidate.facts->version;
    sql.push_back(stop_replication(version, channel.name));
    sql.push_back(forget_source(version, channel.name));
    add(Action::kPromote, candidate, std::move(sql), "");
  }

  // Why a sibling cannot follow the candidate, empty when it can.
  std::string cannot_follow(std::size_t i) const {
    const ChannelStatus &of_candidate = *channel_of(roles_.candidate), &own = *channel_of(i);
    if (own.sql.error_number != 0) return "its SQL thread has failed";
    if (nodes_[i].facts->version.flavour != nodes_[roles_.candidate].facts->version.flavour)
      return "it is of another flavour";
    if (own.uses_gtid && of_candidate.uses_gtid) return "";
    // Without GTIDs only a sibling at the very same point can begin at the candidate's end.
    return own.read == of_candidate.read ? "" : "it is at another position";
  }

  // Repoints at most `most` siblings, after passing over `skip`; returns how many.
  std::size_t repoint(std::size_t most, std::size_t skip = 0) {
    std::size_t done = 0;
    for (std::size_t i = 0; i < nodes_.size() && done < most; ++i) {
      if (i == roles_.candidate || i == roles_.primary || channel_of(i) == nullptr) continue;
      if (const std::string why = cannot_follow(i); !why.empty()) {
        if (most > 1)
          plan_.reservations.push_back(fmt::format("{} needs a resync: {}", nodes_[i].name, why));
        continue;
      }
      if (skip > 0) {
        --skip;
        continue;
      }
      const bool by_gtid = channel_of(i)->uses_gtid;
      if (!by_gtid) drain(i);
      const Node& candidate = nodes_[roles_.candidate];
      add(Action::kRepoint, nodes_[i],
          follow_statements(i, candidate,
                            by_gtid ? std::nullopt : std::optional(BinlogPosition{"FILE", 0})),
          by_gtid ? "" : "FILE and position: the end of its binlog when it was promoted");
      ++done;
    }
    return done;
  }

  const std::vector<Node>& nodes_;
  const Policy& policy_;
  const Roles& roles_;
  Plan& plan_;
  std::vector<Step> steps_;
};

std::string print(const History& history) {
  if (const auto* mysql = std::get_if<MysqlHistory>(&history))
    return unite(mysql->executed, mysql->retrieved).print();
  if (const auto* mariadb = std::get_if<MariadbHistory>(&history))
    return unite(unite(mariadb->binlog_state, mariadb->current_position),
                 mariadb->received_position)
        .print();
  return "";
}

}  // namespace

std::vector<Step> failover_steps(const Topology& topology, const Policy& policy, const Roles& roles,
                                 Plan& plan) {
  return StepWriter(topology, policy, roles, plan).write();
}

std::string hash_of(const Plan& plan, const Topology& topology) {
  std::string text = render(plan);
  for (const Node& node : topology.nodes) {
    text += fmt::format("\n{} {} {}", node.name, static_cast<int>(node.reach), node.writable());
    if (!node.facts) continue;
    text += " " + print(node.facts->history);
    for (const ChannelStatus& channel : node.channels())
      text += fmt::format(" {} {} {}:{} {}", channel.name, channel.source(), channel.read.file,
                          channel.read.offset, channel.io.running());
  }
  // FNV-1a: nobody is to be kept from forging it, only from overlooking a change.
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return fmt::format("{:016x}", hash);
}

}  // namespace ha
