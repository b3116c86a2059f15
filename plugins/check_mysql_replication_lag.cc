// SPDX-License-Identifier: MIT
#include "plugins/check_mysql_replication_lag.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>

#include "common/cli.h"
#include "common/text.h"
#include "common/thresholds.h"

namespace ha {

namespace {

using Activities = std::map<std::string, ChannelActivity>;

const char* method_name(LagMethod method) {
  switch (method) {
    case LagMethod::kHeartbeat:
      return "heartbeat";
    case LagMethod::kApplier:
      return "applier";
    case LagMethod::kAuto:
    case LagMethod::kStatus:
      break;
  }
  return "status";
}

// Commit timestamps: what is being applied now tells the lag; else everything received is applied,
// and the lag is zero, or what waits is at least as old as the newest received.
std::optional<double> applier_lag(const ChannelStatus& status, const ChannelActivity& activity) {
  if (activity.applying_age_s) return activity.applying_age_s;
  if (status.read == status.executed || activity.queued_is_applied) return 0;
  return activity.queued_age_s;
}

// In a chain the source may not be the writer, so with one channel the freshest beat counts; with
// several each channel's own source is looked for first.
const HeartbeatRow* choose_beat(const std::vector<HeartbeatRow>& beats, const ChannelStatus& status,
                                bool several_channels) {
  const HeartbeatRow* best = nullptr;
  for (const HeartbeatRow& beat : beats) {
    if (several_channels && status.source_server_id == beat.server_id) return &beat;
    if (best == nullptr || beat.age_s < best->age_s) best = &beat;
  }
  return best;
}

void measure_by_heartbeat(LagFacts& facts, const std::vector<HeartbeatRow>& beats,
                          const HeartbeatTable& table) {
  for (ChannelLag& channel : facts.channels) {
    channel.method = LagMethod::kHeartbeat;
    const HeartbeatRow* beat = choose_beat(beats, channel.status, facts.channels.size() > 1);
    if (beat != nullptr) {
      channel.lag_s = beat->age_s;
      continue;
    }
    channel.unknown_state = State::kCritical;
    channel.unknown =
        table.server_id
            ? fmt::format("no heartbeat of server {} in {}", *table.server_id, table.table)
            : fmt::format("no heartbeat of another server in {}", table.table);
  }
}

void measure_by_status(ChannelLag& channel) {
  channel.method = LagMethod::kStatus;
  channel.lag_s = channel.status.seconds_behind;
  channel.unknown = "lag unknown, the server says NULL though both threads run";
}

void measure_by_applier(ChannelLag& channel, const Activities& activities) {
  channel.method = LagMethod::kApplier;
  channel.unknown = "lag unknown, performance_schema tells no commit time for this channel";
  if (const auto found = activities.find(channel.status.name); found != activities.end())
    channel.lag_s = applier_lag(channel.status, found->second);
}

// Fills in how long each source has been silent, from two runs where the server does not tell.
// `channels` are all of the server's: checks of single ones may share the directory.
void compare_with_last_run(LagFacts& facts, const std::vector<ChannelStatus>& channels,
                           const std::string& directory) {
  const auto now = static_cast<double>(time(nullptr));
  const auto receipts = update_receipts(load_receipts(directory, facts.server), channels, now);
  for (ChannelLag& channel : facts.channels) {
    const auto receipt = std::ranges::find(receipts, channel.status.name, &Receipt::channel);
    if (receipt != receipts.end())
      channel.silence = Silence{now - receipt->since_epoch_s, channel.status.heartbeat_period_s};
  }
  if (const auto saved = save_receipts(directory, facts.server, receipts); !saved)
    facts.state_directory_error = "--state-dir: " + saved.error().text;
}

}  // namespace

Result<LagFacts> gather(SqlSession& session, const std::string& server, const LagQuery& query) {
  const auto channels = read_replica_status(session);
  if (!channels) return channels.error();
  LagFacts facts{server, {}};
  for (ChannelStatus& status :
       select_channels(*channels, query.channel_names, facts.missing_channels))
    facts.channels.push_back({std::move(status)});
  if (facts.channels.empty()) return facts;

  const bool mariadb = session.version().flavour == Flavour::kMariadb;
  if (query.method == LagMethod::kApplier && mariadb)
    return Error{Errc::kUsage, server + ": --method applier needs MySQL 8 or later, this is " +
                                   session.version().text};
  const auto activities = read_channel_activity(session);
  if (!activities) {
    if (query.method == LagMethod::kApplier) return activities.error();
    facts.notes.push_back(activities.error().text);
  }
  const Activities known = activities ? *activities : Activities{};

  const bool heartbeat_named = query.heartbeat.has_value();
  if (query.method == LagMethod::kHeartbeat ||
      (query.method == LagMethod::kAuto && heartbeat_named)) {
    const HeartbeatTable table = query.heartbeat.value_or(HeartbeatTable{});
    const auto beats = read_heartbeat_table(session, table);
    if (!beats) return beats.error();
    measure_by_heartbeat(facts, *beats, table);
  } else {
    for (ChannelLag& channel : facts.channels) {
      if (query.method != LagMethod::kStatus) measure_by_applier(channel, known);
      if (query.method == LagMethod::kStatus ||
          (query.method == LagMethod::kAuto && !channel.lag_s))
        measure_by_status(channel);
    }
  }

  for (ChannelLag& channel : facts.channels)
    if (const auto found = known.find(channel.status.name); found != known.end())
      channel.silence = found->second.silence;
  if (known.empty() && !query.state_directory.empty())
    compare_with_last_run(facts, *channels, query.state_directory);
  return facts;
}

namespace {

// A replica whose clock is this far before its source's is still believed.
constexpr double kMaxSkew_s = 2;

// Judges the number; fills state, text and the value of the lag metric.
std::optional<double> judge_lag(const ChannelLag& channel, const LagLimits& limits, Item& item) {
  const ChannelStatus& status = channel.status;
  std::string stopped;
  if (!status.sql.running()) stopped = describe_stop("SQL", status.sql);
  if (!status.io.running())
    stopped += (stopped.empty() ? "" : "; ") + describe_stop("IO", status.io);
  // Only a heartbeat grows old while nothing moves.
  if (!stopped.empty() && (channel.method != LagMethod::kHeartbeat || !channel.lag_s)) {
    item.state = State::kCritical;
    item.text = fmt::format("{}; lag behind {} unknown", stopped, status.source());
    return std::nullopt;
  }
  if (!channel.lag_s) {
    item.state = channel.unknown_state;
    item.text = channel.unknown;
    return std::nullopt;
  }
  if (stopped.empty() && *channel.lag_s < -kMaxSkew_s) {
    item.state = State::kUnknown;
    item.text = fmt::format("the last change is {} in the future, the clocks differ ({})",
                            format_duration(-*channel.lag_s), method_name(channel.method));
    return std::nullopt;
  }
  const bool subtract = !limits.include_delay && status.sql_delay_s > 0;
  const double lag = std::max(0.0, *channel.lag_s - (subtract ? status.sql_delay_s : 0));
  item.state = stopped.empty() ? judge(limits.lag, lag) : State::kCritical;
  item.text = fmt::format(
      "{}{}{} behind {} ({}{})", stopped, stopped.empty() ? "" : "; ", format_duration(lag),
      status.source(), method_name(channel.method),
      subtract ? fmt::format(", {} delay subtracted", format_duration(status.sql_delay_s)) : "");
  return lag;
}

void judge_silence(const ChannelLag& channel, const LagLimits& limits, Item& item) {
  if (!channel.silence || !channel.status.io.running()) return;
  // A period of zero means that the source was asked for no heartbeats.
  const double limit =
      limits.stall_s > 0 ? limits.stall_s : 3 * channel.silence->period_s.value_or(0);
  if (limit <= 0 || channel.silence->seconds <= limit) return;
  item.state = worst(item.state, limits.stall);
  item.text += fmt::format("; nothing received from {} for {}, not even a heartbeat",
                           channel.status.source(), format_duration(channel.silence->seconds));
}

Item judge_channel(const ChannelLag& channel, const LagLimits& limits) {
  const ChannelStatus& status = channel.status;
  Item item{status.name};
  const std::optional<double> lag = judge_lag(channel, limits, item);
  judge_silence(channel, limits, item);
  if (!status.name.empty()) item.text = status.label() + ": " + item.text;
  item.identity = {{"source_host", status.source_host},
                   {"source_port", std::to_string(status.source_port)}};
  item.facts = {{"method", std::string(method_name(channel.method))}};
  if (channel.silence) item.facts.emplace_back("silent_s", channel.silence->seconds);
  item.metrics = {{"lag", lag, "s", limits.lag, 0},
                  {"sql_delay", status.sql_delay_s, "s", {}, 0},
                  {"relay_log_space", status.relay_log_space, "B", {}, 0}};
  return item;
}

}  // namespace

CheckResult evaluate(const LagFacts& facts, const LagLimits& limits) {
  CheckResult result{State::kOk, "", {}, "channel"};
  result.notes = facts.notes;
  std::vector<std::string> texts;
  double most = 0;
  for (const ChannelLag& channel : facts.channels) {
    const Item& item = result.items.emplace_back(judge_channel(channel, limits));
    result.state = worst(result.state, item.state);
    most = std::max(most, item.metrics[0].value.value_or(0));
  }
  if (!result.items.empty()) {
    const std::string fine =
        result.items.size() == 1
            ? result.items[0].text
            : fmt::format("{} channels, at most {} behind ({})", result.items.size(),
                          format_duration(most), method_name(facts.channels[0].method));
    texts.push_back(summarize(result.items, fine));
  }
  for (const std::string& name : facts.missing_channels) {
    result.state = State::kCritical;
    texts.push_back("no channel '" + name + "'");
  }
  if (!facts.state_directory_error.empty()) {
    // The next run could not see a stall, and nobody would know.
    result.state = worst(result.state, State::kUnknown);
    texts.push_back(facts.state_directory_error);
  }
  if (texts.empty()) {
    result.state = limits.not_replica;
    texts.push_back("not a replica");
  }
  result.text = facts.server + ": " + join(texts, "; ");
  return result;
}

int plugin_main(const std::vector<std::string>& args) {
  MysqlOptions mysql;
  LagLimits limits;
  LagQuery query;
  HeartbeatTable heartbeat;
  bool heartbeat_named = false;
  Cli cli("check_mysql_replication_lag", "Checks how far behind each replication channel is.");
  add_mysql_options(cli, mysql);
  cli.thresholds(limits.lag, "the lag in seconds is");
  cli.choice<LagMethod>("--method",
                        {{"auto", LagMethod::kAuto},
                         {"status", LagMethod::kStatus},
                         {"heartbeat", LagMethod::kHeartbeat},
                         {"applier", LagMethod::kApplier}},
                        query.method, "auto (default), status, heartbeat or applier");
  add_heartbeat_options(cli, heartbeat, heartbeat_named);
  cli.list("--channel", "NAME", query.channel_names,
           "judge only this channel; repeatable, '' is the default channel");
  cli.flag("--include-delay", limits.include_delay, "do not subtract SQL_Delay from the lag");
  cli.state("--not-replica", limits.not_replica,
            "state when the server is not a replica (default: warning)");
  cli.seconds_state("--stall", limits.stall_s, limits.stall,
                    "state when the source has sent nothing for so long (default: three heartbeat "
                    "periods, warning)");
  cli.text("--state-dir", "DIR", query.state_directory,
           "remember receipts here, to see a stall on servers that do not tell (MariaDB)");
  if (const auto exit_code = cli.parse(args)) return *exit_code;

  if (heartbeat_named || query.method == LagMethod::kHeartbeat) query.heartbeat = heartbeat;
  const std::string server = server_label(mysql);
  cli.waiting_for(server + " (name, connection or login)");
  auto session = connect(mysql);
  if (session) cli.waiting_for(server + " to tell its replication status");
  const auto facts = session ? gather(**session, server, query) : session.error();
  CheckResult result = facts ? evaluate(*facts, limits) : from_error(facts.error());
  for (std::string& note : option_notes(mysql)) result.notes.push_back(std::move(note));
  return cli.report(result);
}

}  // namespace ha
