// SPDX-License-Identifier: MIT
#include "common/failover/choose_winner.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/failover/known_primary.h"
#include "common/text.h"

namespace ha {

namespace {

// Two clients that write on both sides all the time are never so far apart.
constexpr double kClearly_s = 60;

class Choosing {
 public:
  Choosing(const Topology& topology, const Context& context, const WriterFacts& facts)
      : topology_(topology), context_(context), facts_(facts) {
    for (const std::size_t i : topology.writers()) writers_.push_back(&topology.nodes[i]);
  }

  Winner choose() {
    read_votes();
    read_journal();
    read_vip();
    read_replication();
    read_contents();
    read_last_writes();
    facts_.named.empty() ? decide() : heed_operator();
    return std::move(winner_);
  }

 private:
  void add(Weight weight, std::string node, std::string text) {
    winner_.signs.push_back({weight, std::move(node), std::move(text)});
  }

  bool is_writer(const std::string& name) const {
    return std::ranges::find(writers_, name, &Node::name) != writers_.end();
  }

  std::string names() const {
    std::vector<std::string> names;
    for (const Node* const node : writers_) names.push_back(node->name);
    return join(names, ", ");
  }

  void read_votes() {
    const std::string& holder = facts_.lease_holder;
    if (holder.empty()) return;
    add(Weight::kVotes, is_writer(holder) ? holder : "",
        fmt::format("votes: the guard of {} has them", holder));
  }

  // The newest change made one of them the primary, and none of the others since.
  void read_journal() {
    const RunHistory& runs = context_.runs;
    const Node* const last = last_primary(topology_, context_);
    if (last == nullptr || last->name != runs.primary || !last->writable()) return;
    for (const Node* const node : writers_)
      if (node != last &&
          (!runs.replaced.contains(node->name) || was_promoted(context_.memory, *node)))
        return;
    add(Weight::kRole, last->name,
        fmt::format("journal: run {} made {} the primary", runs.run, last->name));
  }

  void read_vip() {
    if (facts_.vip.empty()) return;
    const bool leads_to_one = facts_.vip_nodes.size() == 1 && is_writer(facts_.vip_nodes[0]);
    add(Weight::kRole, leads_to_one ? facts_.vip_nodes[0] : "",
        fmt::format(
            "virtual IP: {} leads to {}", facts_.vip,
            facts_.vip_nodes.empty() ? "no node that can be read" : join(facts_.vip_nodes, ", ")));
  }

  // A replica that receives from one of them, or one of them that receives from another one, though
  // not in a ring.
  void read_replication() {
    for (const Node* const source : writers_) {
      const auto place = static_cast<std::size_t>(source - topology_.nodes.data());
      std::vector<std::string> followers;
      for (const Node& node : topology_.nodes) {
        const ChannelStatus* const channel = channel_to(node, place);
        const auto back = static_cast<std::size_t>(&node - topology_.nodes.data());
        if (channel != nullptr && channel->io.running() && channel_to(*source, back) == nullptr)
          followers.push_back(node.name);
      }
      if (!followers.empty())
        add(Weight::kRole, source->name,
            fmt::format("replication: {} {} from {}", join(followers, ", "),
                        followers.size() == 1 ? "receives" : "receive", source->name));
    }
  }

  void read_contents() {
    std::vector<std::string> whole, texts;
    bool differ = false;
    for (const Node* const node : writers_) {
      bool has_all = true;
      for (const Node* const other : writers_) {
        if (other == node) continue;
        const auto more = extra(other->facts->history, node->facts->latest_history());
        if (!more || more->any()) has_all = false;
        if (!more)
          texts.push_back(
              fmt::format("those of {} and {} cannot be compared", other->name, node->name));
        else if (more->any())
          texts.push_back(fmt::format("{} has {} that {} lacks: {}", other->name, in_words(*more),
                                      node->name, more->text));
        differ = differ || !more || more->any();
      }
      if (has_all) whole.push_back(node->name);
    }
    add(Weight::kContent, whole.size() == 1 && differ ? whole[0] : "",
        "transactions: " + (differ ? join(texts, "; ") : names() + " have the same"));
  }

  void read_last_writes() {
    std::vector<std::pair<double, std::string>> ages;
    std::vector<std::string> texts;
    for (const Node* const node : writers_) {
      const auto age = facts_.last_write_s.find(node->name);
      if (age != facts_.last_write_s.end()) ages.emplace_back(age->second, node->name);
      texts.push_back(age == facts_.last_write_s.end()
                          ? fmt::format("{} does not tell", node->name)
                          : fmt::format("{} {} ago", node->name, format_duration(age->second)));
    }
    std::ranges::sort(ages);
    const bool clear =
        ages.size() == writers_.size() && ages[1].first - ages[0].first >= kClearly_s;
    add(Weight::kTime, clear ? ages[0].second : "", "last write: " + join(texts, ", "));
  }

  void heed_operator() {
    if (!is_writer(facts_.named))
      winner_.reason = fmt::format("{} is none of the nodes that accept writes: {}",
                                   sanitize(facts_.named), names());
    else if (is_writer(facts_.lease_holder) && facts_.lease_holder != facts_.named)
      winner_.reason = fmt::format(
          "the guard of {0} has the votes, so {0} stays the primary until a switchover; to make "
          "{1} "
          "the primary later, run: mysql_ha switchover --to {1}",
          facts_.lease_holder, facts_.named);
    else
      winner_.node = facts_.named;
  }

  void decide() {
    for (const Weight weight : {Weight::kVotes, Weight::kRole, Weight::kContent, Weight::kTime}) {
      std::set<std::string> meant;
      for (const Sign& sign : winner_.signs)
        if (sign.weight == weight && !sign.node.empty()) meant.insert(sign.node);
      if (meant.size() == 1) {
        winner_.node = *meant.begin();
        return;
      }
      if (meant.size() > 1)
        return refuse(fmt::format("the evidence speaks for {}",
                                  join({meant.begin(), meant.end()}, " and for ")));
    }
    refuse("no evidence shows which of them to keep");
  }

  void refuse(const std::string& why) {
    winner_.reason = fmt::format(
        "{} accept writes, and {}. To keep one and replace the data of the others, run: mysql_ha "
        "repair --winner NODE",
        names(), why);
  }

  const Topology& topology_;
  const Context& context_;
  const WriterFacts& facts_;
  std::vector<const Node*> writers_ = {};
  Winner winner_ = {};
};

}  // namespace

Winner choose_winner(const Topology& topology, const Context& context, const WriterFacts& facts) {
  return Choosing(topology, context, facts).choose();
}

}  // namespace ha
