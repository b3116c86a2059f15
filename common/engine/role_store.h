// SPDX-License-Identifier: MIT
// Remembers, from one event to the next, what the handlers of one engine did to it.

#pragma once

#include <string>
#include <string_view>

#include "common/engine/role_plan.h"
#include "common/result.h"

namespace ha {

// Returns the path, without its ending, of what is kept in `directory` of an engine.
std::string path_of_engine(const std::string& directory, const std::string& engine);

// Returns a private directory that lasts until the machine restarts, for handlers that are given
// none: the same for all of this user. Fails with kUsage when another user has taken its place.
Result<std::string> runtime_directory();

class RoleStore {
 public:
  // Creates the private directory where needed. `engine` names the engine: handlers with equal
  // names share one record.
  static Result<RoleStore> open(const std::string& directory, const std::string& engine);

  // Returns the record; that of a standby that never took over when there is none. Fails with
  // kBadData when the file is damaged.
  Result<RoleRecord> load() const;

  // Replaces the record on disk. Precondition: it is this handler's turn.
  Result<Done> save(const RoleRecord& record) const;

 private:
  explicit RoleStore(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

// Reads the record of a directory that is not to be made, for a look only.
Result<RoleRecord> peek_role_record(const std::string& directory, const std::string& engine);

Result<RoleRecord> parse_role_record(std::string_view text);
std::string format_role_record(const RoleRecord& record);

}  // namespace ha
