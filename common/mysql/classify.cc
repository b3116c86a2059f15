// SPDX-License-Identifier: MIT
#include "common/mysql/classify.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/text.h"

namespace ha {

namespace {

using Places = std::vector<std::size_t>;

// A binlog without a transaction is shorter: header, format description and list of GTIDs.
constexpr std::uint64_t kEmptyBinlog = 256;

struct VerdictWords {
  Verdict verdict;
  State state;
  std::string_view name, meaning;
};

constexpr VerdictWords kWords[] = {
    {Verdict::kNoNodeReachable, State::kCritical, "no-node-reachable",
     "no node of the cluster can be reached"},
    {Verdict::kSeveralWriters, State::kCritical, "several-writers",
     "more nodes accept writes than are allowed to"},
    {Verdict::kDiverged, State::kCritical, "diverged",
     "two nodes each have transactions that the other lacks, and neither receives the other's"},
    {Verdict::kPrimaryLost, State::kCritical, "primary-lost",
     "the primary has lost, or may have lost, transactions that it had written and sent, by a "
     "crash, a restored copy or a RESET: its replicas hold the only copy, and skip what bears the "
     "same numbers now"},
    {Verdict::kRingOfWriters, State::kCritical, "ring-of-writers",
     "nodes replicate from each other in a ring and more than one of them accepts writes"},
    {Verdict::kDuplicateId, State::kCritical, "duplicate-id",
     "two nodes have the same server_id or server_uuid, so replication skips their transactions"},
    {Verdict::kNoWriter, State::kCritical, "no-writer", "no node accepts writes"},
    {Verdict::kWriterUnknown, State::kUnknown, "writer-unknown",
     "no node is known to accept writes, but some could not be read"},
    {Verdict::kErrant, State::kWarning, "errant", "a replica has transactions that no writer has"},
    {Verdict::kLostOwn, State::kWarning, "lost-own",
     "a node has lost transactions that it wrote itself and others have: replication skips what "
     "bears a node's own identity, so they never come back without a resync"},
    {Verdict::kNotClosed, State::kWarning, "not-closed",
     "a node beside the writer is not read-only and takes no writes for another reason, which may "
     "end at any time"},
    {Verdict::kForeignSource, State::kWarning, "foreign-source",
     "a replica follows a server outside the cluster"},
    {Verdict::kStaleSource, State::kWarning, "stale-source",
     "a replica looks healthy but follows a node that neither accepts writes nor follows one that "
     "does"},
    {Verdict::kFollowsNobody, State::kWarning, "follows-nobody",
     "a node that accepts no writes replicates from no server, so its data grow old"},
    {Verdict::kOutOfGroup, State::kWarning, "out-of-group",
     "a node of a Galera cluster or a replication group is not part of it, or the part has no "
     "majority"},
    {Verdict::kUnreachable, State::kWarning, "unreachable",
     "a node gives no answer or refuses connections"},
    {Verdict::kUnreadable, State::kUnknown, "unreadable",
     "a node is alive but we may not read all of its facts"},
    {Verdict::kRing, State::kOk, "ring",
     "nodes replicate from each other in a ring with at most one writer"},
    {Verdict::kUnproven, State::kOk, "unproven",
     "nothing proves that a replica has no writes of its own: it numbers no transactions"},
};

const VerdictWords& words(Verdict verdict) {
  return *std::ranges::find(kWords, verdict, &VerdictWords::verdict);
}

class Classifier {
 public:
  Classifier(const Topology& topology, std::size_t allowed_writers)
      : nodes_(topology.nodes), topology_(topology), writers_(topology.active_writers()) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      upstream_.push_back(upstream(topology, i));
      unreadable_ += nodes_[i].reach == Reach::kUnreadable || nodes_[i].reach == Reach::kNotAsked;
    }
    judge_writers(allowed_writers);
    judge_divergence();
    judge_rings();
    judge_ids();
    judge_errant();
    judge_lost();
    judge_open(allowed_writers);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
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

  template <class Places_>
  std::string names(const Places_& places) const {
    std::vector<std::string> names;
    for (const std::size_t i : places) names.push_back(nodes_[i].name);
    return join(names, ", ");
  }

  void judge_writers(std::size_t allowed) {
    const bool silent = std::ranges::all_of(nodes_, [](const Node& node) { return node.silent(); });
    if (silent) return add(Verdict::kNoNodeReachable, {}, "no node is reachable");
    if (writers_.size() > allowed)
      return add(Verdict::kSeveralWriters, writers_,
                 fmt::format("{} nodes accept writes: {}", writers_.size(), names(writers_)));
    if (!writers_.empty()) return;
    if (unreadable_ > 0)
      return add(Verdict::kWriterUnknown, {}, "no writable node among those that could be read");
    add(Verdict::kNoWriter, {}, "no writable node" + describe_obstacles());
  }

  // What keeps nodes from taking writes that are not read-only.
  std::string describe_obstacles() const {
    std::string text;
    for (const Node& node : nodes_)
      if (node.writable() && !node.takes_writes())
        text += fmt::format(", {} takes none: {}", node.name, node.facts->obstacles.text());
    return text;
  }

  const History& history(std::size_t i) const { return nodes_[i].facts->history; }

  const History& later(std::size_t i) const { return nodes_[i].facts->latest_history(); }

  // True for a node of a Galera cluster of MariaDB: it numbers what it gets from the others by
  // itself.
  bool numbers_itself(std::size_t i) const {
    return nodes_[i].facts->obstacles.group != GroupState::kNone &&
           std::holds_alternative<MariadbHistory>(history(i));
  }

  // True for two of them, whose numbers cannot be compared.
  bool share_galera(std::size_t a, std::size_t b) const {
    return numbers_itself(a) && numbers_itself(b);
  }

  bool follows(std::size_t replica, std::size_t source) const {
    return std::ranges::count(nodes_[replica].sources, std::optional(source)) > 0;
  }

  // True when `other` has a node's own transactions under that node's numbers: into and out of a
  // Galera cluster only a node that follows it itself.
  bool keeps_numbers_of(std::size_t other, std::size_t i) const {
    if (!numbers_itself(i) && !numbers_itself(other)) return true;
    return !share_galera(i, other) && follows(other, i);
  }

  // True when one receives from the other, or both from a common node.
  bool connected(std::size_t a, std::size_t b) const {
    if (share_galera(a, b)) return true;
    std::set<std::size_t> of_a = upstream_[a], of_b = upstream_[b];
    of_a.insert(a);
    of_b.insert(b);
    return std::ranges::any_of(of_a, [&](std::size_t i) { return of_b.contains(i); });
  }

  // True for a node that receives from no other that can be compared; in a ring, for one of them.
  bool is_root(std::size_t i) const {
    return std::ranges::none_of(upstream_[i], [&](std::size_t up) {
      const bool behind_it_in_ring = upstream_[up].contains(i) && up >= i;
      return nodes_[up].facts && !behind_it_in_ring;
    });
  }

  // Only where histories begin: a node that receives from such a one shares its divergence. Roots
  // of one and the same history, in a large cluster most of them, are compared with others once.
  void judge_divergence() {
    std::vector<Places> groups;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!nodes_[i].facts || !is_root(i)) continue;
      const auto same = std::ranges::find_if(groups, [&](const Places& group) {
        return history(group[0]) == history(i) && later(group[0]) == later(i);
      });
      if (same == groups.end())
        groups.push_back({i});
      else
        same->push_back(i);
    }
    const Places chains = find_chains(groups);
    for (std::size_t a = 0; a < groups.size(); ++a)
      for (std::size_t b = a + 1; b < groups.size(); ++b)
        if (chains[a] != chains[b]) compare(groups[a], groups[b]);
    assessment_.diverged = diverged_.size();
  }

  // Numbers chains of groups each of which includes the next, so that no two of a chain can have
  // diverged: mostly all are one chain, and comparing each with each would take its time.
  Places find_chains(const std::vector<Places>& groups) const {
    std::vector<std::pair<double, std::size_t>> order;
    for (std::size_t g = 0; g < groups.size(); ++g)
      order.emplace_back(-extent(history(groups[g][0])), g);
    std::ranges::sort(order);
    Places chains(groups.size()), ends;
    for (const auto& [size, g] : order) {
      const History& own = history(groups[g][0]);
      const auto end = std::ranges::find_if(
          ends, [&](std::size_t last) { return includes(history(groups[last][0]), own); });
      chains[g] = static_cast<std::size_t>(end - ends.begin());
      if (end == ends.end())
        ends.push_back(g);
      else
        *end = g;
    }
    return chains;
  }

  void compare(const Places& some, const Places& others) {
    const auto only_a = extra(history(some[0]), later(others[0]));
    const auto only_b = extra(history(others[0]), later(some[0]));
    if (!only_a || !only_b || !only_a->any() || !only_b->any()) return;
    for (const std::size_t a : some)
      for (const std::size_t b : others) {
        if (connected(a, b)) continue;
        diverged_.insert({a, b});
        add(Verdict::kDiverged, {a, b},
            fmt::format("{} and {} have diverged: only {} has {}, only {} has {}", nodes_[a].name,
                        nodes_[b].name, nodes_[a].name, only_a->text, nodes_[b].name,
                        only_b->text));
      }
  }

  void judge_rings() {
    for (const auto& ring : rings(topology_)) {
      const auto writing =
          std::ranges::count_if(ring, [&](std::size_t i) { return nodes_[i].takes_writes(); });
      const std::string text = names(ring) + " replicate in a ring";
      if (writing > 1)
        add(Verdict::kRingOfWriters, {ring.begin(), ring.end()},
            fmt::format("{} and {} of them accept writes", text, writing));
      else
        add(Verdict::kRing, {ring.begin(), ring.end()}, text);
    }
  }

  void judge_ids() {
    std::map<std::string, Places> holders;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!nodes_[i].facts) continue;
      holders[fmt::format("server_id {}", nodes_[i].facts->server_id)].push_back(i);
      if (const std::string& uuid = nodes_[i].facts->server_uuid; !uuid.empty())
        holders["server_uuid " + uuid].push_back(i);
    }
    for (const auto& [id, places] : holders)
      if (places.size() > 1)
        add(Verdict::kDuplicateId, places, fmt::format("{} share the {}", names(places), id));
  }

  // The nodes whose transactions `replica` may rightly have.
  std::set<std::size_t> references(std::size_t replica) const {
    std::set<std::size_t> places(writers_.begin(), writers_.end());
    if (places.empty()) places = upstream_[replica];
    places.erase(replica);
    std::erase_if(places, [&](std::size_t i) {
      return !nodes_[i].facts || std::holds_alternative<std::monostate>(history(i)) ||
             share_galera(i, replica);
    });
    return places;
  }

  // What a replica has of a writer's own transactions and that lacks is the writer's loss.
  void judge_errant() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!nodes_[i].facts || nodes_[i].takes_writes() || diverged_.contains(i)) continue;
      History all;
      const std::set<std::size_t> whose = references(i);
      for (const std::size_t reference : whose)
        all = unite(unite(all, later(reference)),
                    written_by(history(i), later(reference), nodes_[reference].facts->server_uuid));
      const bool outdated = std::ranges::any_of(
          whose, [this](std::size_t of) { return nodes_[of].facts->history_outdated; });
      const auto errant = extra(history(i), all);
      if (whose.empty() || outdated || !errant || !errant->any()) continue;
      assessment_.errant_transactions += errant->count;
      add(Verdict::kErrant, {i},
          fmt::format("{} has {} that {} {}: {}", nodes_[i].name,
                      in_words(*errant, "errant transaction"), names(whose),
                      whose.size() == 1 ? "lacks" : "lack", errant->text));
    }
  }

  void judge_lost() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].facts && is_primary(i)) {
        judge_primary(i);
        continue;
      }
      if (!nodes_[i].facts) continue;
      History all;
      const std::set<std::size_t> whose = references(i);
      // Of the others what was read first, so that none of it was on its way.
      for (const std::size_t reference : whose)
        if (keeps_numbers_of(reference, i)) all = unite(all, history(reference));
      const Extra lost = lost_own(nodes_[i], all);
      if (lost.any())
        add(Verdict::kLostOwn, {i},
            nodes_[i].name + " " + describe_lost(nodes_[i].name, lost, names(whose)));
    }
  }

  // True for a node that writes; while none does, for one that is open, or follows no node: it was
  // closed, or starts read-only.
  bool is_primary(std::size_t i) const {
    if (!writers_.empty()) return nodes_[i].takes_writes();
    return nodes_[i].writable() || nodes_[i].channels().empty();
  }

  // The others have the only copy of what a primary has lost: of its own transactions by their
  // numbers, or by what it tells the receivers when it has used the numbers again.
  void judge_primary(std::size_t i) {
    History all;
    std::set<std::size_t> holders;
    for (std::size_t other = 0; other < nodes_.size(); ++other) {
      if (other == i || !nodes_[other].facts || !keeps_numbers_of(other, i) ||
          !lost_own(nodes_[i], history(other)).any())
        continue;
      holders.insert(other);
      all = unite(all, history(other));
    }
    const Extra lost = lost_own(nodes_[i], all);
    if (lost.any())
      return add_lost(i, holders,
                      fmt::format("{} has lost {} that it wrote itself: {}", nodes_[i].name,
                                  in_words(lost), lost.text));
    judge_receivers_of(i);
  }

  void judge_receivers_of(std::size_t i) {
    std::set<std::size_t> holders;
    std::string said;
    SourceLoss worst_loss = SourceLoss::kNone;
    for (std::size_t other = 0; other < nodes_.size(); ++other)
      for (std::size_t c = 0; c < nodes_[other].sources.size(); ++c) {
        if (nodes_[other].sources[c] != i) continue;
        const SourceLoss loss = loss_of_source(nodes_[other].channels()[c], nodes_[i]);
        if (loss == SourceLoss::kNone || loss < worst_loss) continue;
        if (loss > worst_loss) {
          holders.clear();
          said = source_words(nodes_[other].channels()[c].io);
        }
        worst_loss = loss;
        holders.insert(other);
      }
    if (worst_loss == SourceLoss::kProven)
      add_lost(i, holders,
               fmt::format("{} has lost transactions that it had sent to {} ({})", nodes_[i].name,
                           names(holders), said));
    else if (worst_loss == SourceLoss::kPossible)
      add(Verdict::kPrimaryLost, about_loss(i, holders),
          fmt::format("either {0} has lost transactions, or {1} {2} given a wrong position ({3}); "
                      "{1} may hold what {0} lacks: save it before {4} rebuilt",
                      nodes_[i].name, names(holders), holders.size() == 1 ? "was" : "were", said,
                      holders.size() == 1 ? "it is" : "they are"));
  }

  static Places about_loss(std::size_t i, const std::set<std::size_t>& holders) {
    Places about = {i};
    about.insert(about.end(), holders.begin(), holders.end());
    return about;
  }

  void add_lost(std::size_t i, const std::set<std::size_t>& holders, const std::string& what) {
    const bool one = holders.size() == 1;
    add(Verdict::kPrimaryLost, about_loss(i, holders),
        fmt::format("{0}; {1} {2} the only copy: do not rebuild {3} from {4} before it is saved",
                    what, names(holders), one ? "holds" : "hold", one ? "it" : "them",
                    nodes_[i].name));
  }

  void judge_reach(std::size_t i) {
    const Node& node = nodes_[i];
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
    const Node& node = nodes_[i];
    bool green = !node.channels().empty() && !node.takes_writes() && !writers_.empty();
    for (std::size_t c = 0; c < node.sources.size(); ++c) {
      const ChannelStatus& channel = node.channels()[c];
      green = green && node.sources[c] && channel.io.running() && channel.sql.running();
      if (!node.sources[c])
        add(Verdict::kForeignSource, {i},
            fmt::format("{} follows {}, which is none of the nodes", node.name, channel.source()));
    }
    if (green && std::ranges::none_of(upstream_[i],
                                      [&](std::size_t up) { return nodes_[up].takes_writes(); }))
      add(Verdict::kStaleSource, {i},
          fmt::format("{} follows {}, which gets nothing from a writer", node.name,
                      nodes_[*node.sources[0]].name));
  }

  // The nodes that follow it name the trouble of a node at the top that is not the writer.
  void judge_following(std::size_t i) {
    const Node& node = nodes_[i];
    if (!node.facts || !node.facts->channels || !node.channels().empty() || node.takes_writes() ||
        node.facts->obstacles.gets_changes() || !node.facts->obstacles.group_unread.empty())
      return;
    const bool followed = std::ranges::any_of(nodes_, [&](const Node& other) {
      return std::ranges::find(other.sources, std::optional(i)) != other.sources.end();
    });
    const bool judged = std::ranges::any_of(assessment_.findings, [&](const Finding& finding) {
      return (finding.verdict == Verdict::kDiverged || finding.verdict == Verdict::kLostOwn ||
              finding.verdict == Verdict::kPrimaryLost ||
              finding.verdict == Verdict::kOutOfGroup) &&
             std::ranges::count(finding.nodes, i) > 0;
    });
    if (judged || nodes_.size() == 1 || (writers_.empty() && (followed || node.writable()))) return;
    add(Verdict::kFollowsNobody, {i},
        fmt::format("{} follows no server and gets no changes; to make it a replica: mysql_ha "
                    "rejoin {}",
                    node.name, node.name));
  }

  // One SET, or a restart, makes them writers too. A member that left its group is named so.
  void judge_open(std::size_t allowed) {
    if (writers_.empty() || topology_.writers().size() <= allowed) return;
    for (const std::size_t i : topology_.writers()) {
      const WriteObstacles& obstacles = nodes_[i].facts->obstacles;
      if (nodes_[i].takes_writes() || obstacles.shared_storage ||
          obstacles.group == GroupState::kOutside)
        continue;
      add(Verdict::kNotClosed, {i},
          fmt::format("{} is not read-only, though it takes no writes now: {}; run there: SET "
                      "GLOBAL read_only = 1",
                      nodes_[i].name, obstacles.text()));
    }
  }

  // A server that is configured for a group, is in none, and takes writes or has a channel is no
  // member that has left, unless others of the set are still in one. A channel that runs brings it
  // changes in any case.
  void judge_group(std::size_t i) {
    const Node& node = nodes_[i];
    if (!node.facts || node.facts->obstacles.group != GroupState::kOutside) return;
    const bool others = std::ranges::any_of(nodes_, [](const Node& other) {
      return other.facts && other.facts->obstacles.group == GroupState::kMember;
    });
    const bool receives = std::ranges::any_of(
        node.channels(), [](const ChannelStatus& channel) { return channel.io.running(); });
    if (!receives && (others || (!node.takes_writes() && node.channels().empty())))
      add(Verdict::kOutOfGroup, {i},
          fmt::format("{} is not part of its group: {}", node.name, node.facts->obstacles.outside));
  }

  void judge_local_writes(std::size_t i) {
    const Node& node = nodes_[i];
    if (node.channels().empty() || node.takes_writes() ||
        !std::holds_alternative<std::monostate>(history(i)))
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

  const std::vector<Node>& nodes_;
  const Topology& topology_;
  const Places writers_;
  std::vector<std::set<std::size_t>> upstream_;
  std::set<std::size_t> diverged_;
  std::size_t unreadable_ = 0;
  Assessment assessment_;
};

}  // namespace

std::string_view verdict_name(Verdict verdict) { return words(verdict).name; }

State usual_state(Verdict verdict) { return words(verdict).state; }

std::string_view verdict_meaning(Verdict verdict) { return words(verdict).meaning; }

Assessment classify(const Topology& topology, std::size_t allowed_writers) {
  return Classifier(topology, allowed_writers).take();
}

}  // namespace ha
