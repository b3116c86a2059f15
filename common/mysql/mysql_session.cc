// SPDX-License-Identifier: MIT
#include "common/mysql/mysql_session.h"

#include <fmt/format.h>

#include "common/mysql/session_error.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr std::size_t kMebibyte = 1u << 20;

// The status of a hub has each channel's sets of GTIDs in a row.
constexpr ResultLimit kUsualResult = {10'000, 32 * kMebibyte},
                      kLongResult = {1'000'000, 256 * kMebibyte};

// By either library's word for a packet above MYSQL_OPT_MAX_ALLOWED_PACKET. A server of its own may
// send the second, with a text.
bool is_packet_too_large(MYSQL* mysql) {
  constexpr unsigned kPacketTooLarge = 2020, kPacketTooLargeHere = 1153;
  const unsigned number = mysql_errno(mysql);
  return number == kPacketTooLarge ||
         (number == kPacketTooLargeHere && trim(mysql_error(mysql)).empty());
}

}  // namespace

MysqlSession::MysqlSession(Peer peer, unsigned answer_timeout_s)
    : peer_(std::move(peer)), mysql_(mysql_init(nullptr)), answer_timeout_s_(answer_timeout_s) {}

MysqlSession::~MysqlSession() {
  if (mysql_ != nullptr) mysql_close(mysql_);
}

void MysqlSession::remember_version() {
  version_ = parse_version(mysql_get_server_info(mysql_), mysql_->server_capabilities);
}

Error MysqlSession::login_error(const TransferLimit& transfer) const {
  return error(transfer, kUsualResult, "");
}

Result<Rows> MysqlSession::query(const std::string& sql) { return run(sql, kUsualResult); }

Result<Rows> MysqlSession::query_long(const std::string& sql) { return run(sql, kLongResult); }

Result<Rows> MysqlSession::run(const std::string& sql, const ResultLimit& limit) {
  const std::lock_guard turn(in_use_);
  TransferLimit transfer(mysql_, kMaxHeader, answer_timeout_s_);
  if (mysql_real_query(mysql_, sql.data(), sql.size()) != 0) return error(transfer, limit, sql);
  Rows rows;
  // Row by row: the limit holds before the memory is taken.
  MYSQL_RES* const result = mysql_use_result(mysql_);
  if (result == nullptr) {
    if (mysql_field_count(mysql_) != 0) return error(transfer, limit, sql);
    return rows;
  }
  transfer.allow(limit.bytes + kMaxHeader);
  const auto read = read_rows(result, transfer, limit, sql, rows);
  mysql_free_result(result);
  if (!read) return read.error();
  return rows;
}

Result<Done> MysqlSession::read_rows(MYSQL_RES* result, TransferLimit& transfer,
                                     const ResultLimit& limit, const std::string& sql, Rows& rows) {
  const unsigned count = mysql_num_fields(result);
  const MYSQL_FIELD* const fields = mysql_fetch_fields(result);
  for (unsigned i = 0; i < count; ++i) rows.columns.emplace_back(fields[i].name);
  std::size_t bytes = 0;
  while (const MYSQL_ROW row = mysql_fetch_row(result)) {
    const unsigned long* const lengths = mysql_fetch_lengths(result);
    bytes += count * sizeof rows.cells[0][0];
    for (unsigned i = 0; i < count; ++i) bytes += lengths[i];
    if (bytes > limit.bytes || rows.cells.size() == limit.rows) {
      // Else the rest would be read, to throw it away.
      transfer.cut(TransferLimit::Excess::kBytes);
      return too_large(limit, sql);
    }
    auto& cells = rows.cells.emplace_back();
    for (unsigned i = 0; i < count; ++i) {
      if (row[i] == nullptr)
        cells.emplace_back();
      else
        cells.emplace_back(std::string(row[i], lengths[i]));
    }
    transfer.check();
  }
  if (mysql_errno(mysql_) != 0 || transfer.excess() != TransferLimit::Excess::kNone)
    return error(transfer, limit, sql);
  return Done{};
}

Error MysqlSession::error(const TransferLimit& transfer, const ResultLimit& limit,
                          const std::string& sql) const {
  if (transfer.excess() == TransferLimit::Excess::kTime)
    return {Errc::kUnreachable,
            fmt::format("{}: no whole answer to {} within {} s", peer_.label, name_statement(sql),
                        transfer.seconds()),
            mysql_errno(mysql_)};
  if (transfer.excess() == TransferLimit::Excess::kBytes || is_packet_too_large(mysql_))
    return too_large(limit, sql);
  return describe_failure(peer_, {mysql_errno(mysql_), mysql_error(mysql_), sql,
                                  (mysql_->server_capabilities & CLIENT_PROTOCOL_41) != 0});
}

Error MysqlSession::too_large(const ResultLimit& limit, const std::string& sql) const {
  if (sql.empty())
    return {Errc::kBadData, peer_.label + ": the server sends too much at the login"};
  return {Errc::kBadData,
          fmt::format("{}: the answer to {} is too large (read are at most {} MiB and {} rows)",
                      peer_.label, name_statement(sql), limit.bytes / kMebibyte, limit.rows)};
}

}  // namespace ha
