// SPDX-License-Identifier: MIT
#include "common/merge/saved_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "common/execute/binlog_text.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr std::size_t kMostLine = 64 * 1024;  // that is looked at in one piece
constexpr std::size_t kKeptStatement = 64 * 1024;
constexpr std::uint64_t kMostEvent = std::uint64_t{1} << 30;  // of max_allowed_packet
constexpr std::string_view kDelimiterWord = "DELIMITER ", kEventsWord = "BINLOG '";

// Returns six bits, or nothing for what is none of the 64 characters.
std::optional<unsigned> six_bits(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return std::nullopt;
}

bool starts_with_word(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && to_upper(text.substr(0, word.size())) == word;
}

// What mysqlbinlog prints before statements, so that they run as they did, also by version:
// "/*!100001 SET @@session.server_id=1*/".
bool is_setting(std::string_view sql) {
  if (sql.starts_with("/*!\\C ")) return true;
  if (sql.starts_with("/*!") || sql.starts_with("/*M!"))
    return sql.substr(std::min(sql.find_first_not_of("/*M!0123456789 "), sql.size()))
        .starts_with("SET ");
  for (const char* const front :
       {"SET TIMESTAMP=", "SET @", "SET INSERT_ID=", "SET LAST_INSERT_ID=", "SAVEPOINT", "COMMIT"})
    if (sql.starts_with(front)) return true;
  return sql == "BEGIN" || sql == "START TRANSACTION";
}

class SavedText {
 public:
  explicit SavedText(const SavedTextReader& reader);

  Result<SavedTextCounts> read(std::istream& text);

 private:
  Result<Done> take_line(std::string_view line, bool whole);
  // Takes a piece of a statement, which ends with the delimiter at the end of a line.
  Result<Done> take_sql(std::string_view piece, bool line_ends);
  Result<Done> end_statement();
  // Takes what tells of transactions and databases alone. True: it is no more than that.
  bool follow_transaction(std::string_view sql);
  Result<Done> take_events(std::string_view line, bool whole);
  Result<Done> take_base64(std::string_view line);
  Result<Done> take_event_bytes();
  bool between() const { return bytes_ == 0; }

  const SavedTextReader& reader_;
  RowEvents events_;
  SavedTextCounts counts_ = {};
  std::string delimiter_ = ";", tail_ = {};
  SavedStatement statement_ = {};
  std::uint64_t bytes_ = 0;  // of the statement so far
  std::string database_ = {}, event_ = {};
  std::uint64_t prepared_ = 0;  // by XA, and not committed
  bool in_events_ = false, in_comment_ = false, has_rows_ = false;
};

SavedText::SavedText(const SavedTextReader& reader)
    : reader_(reader), events_(reader.describe, [this](const auto& table, const auto& change) {
        has_rows_ = true;
        return reader_.row(table, change);
      }) {}

Result<SavedTextCounts> SavedText::read(std::istream& text) {
  std::string buffer(kMostLine, '\0');
  std::uint64_t line = 1;
  for (;;) {
    text.getline(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto got = static_cast<std::size_t>(text.gcount());
    const bool cut = text.fail() && got == buffer.size() - 1;
    if (text.fail() && !cut) break;
    if (cut) text.clear();
    const bool line_ends = !cut;
    const std::size_t size = line_ends && !text.eof() ? got - 1 : got;
    const auto taken = take_line(std::string_view(buffer).substr(0, size), line_ends);
    if (!taken)
      return Error{taken.error().code, fmt::format("line {}: {}", line, taken.error().text),
                   taken.error().server_errno};
    line += line_ends ? 1 : 0;
    if (text.eof()) break;
  }
  if (text.bad()) return Error{Errc::kInternal, "the file cannot be read"};
  counts_.rolled_back += prepared_;
  if (in_events_ || bytes_ > 0)
    return Error{Errc::kBadData, "the file ends in the middle of a statement"};
  return counts_;
}

Result<Done> SavedText::take_line(std::string_view line, bool whole) {
  if (in_events_) return take_events(line, whole);
  if (in_comment_ || (between() && (line.starts_with('#') || line == "--" ||
                                    line.starts_with("-- ") || (line.empty() && whole)))) {
    in_comment_ = !whole;
    return Done{};
  }
  if (between() && whole && line.starts_with(kDelimiterWord)) {
    delimiter_ = trim(line.substr(kDelimiterWord.size()));
    if (delimiter_.empty() || delimiter_.size() > 16)
      return Error{Errc::kBadData, "this is no delimiter"};
    return Done{};
  }
  if (between() && whole && trim(line) == kEventsWord) {
    in_events_ = true;
    return Done{};
  }
  return take_sql(line, whole);
}

Result<Done> SavedText::take_sql(std::string_view piece, bool line_ends) {
  bytes_ += piece.size() + (line_ends ? 1 : 0);
  const std::size_t room = kKeptStatement - std::min(kKeptStatement, statement_.text.size());
  statement_.text += piece.substr(0, room);
  if (line_ends && room > piece.size()) statement_.text += '\n';
  tail_ += piece.substr(piece.size() - std::min(piece.size(), delimiter_.size()));
  tail_.erase(0, tail_.size() - std::min(tail_.size(), delimiter_.size()));
  const bool ends = line_ends && tail_ == delimiter_;
  if (line_ends) tail_.clear();
  return ends ? end_statement() : Result<Done>(Done{});
}

Result<Done> SavedText::end_statement() {
  SavedStatement statement = std::exchange(statement_, {});
  statement.bytes = std::exchange(bytes_, 0) - delimiter_.size() - 1;
  if (statement.bytes < statement.text.size()) statement.text.resize(statement.bytes);
  statement.text = std::string(trim(statement.text));
  const std::string& sql = statement.text;
  if (sql.find("@binlog_fragment_0") != sql.npos || starts_with_word(sql, "BINLOG"))
    return Error{Errc::kBadData, "events are printed in a form that is not understood"};
  if (sql.empty() || follow_transaction(sql) || is_setting(sql)) return Done{};
  ++counts_.statements;
  statement.database = database_;
  return reader_.statement(statement);
}

bool SavedText::follow_transaction(std::string_view sql) {
  if (begins_transaction(sql)) {
    ++counts_.transactions;
    has_rows_ = false;
  }
  // What was prepared is another transaction of the log than what became of it.
  if (starts_with_word(sql, "XA PREPARE")) ++prepared_;
  if (starts_with_word(sql, "XA COMMIT") && prepared_ > 0) --prepared_;
  if (sql.starts_with("COMMIT")) has_rows_ = false;
  if (starts_with_word(sql, "ROLLBACK")) {
    counts_.rolled_back += has_rows_ ? 1 : 0;
    return true;
  }
  if (!sql.starts_with("use ")) return false;
  database_ = trim(sql.substr(4));
  if (database_.size() > 1 && database_.front() == '`')
    database_ = database_.substr(1, database_.size() - 2);
  return true;
}

Result<Done> SavedText::take_events(std::string_view line, bool whole) {
  if (!whole) return Error{Errc::kBadData, "this is no base64"};
  if (!line.starts_with('\'')) return take_base64(line);
  in_events_ = false;
  if (line.substr(1) != delimiter_ || !event_.empty())
    return Error{Errc::kBadData, "an event of the binlog is cut off"};
  return Done{};
}

// Each event begins with characters of its own, for its last ones are filled up.
Result<Done> SavedText::take_base64(std::string_view line) {
  const Error wrong{Errc::kBadData, "this is no base64"};
  if (line.size() % 4 != 0) return wrong;
  for (std::size_t at = 0; at < line.size(); at += 4) {
    const std::string_view four = line.substr(at, 4);
    const unsigned filled = four[3] != '=' ? 0 : four[2] == '=' ? 2 : 1;
    unsigned bits = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto six = i >= 4 - filled ? std::optional(0U) : six_bits(four[i]);
      if (!six) return wrong;
      bits = bits << 6 | *six;
    }
    for (unsigned i = 0; i < 3 - filled; ++i)
      event_ += static_cast<char>(bits >> (16 - 8 * i) & 0xff);
    if (const auto taken = take_event_bytes(); !taken) return taken;
  }
  return Done{};
}

Result<Done> SavedText::take_event_bytes() {
  if (event_.size() < kEventHeader) return Done{};
  const std::uint64_t length = event_length(event_);
  if (length < kEventHeader || length > kMostEvent)
    return Error{Errc::kBadData, "an event of the binlog has an impossible length"};
  if (event_.size() < length) return Done{};
  if (event_.size() > length) return Error{Errc::kBadData, "an event of the binlog is too long"};
  const auto read = events_.read(event_);
  event_.clear();
  return read;
}

}  // namespace

Result<SavedTextCounts> read_saved_text(std::istream& text, const SavedTextReader& reader) {
  return SavedText(reader).read(text);
}

}  // namespace ha
