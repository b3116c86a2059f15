// SPDX-License-Identifier: MIT
#include "common/mount/gluster.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"
#include "common/thresholds.h"

namespace ha {

namespace {

// The judgement of one volume as it grows.
struct Judgement {
  State state = State::kOk;
  std::vector<std::string> texts;

  void add(State worse, std::string text) {
    state = worst(state, worse);
    texts.push_back(std::move(text));
  }
};

// What became of a set of bricks that hold the same data.
enum class SetState { kWhole, kReduced, kNoQuorum, kGone };

// As afr_has_quorum() of cluster/afr and ec of cluster/disperse have it; `online` is in the order
// of the volume's bricks, of which the first breaks a tie.
SetState judge_set(const GlusterVolume& info, const std::vector<bool>& online) {
  const std::size_t size = online.size();
  const auto up = static_cast<std::size_t>(std::ranges::count(online, true));
  if (up == size) return SetState::kWhole;
  if (up == 0 || (info.disperse > 0 && up < size - info.redundancy)) return SetState::kGone;
  if (info.disperse > 0) return SetState::kReduced;
  const bool automatic =
      info.quorum_type == "auto" || (info.quorum_type.empty() && info.replicas > 2);
  if (automatic && (2 * up < size || (2 * up == size && !online.front())))
    return SetState::kNoQuorum;
  if (info.quorum_type == "fixed" && up < info.quorum_count) return SetState::kNoQuorum;
  return SetState::kReduced;
}

// Judges the sets and returns how many bricks are online.
std::size_t judge_bricks(const GlusterVolume& info, const BrickStates& bricks,
                         Judgement& judgement) {
  std::size_t total_up = 0;
  SetState worst_set = SetState::kWhole;
  std::vector<std::string> offline;
  for (std::size_t first = 0; first < info.bricks.size(); first += info.set_size()) {
    std::vector<bool> online;
    for (std::size_t i = first; i < first + info.set_size(); ++i) {
      const auto found = bricks.find(info.bricks[i]);
      online.push_back(found != bricks.end() && found->second);
      total_up += online.back() ? 1 : 0;
      if (!online.back())
        offline.push_back(info.bricks[i] + (found == bricks.end() ? " (no answer)" : ""));
    }
    worst_set = std::max(worst_set, judge_set(info, online));
  }
  std::string text = fmt::format("{} of {} bricks online", total_up, info.bricks.size());
  if (!offline.empty()) text += ", offline: " + join(offline, ", ");
  if (worst_set == SetState::kNoQuorum) text = "no write quorum, " + text;
  if (worst_set == SetState::kGone && total_up > 0) text = "some files are unavailable, " + text;
  judgement.add(worst_set == SetState::kWhole     ? State::kOk
                : worst_set == SetState::kReduced ? State::kWarning
                                                  : State::kCritical,
                text);
  return total_up;
}

// Returns how many peers are connected.
std::size_t judge_peers(const std::vector<GlusterPeer>& peers, Judgement& judgement) {
  std::size_t connected = 0;
  for (const GlusterPeer& peer : peers) {
    connected += peer.connected ? 1 : 0;
    if (!peer.connected)
      judgement.add(State::kWarning, fmt::format("peer {} is disconnected", peer.host));
    else if (!peer.in_cluster)
      judgement.add(State::kWarning, fmt::format("peer {}: {}", peer.host, peer.state));
  }
  return connected;
}

// Adds up the counts of the sets: what the copies of a set hold alike is listed by several bricks
// of it.
std::optional<HealCounts> add_up(const GlusterVolume& info, const HealState& heal) {
  if (heal.empty()) return std::nullopt;
  HealCounts sum;
  for (std::size_t first = 0; first < info.bricks.size(); first += info.set_size()) {
    HealCounts most;
    for (std::size_t i = first; i < first + info.set_size(); ++i) {
      const auto found = heal.find(info.bricks[i]);
      if (found == heal.end()) continue;
      most.entries = std::max(most.entries, found->second.entries);
      most.split_brain = std::max(most.split_brain, found->second.split_brain);
    }
    sum.entries += most.entries;
    sum.split_brain += most.split_brain;
  }
  return sum;
}

// Judges what is to be healed and returns it.
std::optional<HealCounts> judge_heal(const GlusterFacts& facts, const Thresholds& backlog,
                                     Judgement& judgement) {
  if (facts.info->set_size() == 1) return std::nullopt;  // there is no copy to heal
  const auto counts = facts.heal ? add_up(*facts.info, *facts.heal) : std::nullopt;
  if (!counts) {
    // With its bricks gone a volume cannot tell, and that is said already.
    if (judgement.state == State::kCritical) return std::nullopt;
    const std::string reason = facts.heal ? "no brick tells" : facts.heal.error().text;
    judgement.add(backlog.warning || backlog.critical ? State::kUnknown : State::kOk,
                  "the entries to heal are unknown: " + reason);
    return std::nullopt;
  }
  const auto entries = [](std::int64_t count) {
    return fmt::format("{} {}", count, count == 1 ? "entry" : "entries");
  };
  if (counts->split_brain > 0)
    judgement.add(State::kCritical, entries(counts->split_brain) + " in split brain");
  judgement.add(judge(backlog, static_cast<double>(counts->entries)),
                counts->entries == 0 ? "nothing to heal" : entries(counts->entries) + " to heal");
  return counts;
}

FactValue to_fact(const std::optional<HealCounts>& counts) {
  return counts ? FactValue(counts->split_brain) : FactValue();
}

}  // namespace

Item judge_gluster(const GlusterFacts& facts, const GlusterLimits& limits) {
  Judgement judgement;
  std::optional<double> total, online, connected;
  std::optional<HealCounts> heal;
  const auto judge_error = [&](const char* what, const Error& error) {
    judgement.add(error.code == Errc::kTimedOut ? limits.hung : from_error(error).state,
                  what + error.text);
  };
  if (!facts.info) {
    judge_error("", facts.info.error());
  } else {
    total = static_cast<double>(facts.info->bricks.size());
    if (facts.info->state != "Started") {
      online = 0;
      judgement.add(State::kCritical, "is " + to_lower(facts.info->state));
    } else if (!facts.bricks) {
      judge_error("it is not known whether its bricks are online: ", facts.bricks.error());
    } else {
      online = static_cast<double>(judge_bricks(*facts.info, *facts.bricks, judgement));
    }
    if (!facts.peers)
      judge_error("its peers are unknown: ", facts.peers.error());
    else
      connected = static_cast<double>(judge_peers(*facts.peers, judgement));
    heal = judge_heal(facts, limits.backlog, judgement);
  }
  Item item{facts.volume, judgement.state,
            fmt::format("volume {}: {}", facts.volume, join(judgement.texts, "; "))};
  item.identity = {{"volume", facts.volume}};
  if (facts.info) item.facts = {{"volume_state", facts.info->state}, {"type", facts.info->type}};
  item.facts.emplace_back("split_brain", to_fact(heal));
  const auto peers =
      facts.peers ? std::optional(static_cast<double>(facts.peers->size())) : std::nullopt;
  item.metrics = {
      {"bricks_online", online, "", {}, 0, total},
      {"bricks_total", total, "", {}, 0},
      {"peers_connected", connected, "", {}, 0, peers},
      {"heal_entries", heal ? std::optional(static_cast<double>(heal->entries)) : std::nullopt, "",
       limits.backlog, 0}};
  return item;
}

}  // namespace ha
