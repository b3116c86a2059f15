// SPDX-License-Identifier: MIT
#include "common/mysql/classify.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/mysql/classify_histories.h"

namespace ha {

namespace {

using Places = std::vector<std::size_t>;

// A binlog without a transaction is shorter: header, format description and list of GTIDs.
constexpr std::uint64_t kEmptyBinlog = 256;

class Classifier {
 public:
  Classifier(const Topology& topology, std::size_t allowed_writers) : view_(topology) {
    judge_writers(allowed_writers);
    judge_histories(view_, assessment_);
    judge_rings();
    judge_ids();
    judge_open(allowed_writers);
    for (std::size_t i = 0; i < view_.nodes.size(); ++i) {
      judge_reach(i);
      judge_sources(i);
      judge_group(i);
      judge_following(i);
      judge_local_writes(i);
    }
    std::ranges::stable_sort(assessment_.findings, {}, &Finding::verdict);
  }

  Assessment take() { return std::move(assessment_); }

 private:
  void add(Verdict verdict, Places nodes, std::string text) {
    assessment_.findings.push_back({verdict, std::move(nodes), std::move(text)});
  }

  void judge_writers(std::size_t allowed) {
    const bool silent =
        std::ranges::all_of(view_.nodes, [](const Node& node) { return node.silent(); });
    if (silent) return add(Verdict::kNoNodeReachable, {}, "no node is reachable");
    if (view_.writers.size() > allowed)
      return add(Verdict::kSeveralWriters, view_.writers,
                 fmt::format("{} nodes accept writes: {}", view_.writers.size(),
                             view_.names(view_.writers)));
    if (!view_.writers.empty()) return;
    const bool unread = std::ranges::any_of(view_.nodes, [](const Node& node) {
      return node.reach == Reach::kUnreadable || node.reach == Reach::kNotAsked;
    });
    if (unread)
      return add(Verdict::kWriterUnknown, {}, "no writable node among those that could be read");
    add(Verdict::kNoWriter, {}, "no writable node" + describe_obstacles());
  }

  // What keeps nodes from taking writes that are not read-only.
  std::string describe_obstacles() const {
    std::string text;
    for (const Node& node : view_.nodes)
      if (node.writable() && !node.takes_writes())
        text += fmt::format(", {} takes none: {}", node.name, node.facts->obstacles.text());
    return text;
  }

  void judge_rings() {
    for (const auto& ring : rings(view_.topology)) {
      const auto writing =
          std::ranges::count_if(ring, [&](std::size_t i) { return view_.nodes[i].takes_writes(); });
      const std::string text = view_.names(ring) + " replicate in a ring";
      if (writing > 1)
        add(Verdict::kRingOfWriters, {ring.begin(), ring.end()},
            fmt::format("{} and {} of them accept writes", text, writing));
      else
        add(Verdict::kRing, {ring.begin(), ring.end()}, text);
    }
  }

  void judge_ids() {
    std::map<std::string, Places> holders;
    for (std::size_t i = 0; i < view_.nodes.size(); ++i) {
      if (!view_.nodes[i].facts) continue;
      holders[fmt::format("server_id {}", view_.nodes[i].facts->server_id)].push_back(i);
      if (const std::string& uuid = view_.nodes[i].facts->server_uuid; !uuid.empty())
        holders["server_uuid " + uuid].push_back(i);
    }
    for (const auto& [id, places] : holders)
      if (places.size() > 1)
        add(Verdict::kDuplicateId, places, fmt::format("{} share the {}", view_.names(places), id));
  }

  void judge_reach(std::size_t i) {
    const Node& node = view_.nodes[i];
    const auto state = [&](std::string_view what) {
      return fmt::format("{} {}: {}", node.name, what, node.error);
    };
    switch (node.reach) {
      case Reach::kAnswers:
        for (const std::string& gap : node.facts->unread)
          add(Verdict::kUnreadable, {i}, node.name + ": " + gap);
        return;
      case Reach::kUnreadable:
        return add(Verdict::kUnreadable, {i}, state("cannot be read"));
      case Reach::kNotAsked:
        return add(Verdict::kUnreadable, {i}, state("could not be asked"));
      case Reach::kRefuses:
        return add(Verdict::kUnreachable, {i}, state("is alive but refuses connections"));
      case Reach::kUnreachable:
        return add(Verdict::kUnreachable, {i}, state("is unreachable"));
      case Reach::kHung:
        return add(Verdict::kUnreachable, {i}, state("does not answer"));
    }
  }

  void judge_sources(std::size_t i) {
    const Node& node = view_.nodes[i];
    bool green = !node.channels().empty() && !node.takes_writes() && !view_.writers.empty();
    for (std::size_t c = 0; c < node.sources.size(); ++c) {
      const ChannelStatus& channel = node.channels()[c];
      green = green && node.sources[c] && channel.io.running() && channel.sql.running();
      if (!node.sources[c])
        add(Verdict::kForeignSource, {i},
            fmt::format("{} follows {}, which is none of the nodes", node.name, channel.source()));
    }
    if (green && std::ranges::none_of(view_.upstream[i], [&](std::size_t up) {
          return view_.nodes[up].takes_writes();
        }))
      add(Verdict::kStaleSource, {i},
          fmt::format("{} follows {}, which gets nothing from a writer", node.name,
                      view_.nodes[*node.sources[0]].name));
  }

  // The nodes that follow it name the trouble of a node at the top that is not the writer.
  void judge_following(std::size_t i) {
    const Node& node = view_.nodes[i];
    if (!node.facts || !node.facts->channels || !node.channels().empty() || node.takes_writes() ||
        node.facts->obstacles.gets_changes() || !node.facts->obstacles.group_unread.empty())
      return;
    const bool followed = std::ranges::any_of(view_.nodes, [&](const Node& other) {
      return std::ranges::find(other.sources, std::optional(i)) != other.sources.end();
    });
    const bool judged = std::ranges::any_of(assessment_.findings, [&](const Finding& finding) {
      return (finding.verdict == Verdict::kDiverged || finding.verdict == Verdict::kLostOwn ||
              finding.verdict == Verdict::kPrimaryLost ||
              finding.verdict == Verdict::kOutOfGroup) &&
             std::ranges::count(finding.nodes, i) > 0;
    });
    if (judged || view_.nodes.size() == 1 ||
        (view_.writers.empty() && (followed || node.writable())))
      return;
    add(Verdict::kFollowsNoServer, {i},
        fmt::format("{} follows no server and gets no changes; to make it a replica: mysql_ha "
                    "rejoin {}",
                    node.name, node.name));
  }

  // One SET, or a restart, makes them writers too. A member that left its group is named so.
  void judge_open(std::size_t allowed) {
    if (view_.writers.empty() || view_.topology.writers().size() <= allowed) return;
    for (const std::size_t i : view_.topology.writers()) {
      const WriteObstacles& obstacles = view_.nodes[i].facts->obstacles;
      if (view_.nodes[i].takes_writes() || obstacles.shared_storage ||
          obstacles.group == GroupState::kOutside)
        continue;
      add(Verdict::kNotClosed, {i},
          fmt::format("{} is not read-only, though it takes no writes now: {}; run there: SET "
                      "GLOBAL read_only = 1",
                      view_.nodes[i].name, obstacles.text()));
    }
  }

  // A server that is configured for a group, is in none, and takes writes or has a channel is no
  // member that has left, unless others of the set are still in one. A channel that runs brings it
  // changes in any case.
  void judge_group(std::size_t i) {
    const Node& node = view_.nodes[i];
    if (!node.facts || node.facts->obstacles.group != GroupState::kOutside) return;
    const bool others = std::ranges::any_of(view_.nodes, [](const Node& other) {
      return other.facts && other.facts->obstacles.group == GroupState::kMember;
    });
    const bool receives = std::ranges::any_of(
        node.channels(), [](const ChannelStatus& channel) { return channel.io.running(); });
    if (!receives && (others || (!node.takes_writes() && node.channels().empty())))
      add(Verdict::kOutOfGroup, {i},
          fmt::format("{} is not part of its group: {}", node.name, node.facts->obstacles.outside));
  }

  void judge_local_writes(std::size_t i) {
    const Node& node = view_.nodes[i];
    if (node.channels().empty() || node.takes_writes() ||
        !std::holds_alternative<std::monostate>(node.facts->history))
      return;
    const ServerFacts& facts = *node.facts;
    if (facts.log_bin == true && facts.log_replica_updates == false && facts.binlog) {
      if (facts.binlog->offset <= kEmptyBinlog) return;
      ++assessment_.errant_transactions;
      return add(
          Verdict::kErrant, {i},
          fmt::format("{} has written transactions of its own: it logs none of its source's, "
                      "but {} ends at {}",
                      node.name, facts.binlog->file, facts.binlog->offset));
    }
    add(Verdict::kUnproven, {i},
        fmt::format(
            "cannot prove that {} has no writes of its own (no GTIDs, {})", node.name,
            facts.log_bin == false ? "no binlog" : "its source's writes are in its binlog"));
  }

  const ClusterView view_;
  Assessment assessment_;
};

}  // namespace

Assessment classify(const Topology& topology, std::size_t allowed_writers) {
  return Classifier(topology, allowed_writers).take();
}

}  // namespace ha
