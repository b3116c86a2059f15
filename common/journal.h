// SPDX-License-Identifier: MIT
// An append-only file of JSON lines that survives a kill at any point: every record is on disk
// before append() returns, or was written before append_passing() does, and a torn last line, the
// trace of a kill in the middle of a write, is passed over by the reader.

#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/env.h"
#include "common/journal_record.h"
#include "common/result.h"

namespace ha {

class Journal {
 public:
  // Opens or creates `path`, mode 0600, and cuts off a torn last line, so nobody else may be
  // writing it. Fails with the path and the system's reason.
  static Result<Journal> open(Files& files, const std::string& path);

  // Reads the whole lines of `path`, which may be written meanwhile and may be of any size. Fails
  // likewise, with kBadData for a line that is none of ours.
  static Result<std::vector<JournalRecord>> read(Files& files, const std::string& path);

  // Does the same with the content of the file at `path`.
  static Result<std::vector<JournalRecord>> parse(const std::string& path,
                                                  std::string_view content);

  // The records that were in the file when it was opened, and those appended since.
  const std::vector<JournalRecord>& records() const { return records_; }

  // Appends records and waits until they are on disk.
  Result<Done> append_all(std::vector<JournalRecord> records);
  Result<Done> append(JournalRecord record) { return append_all({std::move(record)}); }

  // Appends records without which the story is as true after a power cut: does not wait for the
  // disk.
  Result<Done> append_passing(std::vector<JournalRecord> records);

  // Replaces everything by `records`, atomically: after a kill there is the old story or the new.
  Result<Done> rewrite(std::vector<JournalRecord> records);

 private:
  Journal(Files& files, std::string path) : files_(files), path_(std::move(path)) {}
  Result<Done> reopen();
  Result<Done> append_by(Result<Done> (AppendFile::*write)(std::string_view),
                         std::vector<JournalRecord> records);

  Files& files_;
  std::string path_;
  std::unique_ptr<AppendFile> file_ = nullptr;
  std::vector<JournalRecord> records_;
};

}  // namespace ha
