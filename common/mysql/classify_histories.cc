// SPDX-License-Identifier: MIT
#include "common/mysql/classify_histories.h"

#include <fmt/format.h>

#include <algorithm>

namespace ha {

ClusterView::ClusterView(const Topology& topology_of_view)
    : topology(topology_of_view), nodes(topology.nodes), writers(topology.active_writers()) {
  for (std::size_t i = 0; i < nodes.size(); ++i) upstream.push_back(ha::upstream(topology, i));
}

namespace {

using Places = std::vector<std::size_t>;

class HistoryJudge {
 public:
  HistoryJudge(const ClusterView& view, Assessment& assessment)
      : view_(view), assessment_(assessment) {
    judge_divergence();
    judge_errant();
    judge_lost();
  }

 private:
  void add(Verdict verdict, Places nodes, std::string text) {
    assessment_.findings.push_back({verdict, std::move(nodes), std::move(text)});
  }

  const History& history(std::size_t i) const { return view_.nodes[i].facts->history; }

  const History& later(std::size_t i) const { return view_.nodes[i].facts->latest_history(); }

  // True for a node of a Galera cluster of MariaDB: it numbers what it gets from the others by
  // itself.
  bool numbers_itself(std::size_t i) const {
    return view_.nodes[i].facts->obstacles.group != GroupState::kNone &&
           std::holds_alternative<MariadbHistory>(history(i));
  }

  // True for two of them, whose numbers cannot be compared.
  bool share_galera(std::size_t a, std::size_t b) const {
    return numbers_itself(a) && numbers_itself(b);
  }

  bool follows(std::size_t replica, std::size_t source) const {
    return std::ranges::count(view_.nodes[replica].sources, std::optional(source)) > 0;
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
    std::set<std::size_t> of_a = view_.upstream[a], of_b = view_.upstream[b];
    of_a.insert(a);
    of_b.insert(b);
    return std::ranges::any_of(of_a, [&](std::size_t i) { return of_b.contains(i); });
  }

  // True for a node that receives from no other that can be compared; in a ring, for one of them.
  bool is_root(std::size_t i) const {
    return std::ranges::none_of(view_.upstream[i], [&](std::size_t up) {
      const bool behind_it_in_ring = view_.upstream[up].contains(i) && up >= i;
      return view_.nodes[up].facts && !behind_it_in_ring;
    });
  }

  // Only where histories begin: a node that receives from such a one shares its divergence. Roots
  // of one and the same history, in a large cluster most of them, are compared with others once.
  void judge_divergence() {
    std::vector<Places> groups;
    for (std::size_t i = 0; i < view_.nodes.size(); ++i) {
      if (!view_.nodes[i].facts || !is_root(i)) continue;
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
            fmt::format("{} and {} have diverged: only {} has {}, only {} has {}",
                        view_.nodes[a].name, view_.nodes[b].name, view_.nodes[a].name, only_a->text,
                        view_.nodes[b].name, only_b->text));
      }
  }

  // The nodes whose transactions `replica` may rightly have.
  std::set<std::size_t> references(std::size_t replica) const {
    std::set<std::size_t> places(view_.writers.begin(), view_.writers.end());
    if (places.empty()) places = view_.upstream[replica];
    places.erase(replica);
    std::erase_if(places, [&](std::size_t i) {
      return !view_.nodes[i].facts || std::holds_alternative<std::monostate>(history(i)) ||
             share_galera(i, replica);
    });
    return places;
  }

  // What a replica has of a writer's own transactions and that lacks is the writer's loss.
  void judge_errant() {
    for (std::size_t i = 0; i < view_.nodes.size(); ++i) {
      if (!view_.nodes[i].facts || view_.nodes[i].takes_writes() || diverged_.contains(i)) continue;
      History all;
      const std::set<std::size_t> whose = references(i);
      for (const std::size_t reference : whose)
        all = unite(
            unite(all, later(reference)),
            written_by(history(i), later(reference), view_.nodes[reference].facts->server_uuid));
      const bool outdated = std::ranges::any_of(
          whose, [this](std::size_t of) { return view_.nodes[of].facts->history_outdated; });
      const auto errant = extra(history(i), all);
      if (whose.empty() || outdated || !errant || !errant->any()) continue;
      assessment_.errant_transactions += errant->count;
      add(Verdict::kErrant, {i},
          fmt::format("{} has {} that {} {}: {}", view_.nodes[i].name,
                      in_words(*errant, "errant transaction"), view_.names(whose),
                      whose.size() == 1 ? "lacks" : "lack", errant->text));
    }
  }

  void judge_lost() {
    for (std::size_t i = 0; i < view_.nodes.size(); ++i) {
      if (view_.nodes[i].facts && is_primary(i)) {
        judge_primary(i);
        continue;
      }
      if (!view_.nodes[i].facts) continue;
      History all;
      const std::set<std::size_t> whose = references(i);
      // Of the others what was read first, so that none of it was on its way.
      for (const std::size_t reference : whose)
        if (keeps_numbers_of(reference, i)) all = unite(all, history(reference));
      const Extra lost = lost_own(view_.nodes[i], all);
      if (lost.any())
        add(Verdict::kLostOwn, {i},
            view_.nodes[i].name + " " +
                describe_lost(view_.nodes[i].name, lost, view_.names(whose)));
    }
  }

  // True for a node that writes; while none does, for one that is open, or follows no node: it was
  // closed, or starts read-only.
  bool is_primary(std::size_t i) const {
    if (!view_.writers.empty()) return view_.nodes[i].takes_writes();
    return view_.nodes[i].writable() || view_.nodes[i].channels().empty();
  }

  // The others have the only copy of what a primary has lost: of its own transactions by their
  // numbers, or by what it tells the receivers when it has used the numbers again.
  void judge_primary(std::size_t i) {
    History all;
    std::set<std::size_t> holders;
    for (std::size_t other = 0; other < view_.nodes.size(); ++other) {
      if (other == i || !view_.nodes[other].facts || !keeps_numbers_of(other, i) ||
          !lost_own(view_.nodes[i], history(other)).any())
        continue;
      holders.insert(other);
      all = unite(all, history(other));
    }
    const Extra lost = lost_own(view_.nodes[i], all);
    if (lost.any())
      return add_lost(i, holders,
                      fmt::format("{} has lost {} that it wrote itself: {}", view_.nodes[i].name,
                                  in_words(lost), lost.text));
    judge_receivers_of(i);
  }

  void judge_receivers_of(std::size_t i) {
    std::set<std::size_t> holders;
    std::string said;
    SourceLoss worst_loss = SourceLoss::kNone;
    for (std::size_t other = 0; other < view_.nodes.size(); ++other)
      for (std::size_t c = 0; c < view_.nodes[other].sources.size(); ++c) {
        if (view_.nodes[other].sources[c] != i) continue;
        const SourceLoss loss = loss_of_source(view_.nodes[other].channels()[c], view_.nodes[i]);
        if (loss == SourceLoss::kNone || loss < worst_loss) continue;
        if (loss > worst_loss) {
          holders.clear();
          said = source_words(view_.nodes[other].channels()[c].io);
        }
        worst_loss = loss;
        holders.insert(other);
      }
    if (worst_loss == SourceLoss::kProven)
      add_lost(i, holders,
               fmt::format("{} has lost transactions that it had sent to {} ({})",
                           view_.nodes[i].name, view_.names(holders), said));
    else if (worst_loss == SourceLoss::kPossible)
      add(Verdict::kPrimaryLost, about_loss(i, holders),
          fmt::format("either {0} has lost transactions, or {1} {2} given a wrong position ({3}); "
                      "{1} may hold transactions that {0} lacks: save them before {4} rebuilt",
                      view_.nodes[i].name, view_.names(holders),
                      holders.size() == 1 ? "was" : "were", said,
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
                    what, view_.names(holders), one ? "holds" : "hold", one ? "it" : "them",
                    view_.nodes[i].name));
  }

  const ClusterView& view_;
  Assessment& assessment_;
  std::set<std::size_t> diverged_;
};

}  // namespace

void judge_histories(const ClusterView& view, Assessment& assessment) {
  HistoryJudge(view, assessment);
}

}  // namespace ha
