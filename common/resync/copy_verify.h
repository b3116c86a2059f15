// SPDX-License-Identifier: MIT
// Compares a copy with what was copied, before it counts as one. No lock is taken, and no client
// waits.

#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/parallel.h"
#include "common/resync/compare.h"
#include "common/resync/copy.h"
#include "common/resync/copy_sessions.h"
#include "common/resync/copy_watch.h"

namespace ha {

// Whether all tables that are copied are InnoDB's.
enum class Engines { kInnodb, kSeveral };

class CopyVerifier {
 public:
  CopyVerifier(const Env& env, CopySessions& sessions, CopyWatch& watch, const CopyTask& task,
               const ResyncOptions& resync, const Log& log)
      : env_(env), sessions_(sessions), watch_(watch), task_(task), resync_(resync), log_(log) {}

  // Fails when the source cannot tell what it writes while it is copied.
  Result<Done> begin(Engines engines);

  // Records what the source has counted, as long as its rows are not being counted.
  void record_activity();

  // Counts the rows of the source beside other work, which may be abandoned; once.
  Result<Done> start_counting();

  // Fails when the target has not the rows that the source had at a moment.
  Result<Done> verify(const BinlogPosition& moment);

  // What could not be compared.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  using Session = CopySessions::Session;
  enum class Checksums { kEqual, kDiffer, kUnknown };

  Result<RowCounts> await_counts();
  Result<RowCounts> count_copy();
  Error unverified(const Error& error) const;
  Result<Done> compare_checksums(const RowCounts& source, const RowActivity& before,
                                 double budget_s, Differences& found, std::size_t& equal);
  Result<Checksums> compare_checksum(const Session& theirs, const Session& ours,
                                     const std::string& name, const TableRows& table,
                                     const RowActivity& before);

  const Env env_;
  CopySessions& sessions_;
  CopyWatch& watch_;
  const CopyTask& task_;
  const ResyncOptions& resync_;
  const Log& log_;
  Engines engines_ = Engines::kSeveral;
  std::vector<std::string> warnings_ = {};
  std::vector<RowActivity> activity_ = {};                 // of the source, by time
  std::optional<Pending<Result<RowCounts>>> counts_ = {};  // of the source
  std::shared_ptr<std::atomic<std::size_t>> counted_ =
      std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace ha
