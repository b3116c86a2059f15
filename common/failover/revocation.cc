// SPDX-License-Identifier: MIT
#include "common/failover/revocation.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

namespace {

// A clock that was set back by more does not tell how old something is.
constexpr double kClockError_s = 60;

// The names of a source's settings follow that of the one that switches it on.
class Names {
 public:
  explicit Names(const SemiSync& semi_sync)
      : old_(semi_sync.source_variable.find("master") != std::string::npos) {}

  std::string setting(std::string_view suffix) const {
    return fmt::format("rpl_semi_sync_{}_{}", old_ ? "master" : "source", suffix);
  }
  std::string wait_no_replica() const {
    return setting(old_ ? "wait_no_slave" : "wait_no_replica");
  }
  std::string status() const { return fmt::format("R{}", setting("status").substr(1)); }
  std::string clients() const { return fmt::format("R{}", setting("clients").substr(1)); }

 private:
  bool old_;
};

struct Wish {
  std::string setting, seen, wanted;
};

class Judge {
 public:
  explicit Judge(const Takeover& takeover)
      : takeover_(takeover),
        memory_(takeover.context.memory),
        primary_(takeover.primary_node()),
        seen_(memory_.find(primary_.name)) {}

  Revocation judge() {
    std::vector<std::string> missing;
    std::string unknown = why_not_known();
    if (!unknown.empty()) missing.push_back(std::move(unknown));
    if (missing.empty())
      for (const std::string& one : {why_not_lossless(), why_not_active()})
        if (!one.empty()) missing.push_back(one);
    Revocation revocation;
    find_receivers(revocation);
    if (missing.empty())
      if (std::string left = describe_left(revocation); !left.empty())
        missing.push_back(std::move(left));
    revocation.missing = join(missing, "; ");
    return revocation;
  }

 private:
  const SemiSync& settings() const { return seen_->semi_sync; }

  // Returns that nothing, or nothing recent, is known of its settings.
  std::string why_not_known() const {
    const std::string look = "run a check of all nodes, or mysql_ha status, once a minute";
    if (seen_ == nullptr || seen_->semi_sync_s <= 0)
      return fmt::format("the semi-sync settings of {} are not known{}; {}", primary_.name,
                         takeover_.context.memory_trouble.empty()
                             ? ", it has not been seen since it became the primary"
                             : fmt::format(" ({})", sanitize(takeover_.context.memory_trouble)),
                         look);
    const double age_s = takeover_.context.now_s - seen_->semi_sync_s;
    if (age_s < -kClockError_s)
      return fmt::format(
          "it is not known when the semi-sync settings of {} were seen, because the clock was set "
          "back; {}",
          primary_.name, look);
    if (age_s > kSettingsAge_s)
      return fmt::format("the semi-sync settings of {} were last seen {} ago, more than a day; {}",
                         primary_.name, format_duration(age_s), look);
    return "";
  }

  // Returns which of its settings let it acknowledge what no replica has, and what to set.
  std::string why_not_lossless() const {
    const SemiSync& own = settings();
    if (own.source_variable.empty())
      return fmt::format(
          "{} had no semi-sync source; run there: INSTALL PLUGIN rpl_semi_sync_source SONAME "
          "'semisync_source.so'",
          primary_.name);
    const Names names(own);
    std::vector<Wish> wishes;
    const auto expect = [&](bool good, std::string setting, std::string seen, std::string wanted) {
      if (!good) wishes.push_back({std::move(setting), std::move(seen), std::move(wanted)});
    };
    const auto word = [](const std::optional<bool>& value, const char* on, const char* off) {
      return value ? *value ? on : off : "not known";
    };
    expect(own.source_enabled == true, own.source_variable, word(own.source_enabled, "ON", "OFF"),
           "ON");
    expect(own.after_sync == true, names.setting("wait_point"),
           word(own.after_sync, "AFTER_SYNC", "AFTER_COMMIT"), "AFTER_SYNC");
    expect(own.wait_no_replica == true, names.wait_no_replica(),
           word(own.wait_no_replica, "ON", "OFF"), "ON");
    expect(own.timeout_ms.value_or(0) >= SemiSync::kLosslessTimeout_ms, names.setting("timeout"),
           own.timeout_ms ? std::to_string(*own.timeout_ms) : "not known",
           std::to_string(SemiSync::kLosslessTimeout_ms));
    return describe(wishes);
  }

  std::string describe(const std::vector<Wish>& wishes) const {
    if (wishes.empty()) return "";
    std::vector<std::string> seen, sets;
    for (const Wish& wish : wishes) {
      seen.push_back(fmt::format("{} was {}", wish.setting, wish.seen));
      sets.push_back(fmt::format("GLOBAL {}={}", wish.setting, wish.wanted));
    }
    return fmt::format(
        "{}: {}; while it is the primary, run there: SET {}, and put the same into "
        "its option file",
        primary_.name, join(seen, ", "), join(sets, ", "));
  }

  // Returns that it did not wait although it was to, or that it is not known how many acknowledge.
  std::string why_not_active() const {
    const SemiSync& own = settings();
    if (own.source_enabled != true) return "";
    const Names names(own);
    if (own.source_active != true)
      return fmt::format(
          "{} did not wait for acknowledgements when it was last seen ({} was {}); on its "
          "replicas, "
          "check that they acknowledge",
          primary_.name, names.status(), own.source_active ? "OFF" : "not known");
    if (!own.clients || !own.wait_count)
      return fmt::format("it is not known how many replicas acknowledge to {} ({})", primary_.name,
                         names.clients());
    return "";
  }

  void find_receivers(Revocation& revocation) const {
    for (std::size_t i = 0; i < takeover_.nodes().size(); ++i)
      for (std::size_t c = 0; c < takeover_.nodes()[i].sources.size(); ++c)
        if (i != takeover_.primary && takeover_.nodes()[i].sources[c] == takeover_.primary)
          revocation.receivers.push_back({i, c});
  }

  // True when the node received from the primary and acknowledged in the look that saw the primary
  // last.
  bool was_acknowledging(const SeenNode& node) const {
    return node.semi_sync_s == seen_->semi_sync_s &&
           node.semi_sync.replica_active.value_or(node.semi_sync.replica_enabled == true) &&
           std::ranges::any_of(node.channels, [&](const SeenChannel& channel) {
             return channel.source == primary_.name && channel.io.running();
           });
  }

  // Returns how many replicas acknowledged to the primary that were not seen as nodes which do.
  std::int64_t count_strangers() const {
    std::int64_t known = 0;
    for (const auto& [name, node] : memory_.nodes)
      if (name != primary_.name && was_acknowledging(node)) ++known;
    return std::max<std::int64_t>(0, settings().clients.value_or(0) - known);
  }

  // True when a node that cannot be read may acknowledge to the primary.
  bool may_acknowledge(const Node& node) const {
    if (node.facts && node.facts->channels) return false;
    const SeenNode* const seen = memory_.find(node.name);
    if (seen == nullptr || seen->semi_sync_s <= 0 ||
        takeover_.context.now_s - seen->semi_sync_s > kSettingsAge_s)
      return true;
    if (seen->semi_sync.replica_enabled != true && seen->semi_sync.replica_active != true)
      return false;
    // One that follows a replica acknowledges to that one.
    return seen->channels.empty() ||
           std::ranges::any_of(seen->channels, [&](const SeenChannel& channel) {
             return channel.source.empty() || channel.source == primary_.name;
           });
  }

  // Returns that too many are left that may acknowledge when the receivers have stopped; empty:
  // fewer than the primary waits for, which `revocation` tells then.
  std::string describe_left(Revocation& revocation) const {
    std::vector<std::string> unread;
    for (const Node& node : takeover_.nodes())
      if (&node != &primary_ && may_acknowledge(node)) unread.push_back(node.name);
    const std::int64_t strangers = count_strangers();
    const std::int64_t left = strangers + static_cast<std::int64_t>(unread.size());
    const std::int64_t wanted = std::max<std::int64_t>(1, *settings().wait_count);
    if (left < wanted) {
      std::vector<std::string> stopped;
      for (const Receiver& one : revocation.receivers)
        if (const std::string& name = takeover_.nodes()[one.node].name;
            std::ranges::find(stopped, name) == stopped.end())
          stopped.push_back(name);
      revocation.text = fmt::format(
          "{} waits for {} under lossless semi-sync, as it was last seen, and gets {} when {} no "
          "longer receive{}",
          primary_.name, count_words(wanted), left == 0 ? "none" : fmt::format("at most {}", left),
          stopped.empty() ? "its replicas" : join(stopped, ", "), stopped.size() == 1 ? "s" : "");
      return "";
    }
    std::vector<std::string> reasons;
    if (!unread.empty())
      reasons.push_back(
          fmt::format("{0} may acknowledge and cannot be asked to stop receiving; make {0} answer",
                      join(unread, ", ")));
    if (strangers > 0)
      reasons.push_back(fmt::format(
          "{0} that acknowledged when {1} was last seen ({2} was {3}) {4} none of the nodes that "
          "were seen to; name {5} with --node, or run there: SET GLOBAL {6}=OFF",
          strangers == 1 ? "one replica" : fmt::format("{} replicas", strangers), primary_.name,
          Names(settings()).clients(), *settings().clients, strangers == 1 ? "is" : "are",
          strangers == 1 ? "it" : "them",
          settings().source_variable.find("master") != std::string::npos
              ? "rpl_semi_sync_slave_enabled"
              : "rpl_semi_sync_replica_enabled"));
    return fmt::format("{} waits for {}, which it may still get: {}", primary_.name,
                       count_words(wanted), join(reasons, "; "));
  }

  static std::string count_words(std::int64_t count) {
    return count == 1 ? "one acknowledgement" : fmt::format("{} acknowledgements", count);
  }

  const Takeover& takeover_;
  const Memory& memory_;
  const Node& primary_;
  const SeenNode* const seen_;
};

}  // namespace

Revocation judge_revocation(const Takeover& takeover) { return Judge(takeover).judge(); }

}  // namespace ha
