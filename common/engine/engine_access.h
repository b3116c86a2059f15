// SPDX-License-Identifier: MIT
// The engine of this host: its command pipe, query handler or API, its status file, and the
// commands that start, stop and judge it. Every action is told to syslog (daemon facility).

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/engine/icinga2_api.h"
#include "common/engine/role_change.h"
#include "common/engine/status_writers.h"
#include "common/process.h"

namespace ha {

class LocalEngine : public EngineAccess {
 public:
  struct Sources {
    std::string status_file = {};
    std::optional<Icinga2Api> api = {};
    std::vector<std::string> verify_command = {};
    bool acknowledged = false;
    EngineKind kind = EngineKind::kNagios;
  };

  LocalEngine(Sources sources, Process& process)
      : sources_(std::move(sources)), process_(process) {}

  EngineMeans means() const;
  Result<Done> perform(const EngineStep& step, const Deadline& deadline) override;

  // Returns which status file is there now; nothing where there is none.
  std::optional<FileVersion> status_version() const;

  // The verify command finds the wanted role in $HA_ROLE and exits with 0 when the engine has it.
  EngineView probe(Role wanted, const Deadline& deadline) override;

 private:
  // Says that two daemons write the status file; empty when one does. The processes of the machine
  // are looked through once for each version of the file, not once for each look.
  std::string find_conflict(const EngineView& view);

  Sources sources_;
  Process& process_;
  StatusWriters writers_ = {};
  std::optional<FileVersion> judged_ = {};  // the version that conflict_ belongs to
  std::string conflict_ = {};
};

}  // namespace ha
