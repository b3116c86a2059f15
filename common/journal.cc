// SPDX-License-Identifier: MIT
#include "common/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/files.h"
#include "common/text.h"

namespace ha {

namespace {

using Json = nlohmann::ordered_json;

Error system_error(std::string_view what, const std::string& path) {
  return {Errc::kInternal, fmt::format("cannot {} {}: {}", what, path, std::strerror(errno))};
}

// Whatever was written can be read again.
Result<std::string> read_whole(const std::string& path) {
  return read_file(path, std::numeric_limits<std::size_t>::max());
}

// nullopt for a line that is no object of texts.
std::optional<JournalRecord> parse_record(const std::string& line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  JournalRecord record;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) return std::nullopt;
    record.emplace_back(name, value.get<std::string>());
  }
  return record;
}

// What a kill in the middle of a write leaves has no end of line.
std::string_view whole_lines(std::string_view content) {
  return content.substr(0, content.rfind('\n') + 1);
}

Result<std::vector<JournalRecord>> parse_records(const std::string& path,
                                                 std::string_view content) {
  std::vector<JournalRecord> records;
  for (const std::string& line : split(whole_lines(content), '\n')) {
    if (line.empty()) continue;
    auto record = parse_record(line);
    if (!record)
      return Error{Errc::kBadData, fmt::format("{} is damaged: {}", path, sanitize(line))};
    records.push_back(std::move(*record));
  }
  return records;
}

std::string to_line(const JournalRecord& record) {
  Json json = Json::object();
  for (const auto& [name, value] : record) json[name] = value;
  // Values may come from a command's output, and people look at the file on a terminal.
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string journal_value(const JournalRecord& record, std::string_view name) {
  for (const auto& [key, value] : record)
    if (key == name) return value;
  return "";
}

Result<Done> Journal::reopen() {
  if (fd_ >= 0) close(fd_);
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
               S_IRUSR | S_IWUSR);
  if (fd_ < 0) return system_error("open", path_);
  return Done{};
}

Result<Journal> Journal::open(const std::string& path) {
  Journal journal(path);
  if (const auto opened = journal.reopen(); !opened) return opened.error();
  const auto content = read_whole(path);
  if (!content) return content.error();
  const std::size_t whole = whole_lines(*content).size();
  if (whole < content->size() && ftruncate(journal.fd_, static_cast<off_t>(whole)) != 0)
    return system_error("repair", path);
  auto records = parse_records(path, *content);
  if (!records) return records.error();
  journal.records_ = std::move(*records);
  return journal;
}

Result<std::vector<JournalRecord>> Journal::read(const std::string& path) {
  const auto content = read_whole(path);
  if (!content) return content.error();
  return parse_records(path, *content);
}

Journal::Journal(Journal&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      records_(std::move(other.records_)) {}

Journal::~Journal() {
  if (fd_ >= 0) close(fd_);
}

Result<Done> Journal::append_all(std::vector<JournalRecord> records) {
  std::string lines;
  for (const JournalRecord& record : records) lines += to_line(record);
  const off_t before = lseek(fd_, 0, SEEK_END);
  if (!write_all(fd_, lines) || fdatasync(fd_) != 0) {
    const Error error = system_error("write", path_);
    // Half a record must not become the first half of the next.
    if (before < 0 || ftruncate(fd_, before) != 0) return system_error("repair", path_);
    return error;
  }
  std::ranges::move(records, std::back_inserter(records_));
  return Done{};
}

Result<Done> Journal::rewrite(std::vector<JournalRecord> records) {
  std::string content;
  for (const JournalRecord& record : records) content += to_line(record);
  if (const auto written = write_file_atomic(path_, content); !written) return written;
  records_ = std::move(records);
  return reopen();
}

}  // namespace ha
