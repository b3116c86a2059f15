// SPDX-License-Identifier: MIT
// How the data of a node are replaced by a copy of another's. Plain values.

#pragma once

#include <string>
#include <vector>

#include "common/failover/plan.h"

namespace ha {

enum class CopyMethod { kAuto, kClone, kDump, kCommand };

// How a copy is compared with its source: not; the rows of all tables and checksums for a tenth of
// the time that the copying took; all of both.
enum class Verify { kNone, kSample, kFull };

struct ResyncOptions {
  std::string from = {};  // empty: a sound replica, else the primary
  CopyMethod method = CopyMethod::kAuto;
  Verify verify = Verify::kSample;
  ExtraTransactions extra_transactions = ExtraTransactions::kSave;
  std::vector<std::string> dump_command = {};  // empty: mysqldump or mariadb-dump
  std::vector<std::string> copy_command = {};  // argv; replaces the files; empty: none
  double timeout_s = 86400;                    // of the copy
};

}  // namespace ha
