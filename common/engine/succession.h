// SPDX-License-Identifier: MIT
// What a handler shares with those before and after it: the record of the role, and the turn. With
// a state directory both are kept there; else in a place that lasts until the machine restarts, and
// nothing is remembered for the deactivation.
//
// An activation goes on where they cannot be had: an engine that no handler can activate is worse
// than one that no handler remembers.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/engine/role_change.h"
#include "common/engine/role_store.h"
#include "common/engine/turn.h"

namespace ha {

class Succession {
 public:
  // `state_dir` may be empty. Handlers with equal names of the engine share all.
  Succession(std::string state_dir, std::string engine)
      : state_dir_(std::move(state_dir)), engine_(std::move(engine)) {}

  // Reads the record for a look only, on behalf of `mine`.
  Result<Done> peek(const Arrival& mine);

  // Registers `mine`, waits for the turn and reads the record. Returns what overtakes `mine`
  // meanwhile.
  Result<std::optional<Arrival>> begin(const Arrival& mine, const Deadline& deadline);

  // Returns what has overtaken `mine` since.
  std::optional<Arrival> overtaking(const Arrival& mine) const {
    return ha::overtaking(turns_, mine);
  }

  // Returns the event that has to be carried out in place of `mine`: a later one, or before the
  // role on record is given again the last one, whose handler was ended before it did.
  std::optional<Arrival> left_over(const Arrival& mine) const;

  // The record to plan upon; unset where nothing is remembered.
  std::optional<RoleRecord> known() const { return remembers() ? record_ : std::nullopt; }

  // What the handlers last did; unset where that is not known.
  const std::optional<RoleRecord>& last() const { return record_; }
  bool remembers() const { return !state_dir_.empty(); }
  Commands earlier_commands() const;

  void remember(const RoleRecord& record);
  void mark_done(const Arrival& mine, const Deadline& deadline) const;

  // Says what could not be kept, or is empty.
  const std::string& trouble() const { return trouble_; }

 private:
  Result<Done> open(const Arrival& mine, const Deadline& deadline);
  Result<Done> enter(const std::string& directory, const Arrival& mine, const Deadline& deadline);
  Result<Done> load(const Arrival& mine);
  // Goes on without the record where it is not needed.
  Result<Done> take(const Result<RoleRecord>& record, const Arrival& mine);
  void set_trouble(std::string_view what, const Error& error);

  std::string state_dir_, engine_;
  std::optional<RoleStore> store_ = {};
  // Of the state directory, and of the runtime directory where there is none or it cannot be
  // written. Always taken in this order.
  std::vector<Turn> turns_ = {};
  std::optional<RoleRecord> record_ = {};
  std::string trouble_ = {};
};

}  // namespace ha
