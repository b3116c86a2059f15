// SPDX-License-Identifier: MIT
#include "common/failover/loss.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/failover/received.h"
#include "common/failover/unread.h"
#include "common/text.h"

namespace ha {

namespace {

// Returns what the primary, which lives, has written and no replica has received; nullopt when
// nothing tells.
std::optional<Extra> not_received(const Decision& d, const Node& primary) {
  const std::size_t best = d.ahead.value_or(d.candidate);
  const ChannelStatus* const channel = d.channel(best);
  const auto lead = extra(primary.facts->history, d.nodes()[best].facts->latest_history());
  // By file and position the relay log holds what no GTID position tells.
  const auto& end = primary.facts->binlog;
  if (channel == nullptr || channel->uses_gtid || !end) return lead;
  if (binlog_order(channel->read) >= binlog_order(*end)) return Extra{};
  if (lead) return lead;
  // What is on its way to one that receives is no loss yet.
  return channel->io.running()
             ? Extra{0, true}
             : Extra{1, true, fmt::format("events up to {}:{}", end->file, end->offset)};
}

// What the candidate has may be old: its receiver stopped, or was refused, while the primary went
// on.
void judge_age(Decision& d) {
  if (is_up_to_date(d, d.candidate) || (d.ahead && is_up_to_date(d, *d.ahead))) return;
  const Receipt old = d.receipt(d.candidate);
  const std::string text = fmt::format(
      "{} did not receive from {} to the end ({}{})", d.candidate_node().name, d.plan.primary,
      old.reason, old.since_s > 0 ? ", since " + format_time(old.since_s) : "");
  d.unknown.push_back(text);
  if (d.has_limit() && !d.policy.allow_loss)
    return d.refuse(
        Refusal::kTooMuchLoss,
        fmt::format("{}: the number of lost transactions is not known, and the loss is limited "
                    "(--max-lost-transactions, --max-lag). To promote it all the same, "
                    "run: mysql_ha failover --allow-loss",
                    text));
  // A rescue brings it, or is a warning itself.
  if (d.policy.rescue_command.empty())
    d.warn(fmt::format("{}: later writes to {} are lost", text, d.plan.primary));
}

// Reports what is not known of the loss, where the primary itself does not tell.
void explain_loss(Decision& d) {
  for (const Node& node : d.nodes())
    if (node.name != d.plan.primary && !node.facts && node.alive())
      d.unknown.push_back(node.name + " cannot be read and may have received more transactions");
  if (!d.unknown.empty() && d.known_loss == 0) d.plan.loss.transactions.reset();
  std::vector<std::string> silent;
  for (const Node& node : d.nodes())
    if (node.name != d.plan.primary && !node.alive()) silent.push_back(node.name);
  if (!silent.empty()) d.unknown.push_back("no answer from " + join(silent, ", "));
  d.plan.loss.text = join(d.unknown, ", ");
}

// The primary lives: what it tells is the loss if it died now.
void ask_primary(Decision& d, const Node& primary) {
  LossForecast& loss = d.plan.loss;
  const auto lead = not_received(d, primary);
  if (!lead) return loss.transactions.reset();
  loss.transactions = std::max(lead->count, d.known_loss);
  loss.at_least = lead->at_least;
  loss.text = lead->any() ? "not received: " + lead->text : "";
  const SourceLoss own = loss_of_own(d, primary);
  if (own == SourceLoss::kNone) return;
  loss.transactions.reset();
  loss.text =
      fmt::format("{} {}: it is not known how many other transactions {} lacks", d.plan.primary,
                  own == SourceLoss::kProven
                      ? "has lost transactions that it had sent, and uses their numbers again"
                      : "may have lost transactions that it had sent",
                  d.candidate_node().name);
}

}  // namespace

void judge_unread(Decision& d) {
  for (std::size_t i = 0; i < d.nodes().size(); ++i) {
    if (!may_have_more(d, i)) continue;
    const Node& node = d.nodes()[i];
    const std::string text =
        fmt::format("{} {} ({}): it may have transactions that {} lacks", node.name,
                    node.alive() ? "is alive and cannot be read" : "could not be asked",
                    sanitize(node.error), d.plan.candidate);
    if (d.forbids_loss())
      d.refuse(Refusal::kTooMuchLoss,
               fmt::format("{}, and {}. Correct that. To accept the loss instead, run: mysql_ha "
                           "failover --allow-loss",
                           text,
                           d.has_limit() ? "the loss is limited"
                                         : d.plan.primary + " used lossless semi-sync"));
    else
      d.warn(text);
  }
}

void forecast_loss(Decision& d) {
  LossForecast& loss = d.plan.loss;
  loss.transactions = d.known_loss;
  loss.at_least = true;
  const Node& primary = d.living != nullptr ? *d.living : d.primary_node();
  const ChannelStatus* const channel = d.channel(d.candidate);
  const auto lag = channel == nullptr ? std::nullopt : channel->seconds_behind;
  if (primary.facts) {
    ask_primary(d, primary);
    loss.seconds = lag;
  }
  if (d.policy.max_lost_transactions &&
      loss.transactions.value_or(0) > *d.policy.max_lost_transactions)
    return d.refuse(Refusal::kTooMuchLoss,
                    fmt::format("{} transactions would be lost, more than {} ({})",
                                *loss.transactions, *d.policy.max_lost_transactions, loss.text));
  if (d.policy.max_lag_s && lag && *lag > *d.policy.max_lag_s)
    return d.refuse(Refusal::kTooMuchLoss,
                    fmt::format("{} is {} behind, more than {}", d.candidate_node().name,
                                format_duration(*lag), format_duration(*d.policy.max_lag_s)));
  judge_age(d);
  if (!primary.facts) explain_loss(d);
}

}  // namespace ha
