// SPDX-License-Identifier: MIT
// Remembers, from one event to the next, what the handlers of one engine did to it, and keeps two
// of them apart while they do it.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/deadline.h"
#include "common/engine/role_plan.h"
#include "common/result.h"

namespace ha {

class RoleStore {
 public:
  // Creates the private directory where needed and waits for the lock, which ends with the object.
  // `engine` names the engine: handlers with equal names share one record. Fails with kRefused when
  // another handler holds the lock until the deadline.
  static Result<RoleStore> open(const std::string& directory, const std::string& engine,
                                const Deadline& deadline);

  RoleStore(RoleStore&& other) noexcept;
  RoleStore& operator=(RoleStore&&) = delete;
  ~RoleStore();

  // Returns the record; that of a standby that never took over when there is none. Fails with
  // kBadData when the file is damaged.
  Result<RoleRecord> load() const;

  // Replaces the record on disk.
  Result<Done> save(const RoleRecord& record) const;

 private:
  RoleStore(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_;
};

// Reads the record without the lock, for a look only.
Result<RoleRecord> peek_role_record(const std::string& directory, const std::string& engine);

Result<RoleRecord> parse_role_record(std::string_view text);
std::string format_role_record(const RoleRecord& record);

}  // namespace ha
