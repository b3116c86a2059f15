// SPDX-License-Identifier: MIT
#include "common/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "common/json_reader.h"
#include "common/json_writer.h"
#include "common/text.h"

namespace ha {

namespace {

// Whatever was written can be read again.
Result<std::string> read_whole(Files& files, const std::string& path) {
  return files.read(path, std::numeric_limits<std::size_t>::max());
}

// nullopt for a line that is no object of texts.
std::optional<JournalRecord> parse_record(std::string_view line) {
  const JsonText json(line);
  if (json.object() == nullptr) return std::nullopt;
  JournalRecord record;
  for (const auto& [name, value] : json.object()->GetObject()) {
    if (!value.IsString()) return std::nullopt;
    record.emplace_back(json_text(name), json_text(value));
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
  JsonWriter json;
  json.begin_object();
  for (const auto& [name, value] : record) json.field(name, value);
  json.end_object();
  return json.take() + "\n";
}

}  // namespace

Result<Done> Journal::reopen() {
  // Records must not go into a file that has been replaced.
  file_.reset();
  auto file = files_.open_append(path_);
  if (!file) return file.error();
  file_ = std::move(*file);
  return Done{};
}

Result<Journal> Journal::open(Files& files, const std::string& path) {
  Journal journal(files, path);
  if (const auto opened = journal.reopen(); !opened) return opened.error();
  const auto content = read_whole(files, path);
  if (!content) return content.error();
  const std::size_t whole = whole_lines(*content).size();
  if (whole < content->size())
    if (const auto cut = journal.file_->truncate(whole); !cut) return cut.error();
  auto records = parse_records(path, *content);
  if (!records) return records.error();
  journal.records_ = std::move(*records);
  return journal;
}

Result<std::vector<JournalRecord>> Journal::read(Files& files, const std::string& path) {
  const auto content = read_whole(files, path);
  if (!content) return content.error();
  return parse_records(path, *content);
}

Result<std::vector<JournalRecord>> Journal::parse(const std::string& path,
                                                  std::string_view content) {
  return parse_records(path, content);
}

Result<Done> Journal::append_all(std::vector<JournalRecord> records) {
  return append_by(&AppendFile::append, std::move(records));
}

Result<Done> Journal::append_passing(std::vector<JournalRecord> records) {
  return append_by(&AppendFile::append_passing, std::move(records));
}

Result<Done> Journal::append_by(Result<Done> (AppendFile::*write)(std::string_view),
                                std::vector<JournalRecord> records) {
  std::string lines;
  for (const JournalRecord& record : records) lines += to_line(record);
  if (!file_) return Error{Errc::kInternal, "cannot write " + path_ + ": it is not open"};
  if (const auto written = (file_.get()->*write)(lines); !written) return written;
  std::ranges::move(records, std::back_inserter(records_));
  return Done{};
}

Result<Done> Journal::rewrite(std::vector<JournalRecord> records) {
  std::string content;
  for (const JournalRecord& record : records) content += to_line(record);
  if (const auto written = files_.write_atomic(path_, content); !written) return written;
  records_ = std::move(records);
  return reopen();
}

}  // namespace ha
