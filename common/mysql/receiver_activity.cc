// SPDX-License-Identifier: MIT
#include "common/mysql/receiver_activity.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/files.h"
#include "common/text.h"

namespace ha {

namespace {

// Zero stands for "never" in these tables. Everything is compared by the server's own clock.
constexpr char kActivityQuery[] =
    "SELECT s.CHANNEL_NAME AS channel, UNIX_TIMESTAMP(NOW(6)) AS now_s,"
    " c.HEARTBEAT_INTERVAL AS period, t.PROCESSLIST_TIME AS thread_age,"
    " s.QUEUEING_TRANSACTION <> '' AS queueing,"
    " UNIX_TIMESTAMP(s.QUEUEING_TRANSACTION_START_QUEUE_TIMESTAMP) AS queueing_since,"
    " UNIX_TIMESTAMP(s.QUEUEING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP) AS queueing_commit,"
    " UNIX_TIMESTAMP(s.LAST_HEARTBEAT_TIMESTAMP) AS heartbeat,"
    " UNIX_TIMESTAMP(s.LAST_QUEUED_TRANSACTION_END_QUEUE_TIMESTAMP) AS queued,"
    " UNIX_TIMESTAMP(s.LAST_QUEUED_TRANSACTION_START_QUEUE_TIMESTAMP) AS arrived,"
    " UNIX_TIMESTAMP(s.LAST_ERROR_TIMESTAMP) AS connect_error,"
    " UNIX_TIMESTAMP(s.LAST_QUEUED_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP) AS queued_commit,"
    " (SELECT MAX(UNIX_TIMESTAMP(w.LAST_APPLIED_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP))"
    " FROM performance_schema.replication_applier_status_by_worker w"
    " WHERE w.CHANNEL_NAME = s.CHANNEL_NAME) AS applied_commit,"
    " (SELECT MIN(UNIX_TIMESTAMP(w.APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP))"
    " FROM performance_schema.replication_applier_status_by_worker w"
    " WHERE w.CHANNEL_NAME = s.CHANNEL_NAME AND w.APPLYING_TRANSACTION <> '') AS applying_commit,"
    " (SELECT MIN(UNIX_TIMESTAMP(k.PROCESSING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP))"
    " FROM performance_schema.replication_applier_status_by_coordinator k"
    " WHERE k.CHANNEL_NAME = s.CHANNEL_NAME AND k.PROCESSING_TRANSACTION <> '')"
    " AS processing_commit"
    " FROM performance_schema.replication_connection_status s"
    " JOIN performance_schema.replication_connection_configuration c"
    " ON c.CHANNEL_NAME = s.CHANNEL_NAME"
    " LEFT JOIN performance_schema.threads t ON t.THREAD_ID = s.THREAD_ID";

ChannelActivity read_row(const Row& row) {
  // A time of the row, nullopt for never.
  const auto stamp = [&](std::string_view column) -> std::optional<double> {
    const auto value = row.number(column);
    return value && *value > 0 ? value : std::nullopt;
  };
  ChannelActivity activity;
  const double now = row.number("now_s").value_or(0);

  // A connection is at least as young as its thread and as the last failure to connect.
  std::optional<double> last = row.number("thread_age");
  if (last) last = now - *last;
  // A transaction on its way in is no silence, but its last event may never come.
  for (const char* column : {"heartbeat", "queued", "connect_error", "queueing_since"})
    if (const auto time = stamp(column); last && time) last = std::max(*last, *time);
  if (last)
    activity.silence =
        Silence{std::max(0.0, now - *last), row.number("period"), row.integer("queueing") == 1};

  std::optional<double> applying = stamp("applying_commit");
  if (const auto processing = stamp("processing_commit"))
    applying = std::min(applying.value_or(*processing), *processing);
  if (applying) activity.applying_age_s = now - *applying;
  activity.applying_arrives = applying && applying == stamp("queueing_commit");
  const auto queued = stamp("queued_commit"), applied = stamp("applied_commit");
  if (const auto arrived = stamp("arrived"); queued && arrived)
    activity.transit_s = *arrived - *queued;
  activity.queued_is_applied = queued && applied && *queued <= *applied;
  return activity;
}

}  // namespace

Result<std::map<std::string, ChannelActivity>> read_channel_activity(SqlSession& session) {
  std::map<std::string, ChannelActivity> activity;
  if (session.version().flavour != Flavour::kMysql || !session.version().at_least(8))
    return activity;
  const auto rows = session.query(kActivityQuery);
  if (!rows) {
    Error error = rows.error();
    if (error.code == Errc::kPrivilege)
      error.text += "; run: " + grant_statement(session, "SELECT", "performance_schema.*");
    return error;
  }
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    const Row row(*rows, i);
    activity[row.text("channel").value_or("")] = read_row(row);
  }
  return activity;
}

std::vector<Receipt> update_receipts(const std::vector<Receipt>& before,
                                     const std::vector<ChannelStatus>& channels,
                                     double now_epoch_s) {
  std::vector<Receipt> after;
  for (const ChannelStatus& channel : channels) {
    if (!channel.io.running()) continue;
    Receipt receipt{channel.name, channel.read, channel.received_heartbeats.value_or(0),
                    now_epoch_s};
    const auto old = std::ranges::find(before, channel.name, &Receipt::channel);
    const bool moved = old == before.end() || old->read != receipt.read ||
                       old->heartbeats != receipt.heartbeats || old->since_epoch_s > now_epoch_s;
    after.push_back(moved ? receipt : *old);
  }
  return after;
}

namespace {

std::string receipt_path(const std::string& directory, const std::string& server) {
  return directory + "/receipts-" + to_file_name(server) + ".json";
}

}  // namespace

std::vector<Receipt> load_receipts(const std::string& directory, const std::string& server) {
  const auto content = read_file(receipt_path(directory, server));
  if (!content) return {};
  const auto json = nlohmann::json::parse(*content, nullptr, false);
  if (!json.is_array()) return {};
  std::vector<Receipt> receipts;
  for (const auto& entry : json) {
    const bool sound = entry.is_array() && entry.size() == 5 && entry[0].is_string() &&
                       entry[1].is_string() && entry[2].is_number_unsigned() &&
                       entry[3].is_number_unsigned() && entry[4].is_number();
    if (sound) receipts.push_back({entry[0], {entry[1], entry[2]}, entry[3], entry[4]});
  }
  return receipts;
}

Result<Done> save_receipts(const std::string& directory, const std::string& server,
                           const std::vector<Receipt>& receipts) {
  if (const auto made = make_private_directory(directory); !made) return made;
  nlohmann::json json = nlohmann::json::array();
  for (const Receipt& r : receipts)
    json.push_back({r.channel, r.read.file, r.read.offset, r.heartbeats, r.since_epoch_s});
  // Names come from a server and need not be UTF-8.
  const auto replace = nlohmann::json::error_handler_t::replace;
  return write_file_atomic(receipt_path(directory, server), json.dump(-1, ' ', true, replace));
}

}  // namespace ha
