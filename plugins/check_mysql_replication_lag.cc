// SPDX-License-Identifier: MIT
#include "plugins/check_mysql_replication_lag.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cmath>

#include "common/cli.h"
#include "common/mysql/cli_options.h"
#include "common/mysql/connect_within.h"
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

// Clocks that differ less are in step, and a clock this far ahead of the source's is believed.
constexpr double kMaxSkew_s = 2;

// In a chain the source may not be the writer: on a server of one channel the freshest beat counts.
// With several it may be another channel's, so only that of the channel's own source does.
const HeartbeatRow* choose_beat(const std::vector<HeartbeatRow>& beats, const ChannelStatus& status,
                                bool only_own) {
  const HeartbeatRow* best = nullptr;
  for (const HeartbeatRow& beat : beats) {
    if (only_own && status.source_server_id != beat.server_id) continue;
    if (best == nullptr || beat.age_s < best->age_s) best = &beat;
  }
  return best;
}

std::string missing_beat(const ChannelStatus& status, const HeartbeatTable& table, bool only_own) {
  if (!only_own)
    return table.server_id
               ? fmt::format("no heartbeat of server {} in {}", *table.server_id, table.table)
               : fmt::format("no heartbeat of another server in {}", table.table);
  const std::string source = status.source_server_id
                                 ? fmt::format("server {}, its source,", *status.source_server_id)
                                 : "its source";
  return fmt::format(
      "no heartbeat of {} in {}; where another server's row comes through this channel, name both "
      "by --channel and --heartbeat-server-id",
      source, table.table);
}

// `on_server`: how many channels the server has, judged or not.
void measure_by_heartbeat(LagFacts& facts, const std::vector<HeartbeatRow>& beats,
                          const HeartbeatTable& table, std::size_t on_server) {
  // An operator names one row for one channel only where it comes through that channel.
  const bool only_own = on_server > 1 && (facts.channels.size() > 1 || !table.server_id);
  for (ChannelLag& channel : facts.channels) {
    channel.method = LagMethod::kHeartbeat;
    if (const HeartbeatRow* beat = choose_beat(beats, channel.status, only_own)) {
      channel.lag_s = age_near(*beat, channel.status.seconds_behind);
      if (!channel.lag_s)
        channel.unknown = "lag unknown, the heartbeat's local time came twice (end of summer time)";
      continue;
    }
    channel.unknown_state = State::kCritical;
    channel.unknown = missing_beat(channel.status, table, only_own);
  }
}

void measure_by_status(ChannelLag& channel) {
  channel.method = LagMethod::kStatus;
  channel.lag_s = channel.status.seconds_behind;
  channel.unknown = "lag unknown, the server shows NULL though both threads run";
}

// Returns how far this server's clock is before that of the writer, when what it tells proves that
// they differ. A transaction cannot arrive before its commit; and Seconds_Behind, which the server
// corrects by the difference of the clocks, may say too much (it counts from the start of a
// statement) but not too little: unless it is 0 because nothing was applied when it was read, or
// nothing that has wholly arrived.
std::optional<double> find_skew(double age_s, const ChannelStatus& status,
                                const ChannelActivity& activity) {
  const auto& transit_s = activity.transit_s;
  if (transit_s && *transit_s < -kMaxSkew_s) return transit_s;
  if (!status.seconds_behind) return std::nullopt;
  if (activity.applying_arrives && *status.seconds_behind == 0) return std::nullopt;
  constexpr double kRounding_s = 1;
  const double skew_s = age_s - *status.seconds_behind;
  const bool was_on_its_way = transit_s && *transit_s <= kMaxSkew_s;
  if (age_s < -kMaxSkew_s || (skew_s > kMaxSkew_s + kRounding_s && !was_on_its_way)) return skew_s;
  return std::nullopt;
}

// What is being applied tells the lag by its commit time. When nothing is, and not all that was
// received is applied, something waits for its delay or its turn whose commit time no table tells:
// the newest received may be far younger. Then the server's own number counts, and also where the
// clocks differ.
void measure_by_applier(ChannelLag& channel, const ChannelActivity& activity) {
  const ChannelStatus& status = channel.status;
  channel.method = LagMethod::kApplier;
  channel.clock_skew_s.reset();
  if (activity.applying_age_s) {
    channel.lag_s = activity.applying_age_s;
    channel.clock_skew_s = find_skew(*activity.applying_age_s, status, activity);
  } else if (status.read == status.executed || activity.queued_is_applied) {
    channel.lag_s = 0;
  }
  if (!channel.lag_s || channel.clock_skew_s) measure_by_status(channel);
}

void measure(ChannelLag& channel, LagMethod wanted, const Activities& activities) {
  const auto found = activities.find(channel.status.name);
  if (wanted != LagMethod::kStatus && found != activities.end())
    return measure_by_applier(channel, found->second);
  if (wanted != LagMethod::kApplier) return measure_by_status(channel);
  channel.method = LagMethod::kApplier;
  channel.unknown = "lag unknown, performance_schema has no commit time for this channel";
}

// MySQL says 0, too, while its applier waits for more, as between two transactions that come over a
// slow link: a clock that seems to be ahead has to seem so by a second reading.
Result<Done> confirm_skews(SqlSession& session, LagFacts& facts, const Activities& activities) {
  const auto seems_ahead = [](const ChannelLag& channel) {
    return channel.clock_skew_s.value_or(0) > 0;
  };
  if (std::ranges::none_of(facts.channels, seems_ahead)) return Done{};
  const auto again = read_replica_status(session);
  if (!again) return again.error();
  for (ChannelLag& channel : facts.channels) {
    const ChannelStatus* const now = find_channel(*again, channel.status.name);
    if (!seems_ahead(channel) || now == nullptr) continue;
    channel.status.seconds_behind = std::max(channel.status.seconds_behind, now->seconds_behind);
    measure_by_applier(channel, activities.at(channel.status.name));
  }
  return Done{};
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

  facts.worker_errors = read_worker_errors(session, *channels);
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
    measure_by_heartbeat(facts, *beats, table, channels->size());
  } else {
    for (ChannelLag& channel : facts.channels) measure(channel, query.method, known);
    if (const auto confirmed = confirm_skews(session, facts, known); !confirmed)
      return confirmed.error();
  }

  for (ChannelLag& channel : facts.channels)
    if (const auto found = known.find(channel.status.name); found != known.end())
      channel.silence = found->second.silence;
  if (known.empty() && !query.state_directory.empty())
    compare_with_last_run(facts, *channels, query.state_directory);
  return facts;
}

namespace {

// How the number was got, for the text.
std::string describe_method(const ChannelLag& channel, bool delay_subtracted) {
  std::string text = method_name(channel.method);
  if (const auto& skew_s = channel.clock_skew_s)
    text += fmt::format(", this server's clock is about {} {} the source's",
                        format_duration(std::abs(*skew_s)), *skew_s < 0 ? "behind" : "ahead of");
  if (delay_subtracted)
    text += fmt::format(", {} delay subtracted", format_duration(channel.status.sql_delay_s));
  return text;
}

// Judges the number; fills state, text and the value of the lag metric.
std::optional<double> judge_lag(const ChannelLag& channel, const WorkerErrors& errors,
                                const LagLimits& limits, Item& item) {
  const ChannelStatus& status = channel.status;
  std::string stopped;
  if (!status.sql.works()) stopped = describe_applier_stop(status, errors);
  if (!status.io.works()) stopped += (stopped.empty() ? "" : "; ") + describe_stop("IO", status.io);
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
  item.text =
      fmt::format("{}{}{} behind {} ({})", stopped, stopped.empty() ? "" : "; ",
                  format_duration(lag), status.source(), describe_method(channel, subtract));
  return lag;
}

void judge_silence(const ChannelLag& channel, const LagLimits& limits, Item& item) {
  if (!channel.silence || !channel.status.io.running()) return;
  // A period of zero means that the source was asked for no heartbeats.
  const double limit =
      limits.stall_s > 0 ? limits.stall_s : 3 * channel.silence->period_s.value_or(0);
  if (limit <= 0 || channel.silence->seconds <= limit) return;
  item.state = worst(item.state, limits.stall);
  const std::string source = channel.status.source();
  const std::string duration = format_duration(channel.silence->seconds);
  item.text += channel.silence->unfinished
                   ? fmt::format("; a transaction from {} began to arrive {} ago and has not ended",
                                 source, duration)
                   : fmt::format("; nothing received from {} for {}, not even a heartbeat", source,
                                 duration);
}

Item judge_channel(const ChannelLag& channel, const WorkerErrors& errors, const LagLimits& limits) {
  const ChannelStatus& status = channel.status;
  Item item{status.name};
  const std::optional<double> lag = judge_lag(channel, errors, limits, item);
  judge_silence(channel, limits, item);
  if (!status.name.empty()) item.text = status.label() + ": " + item.text;
  item.identity = {{"source_host", status.source_host},
                   {"source_port", std::to_string(status.source_port)}};
  item.facts = {{"method", std::string(method_name(channel.method))}};
  if (channel.silence) item.facts.emplace_back("silent_s", channel.silence->seconds);
  if (channel.clock_skew_s) item.facts.emplace_back("clock_skew_s", *channel.clock_skew_s);
  item.metrics = {{"lag", lag, "s", limits.lag, 0},
                  {"sql_delay", status.sql_delay_s, "s", {}, 0},
                  {"relay_log_space", status.relay_log_space, "B", {}, 0}};
  return item;
}

// The methods of all channels, each once.
std::string method_names(const std::vector<ChannelLag>& channels) {
  std::vector<std::string> names;
  for (const ChannelLag& channel : channels)
    if (const char* const name = method_name(channel.method); std::ranges::count(names, name) == 0)
      names.emplace_back(name);
  return join(names, ", ");
}

}  // namespace

CheckResult evaluate(const LagFacts& facts, const LagLimits& limits) {
  CheckResult result{State::kOk, "", {}, "channel"};
  result.notes = facts.notes;
  std::vector<std::string> texts;
  double most = 0;
  for (const ChannelLag& channel : facts.channels) {
    const Item& item =
        result.items.emplace_back(judge_channel(channel, facts.worker_errors, limits));
    result.state = worst(result.state, item.state);
    most = std::max(most, item.metrics[0].value.value_or(0));
  }
  if (!result.items.empty()) {
    const std::string fine =
        result.items.size() == 1
            ? result.items[0].text
            : fmt::format("{} channels, at most {} behind ({})", result.items.size(),
                          format_duration(most), method_names(facts.channels));
    texts.push_back(summarize(result.items, fine));
  }
  for (const std::string& name : facts.missing_channels) {
    result.state = State::kCritical;
    texts.push_back("no channel '" + name + "'");
  }
  if (!facts.state_directory_error.empty()) {
    // The next run could not see a stall, and no output would show that.
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

int plugin_main(Clock& clock, const Arguments& arguments) {
  MysqlOptions mysql;
  LagLimits limits;
  LagQuery query;
  HeartbeatTable heartbeat;
  bool heartbeat_named = false;
  Cli cli(clock, "check_mysql_replication_lag",
          "Checks how far behind each replication channel is.");
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
           "remember receipts here, to see a stall on servers that do not report it (MariaDB)");
  if (const auto exit_code = cli.parse(arguments)) return *exit_code;

  if (heartbeat_named || query.method == LagMethod::kHeartbeat) query.heartbeat = heartbeat;
  if (const auto complete = complete_login(mysql); !complete)
    return cli.usage_error(complete.error().text);
  const std::string server = server_label(mysql);
  cli.waiting_for(server + " (name, connection or login)");
  auto session = connect_within(mysql, cli.deadline());
  if (session) cli.waiting_for("the replication status of " + server);
  const auto facts = session ? gather(**session, server, query) : session.error();
  CheckResult result = facts ? evaluate(*facts, limits) : from_error(facts.error());
  for (std::string& note : option_notes(mysql)) result.notes.push_back(std::move(note));
  return cli.report(result);
}

}  // namespace ha
