// SPDX-License-Identifier: MIT
// Chooses how a server is copied. Pure.

#pragma once

#include <string>

#include "common/mysql/tls_mode.h"
#include "common/mysql/version.h"
#include "common/result.h"
#include "common/resync/copy_options.h"

namespace ha {

// What does not suit every method.
struct CopyFacts {
  std::string from = {}, to = {};  // names
  std::string from_host = {};
  Version from_version = {}, to_version = {};
  long long foreign_tables = 0;    // that are not InnoDB's
  long long versioned_tables = 0;  // that have a history
  TlsMode tls = TlsMode::kPreferred;
  bool clone_verifies = false;  // `to` verifies the certificate of the server that it clones
};

// Returns why the clone plugin cannot be used; empty: it can.
std::string why_no_clone(const CopyFacts& facts);

// Returns the method that is asked for, or for kAuto the best one: a command that was given, else
// the clone plugin, else a dump. Fails when it cannot be used.
Result<CopyMethod> choose_method(const CopyFacts& facts, const ResyncOptions& resync);

}  // namespace ha
