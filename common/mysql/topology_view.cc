// SPDX-License-Identifier: MIT
#include "common/mysql/topology_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

namespace {

class Viewer {
 public:
  explicit Viewer(const Topology& topology)
      : nodes_(topology.nodes), writers_(topology.writers()), assessment_(classify(topology, 1)) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) branches_.push_back(find_branch(i));
    for (std::size_t i = 0; i < nodes_.size(); ++i) open_ring(i);
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (branches_[i].foreign.empty() && !branches_[i].source) add_tree(i, 0);
    add_foreign();
    for (const Finding& finding : assessment_.findings)
      view_.state = worst(view_.state, usual_state(finding.verdict));
    for (const NodeView& row : view_.rows) view_.state = worst(view_.state, row.state);
    view_.findings = std::move(assessment_.findings);
  }

  TopologyView take() { return std::move(view_); }

 private:
  // Where a node stands in the tree: by which channel, below which node.
  struct Branch {
    std::size_t channel = 0;
    std::optional<std::size_t> source = {};
    std::string foreign = {};  // a source outside of the cluster
  };

  Branch find_branch(std::size_t i) const {
    const Node& node = nodes_[i];
    for (std::size_t c = 0; c < node.sources.size(); ++c)
      if (node.sources[c]) return {c, node.sources[c]};
    return node.channels().empty() ? Branch{} : Branch{0, {}, node.channels()[0].source()};
  }

  // Makes one node of the ring that `start` leads into a root, if it leads into one.
  void open_ring(std::size_t start) {
    std::vector<std::size_t> path;
    for (std::optional<std::size_t> i = start; i; i = branches_[*i].source) {
      const auto before = std::ranges::find(path, *i);
      if (before != path.end()) {
        const std::size_t top = *std::ranges::min_element(
            before, path.end(), {},
            [&](std::size_t n) { return std::pair(!nodes_[n].writable(), n); });
        branches_[top] = {};
        return;
      }
      path.push_back(*i);
    }
  }

  void add_tree(std::size_t i, std::size_t depth) {
    view_.rows.push_back(describe(i, depth));
    for (std::size_t child = 0; child < nodes_.size(); ++child)
      if (branches_[child].source == i) add_tree(child, depth + 1);
  }

  // Each source outside of the cluster once, above all that follow it.
  void add_foreign() {
    std::vector<std::string> shown;
    for (const Branch& first : branches_) {
      if (first.foreign.empty() || std::ranges::count(shown, first.foreign) > 0) continue;
      shown.push_back(first.foreign);
      view_.rows.push_back({{}, sanitize(first.foreign), 0, "outside", "-"});
      for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (branches_[i].foreign == first.foreign) add_tree(i, 1);
    }
  }

  bool is_followed(std::size_t i) const {
    return std::ranges::any_of(nodes_, [&](const Node& node) {
      return std::ranges::find(node.sources, std::optional(i)) != node.sources.end();
    });
  }

  std::string role(std::size_t i) const {
    const Node& node = nodes_[i];
    switch (node.reach) {
      case Reach::kUnreadable:
        return "unreadable";
      case Reach::kNotAsked:
        return "not asked";
      case Reach::kRefuses:
        return "refuses";
      case Reach::kUnreachable:
        return "unreachable";
      case Reach::kHung:
        return "hung";
      case Reach::kAnswers:
        break;
    }
    if (node.writable() && (node.channels().empty() || writers_.size() == 1)) return "primary";
    if (!node.facts->channels) return "unknown";
    if (!node.channels().empty()) return "replica";
    return is_followed(i) ? "source" : "alone";
  }

  static std::string writes(const Node& node) {
    if (!node.facts) return "-";
    const ServerFacts& facts = *node.facts;
    if (!facts.read_only) return "unknown";
    if (!*facts.read_only) return facts.takes_writes() ? "read-write" : "refused";
    return facts.super_read_only == true ? "super-read-only" : "read-only";
  }

  NodeView describe(std::size_t i, std::size_t depth) const {
    const Node& node = nodes_[i];
    NodeView row{i, node.name, depth, role(i), writes(node)};
    row.follows = depth > 0;
    if (row.follows) row.lag_s = node.channels()[branches_[i].channel].seconds_behind;
    for (std::size_t c = 0; c < node.channels().size(); ++c) describe_channel(i, c, row);
    if (node.writable() && !node.takes_writes())
      row.notes.push_back("takes no writes: " + node.facts->obstacles.text());
    compare(i, row);
    for (const Finding& finding : assessment_.findings)
      if (std::ranges::count(finding.nodes, i) > 0)
        row.state = worst(row.state, usual_state(finding.verdict));
    return row;
  }

  void describe_channel(std::size_t i, std::size_t c, NodeView& row) const {
    const Node& node = nodes_[i];
    const ChannelStatus& channel = node.channels()[c];
    const std::string name = channel.name.empty() ? "" : sanitize(channel.label()) + ": ";
    if (!row.follows || c != branches_[i].channel)
      row.notes.push_back(fmt::format(
          "{}follows {}", name,
          node.sources[c] ? nodes_[*node.sources[c]].name : sanitize(channel.source())));
    const std::pair<const char*, const ReplicationThread*> threads[] = {{"IO", &channel.io},
                                                                        {"SQL", &channel.sql}};
    for (const auto& [word, thread] : threads)
      if (!thread->works()) {
        row.notes.push_back(name + describe_stop(word, *thread));
        row.stopped.push_back(row.notes.back());
        row.state = worst(row.state, State::kWarning);
      }
    if (channel.sql_delay_s > 0)
      row.notes.push_back(
          fmt::format("{}delayed by {}", name, format_duration(channel.sql_delay_s)));
  }

  void compare(std::size_t i, NodeView& row) const {
    const std::optional<std::size_t> other =
        writers_.size() == 1 ? std::optional(writers_[0]) : branches_[i].source;
    if (!other || *other == i || !nodes_[i].facts || !nodes_[*other].facts) return;
    const ServerFacts &own = *nodes_[i].facts, &its = *nodes_[*other].facts;
    const auto lacks = extra(its.history, own.latest_history());
    const auto errant = extra(own.history, its.latest_history());
    if (!lacks || !errant) return;
    row.transactions_behind = lacks->count + unapplied(own.history).value_or(0);
    row.errant_transactions = errant->count;
  }

  const std::vector<Node>& nodes_;
  const std::vector<std::size_t> writers_;
  Assessment assessment_;
  std::vector<Branch> branches_;
  TopologyView view_;
};

}  // namespace

TopologyView view_topology(const Topology& topology) { return Viewer(topology).take(); }

}  // namespace ha
