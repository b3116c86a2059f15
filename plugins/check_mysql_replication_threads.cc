// SPDX-License-Identifier: MIT
#include "plugins/check_mysql_replication_threads.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/address.h"
#include "common/cli.h"
#include "common/mysql/cli_options.h"
#include "common/mysql/connect_within.h"
#include "common/mysql/write_state.h"
#include "common/resolve.h"
#include "common/text.h"
#include "common/thresholds.h"

namespace ha {

Result<ThreadsFacts> gather(SqlSession& session, const std::string& server,
                            const std::string& expected_source) {
  auto channels = read_replica_status(session);
  if (!channels) return channels.error();
  ThreadsFacts facts{server, std::move(*channels)};
  if (facts.channels.empty()) return facts;

  const auto variables = read_variables(
      session, fmt::format("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({})", kWriteVariables));
  if (!variables) return variables.error();
  facts.read_only = flag(*variables, "read_only");
  facts.obstacles = judge_variables(*variables, session.version().flavour);
  facts.worker_errors = read_worker_errors(session, facts.channels);
  if (!expected_source.empty()) {
    const auto expected = parse_host_port(expected_source);
    if (!expected) return expected.error();
    for (const ChannelStatus& channel : facts.channels)
      facts.wrong_source[channel.name] =
          (expected->port != 0 && expected->port != channel.source_port) ||
          !same_host(expected->host, channel.source_host);
  }
  return facts;
}

namespace {

struct Finding {
  State state;
  std::string text;
};

// START ... UNTIL: whether the thread got there. Unset: no column holds what it had to reach.
std::optional<bool> reached_until(const ChannelStatus& channel) {
  const std::string condition = to_lower(channel.until_condition);
  if (channel.until.file.empty()) return std::nullopt;
  if (condition == "master" || condition == "source")
    return binlog_order(channel.executed) >= binlog_order(channel.until);
  if (condition == "relay") return binlog_order(channel.relay) >= binlog_order(channel.until);
  return std::nullopt;
}

// What ended an applier that has no error and an UNTIL condition.
Finding judge_until(const ChannelStatus& channel) {
  const std::string condition = sanitize(channel.until_condition);
  const std::optional<bool> reached = reached_until(channel);
  if (!reached)
    return {State::kWarning,
            fmt::format("SQL thread stopped with an UNTIL condition ({}); the server does not show "
                        "whether it was reached",
                        condition)};
  if (*reached)
    return {State::kWarning,
            fmt::format("SQL thread stopped at its UNTIL condition ({})", condition)};
  const bool relay = to_lower(condition) == "relay";
  const BinlogPosition& at = relay ? channel.relay : channel.executed;
  return {State::kCritical,
          fmt::format("SQL thread stopped at {}:{}, before its UNTIL condition ({} {}:{})",
                      sanitize(at.file), at.offset, condition, sanitize(channel.until.file),
                      channel.until.offset)};
}

Finding judge_sql(const ChannelStatus& channel, const ThreadsFacts& facts) {
  if (channel.sql.works()) return {State::kOk, ""};
  if (!channel.sql.running() && !channel.until_condition.empty() && channel.sql.error_number == 0)
    return judge_until(channel);
  return {State::kCritical, describe_applier_stop(channel, facts.worker_errors)};
}

// MariaDB stops the receiver, too, at a set of GTIDs.
bool may_have_reached_gtids(const ChannelStatus& channel) {
  return to_lower(channel.until_condition) == "gtid" && channel.io.error_number == 0 &&
         channel.io.state == ThreadState::kStopped;
}

Finding judge_io(const ChannelStatus& channel, const ThreadsLimits& limits) {
  if (channel.io.works()) return {State::kOk, ""};
  const bool connecting = channel.io.state == ThreadState::kConnecting;
  if (may_have_reached_gtids(channel))
    return {State::kWarning,
            channel.sql.running()
                ? "IO thread stopped with an UNTIL condition (Gtid); the server does not show "
                  "whether it was reached"
                : "IO thread stopped, source " + channel.source()};
  return {connecting ? limits.connecting : State::kCritical,
          describe_stop("IO", channel.io) + ", source " + channel.source()};
}

Finding judge_source(const ChannelStatus& channel, const ThreadsFacts& facts,
                     const ThreadsLimits& limits) {
  const auto wrong = facts.wrong_source.find(channel.name);
  if (wrong == facts.wrong_source.end() || !wrong->second) return {State::kOk, ""};
  return {State::kCritical,
          fmt::format("attached to {} instead of {}", channel.source(), limits.expected_source)};
}

Item judge_channel(const ChannelStatus& channel, const ThreadsFacts& facts,
                   const ThreadsLimits& limits) {
  const auto word = [](const ReplicationThread& thread) {
    return std::string(thread.works()                             ? "running"
                       : thread.running()                         ? "waiting for disk space"
                       : thread.state == ThreadState::kConnecting ? "connecting"
                                                                  : "stopped");
  };
  Item item{channel.name};
  item.identity = {{"source_host", channel.source_host},
                   {"source_port", std::to_string(channel.source_port)}};
  item.facts = {{"io", word(channel.io)},
                {"sql", word(channel.sql)},
                {"io_errno", std::int64_t{channel.io.error_number}},
                {"sql_errno", std::int64_t{channel.sql.error_number}}};
  std::string text;
  for (const Finding& finding : {judge_sql(channel, facts), judge_io(channel, limits),
                                 judge_source(channel, facts, limits)}) {
    if (finding.text.empty()) continue;
    item.state = worst(item.state, finding.state);
    text += (text.empty() ? "" : "; ") + finding.text;
  }
  if (text.empty()) text = "IO and SQL threads run, source " + channel.source();
  item.text = channel.name.empty() ? text : channel.label() + ": " + text;
  return item;
}

std::vector<Metric> count_threads(const ThreadsFacts& facts, const ThreadsLimits& limits) {
  double io = 0, sql = 0, connecting = 0;
  for (const ChannelStatus& channel : facts.channels) {
    io += channel.io.works();
    sql += channel.sql.works();
    connecting += channel.io.state == ThreadState::kConnecting;
  }
  return {{"channels", static_cast<double>(facts.channels.size()), "", limits.channels, 0},
          {"io_running", io, "", {}, 0},
          {"sql_running", sql, "", {}, 0},
          {"connecting", connecting, "", {}, 0}};
}

}  // namespace

CheckResult evaluate(const ThreadsFacts& facts, const ThreadsLimits& limits) {
  CheckResult result{State::kOk, "", count_threads(facts, limits), "channel"};
  std::vector<std::string> texts;
  const auto add = [&](State state, std::string text) {
    result.state = worst(result.state, state);
    texts.push_back(std::move(text));
  };

  std::vector<std::string> missing;
  for (const ChannelStatus& channel :
       select_channels(facts.channels, limits.channel_names, missing)) {
    result.items.push_back(judge_channel(channel, facts, limits));
    result.state = worst(result.state, result.items.back().state);
  }
  for (const std::string& name : missing) add(State::kCritical, "no channel '" + name + "'");
  if (facts.channels.empty() && missing.empty()) add(limits.not_replica, "not a replica");
  if (const double count = static_cast<double>(facts.channels.size());
      judge(limits.channels, count) != State::kOk)
    add(judge(limits.channels, count), fmt::format("{} channel{}", count, count == 1 ? "" : "s"));
  if (facts.read_only == false && limits.writable != State::kOk)
    add(limits.writable,
        facts.obstacles.any()
            ? fmt::format("is not read-only (read_only=0), though it takes no writes now: {}",
                          facts.obstacles.text())
            : "accepts writes (read_only=0)");

  if (!result.items.empty()) {
    const std::string fine =
        result.items.size() == 1
            ? result.items[0].text
            : fmt::format("{} channels, IO and SQL threads run", result.items.size());
    texts.insert(texts.begin(), summarize(result.items, fine));
  }
  result.text = facts.server + ": " + join(texts, "; ");
  return result;
}

int plugin_main(Clock& clock, const Arguments& arguments) {
  MysqlOptions mysql;
  ThreadsLimits limits;
  Cli cli(clock, "check_mysql_replication_threads",
          "Checks that the IO and SQL threads of each replication channel run.");
  add_mysql_options(cli, mysql);
  cli.thresholds(limits.channels, "the number of channels is");
  cli.list("--channel", "NAME", limits.channel_names,
           "judge only this channel; repeatable, '' is the default channel");
  cli.option(
      "--expect-source", "HOST[:PORT]",
      [&](const std::string& value) -> Result<Done> {
        limits.expected_source = value;
        const auto source = parse_host_port(value);
        return source ? Result<Done>(Done{}) : source.error();
      },
      "CRITICAL when a channel is attached to another source");
  cli.state("--connecting", limits.connecting,
            "state while the IO thread is connecting (default: critical)");
  cli.state("--writable", limits.writable,
            "state when the replica accepts writes (default: warning)");
  cli.state("--not-replica", limits.not_replica,
            "state when the server is not a replica (default: warning)");
  if (const auto exit_code = cli.parse(arguments)) return *exit_code;

  if (const auto complete = complete_login(mysql); !complete)
    return cli.usage_error(complete.error().text);
  const std::string server = server_label(mysql);
  cli.waiting_for(server + " (name, connection or login)");
  auto session = connect_within(mysql, cli.deadline());
  if (session) cli.waiting_for("the replication status of " + server);
  const auto facts = session ? gather(**session, server, limits.expected_source) : session.error();
  CheckResult result = facts ? evaluate(*facts, limits) : from_error(facts.error());
  result.notes = option_notes(mysql);
  return cli.report(result);
}

}  // namespace ha
