// SPDX-License-Identifier: MIT
// The options of handle_engine_failover: how its engine is reached and verified, and what the
// handler is started for.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/cli.h"
#include "common/engine/engine_access.h"
#include "common/engine/gate.h"
#include "common/http/notify.h"

namespace ha {

struct HandlerOptions {
  EventMacros event = {};
  bool reassert = false, activate = false, deactivate = false, dry_run = false;
  std::optional<EngineKind> kind = {};
  EngineControl control = {};
  std::string api_credentials = {}, ca_file = {}, api_server_name = {};
  ClientCertificate api_certificate = {};
  std::string status_file = {};
  std::vector<std::string> verify_command = {};
  double verify_timeout_s = 15;
  std::string state_dir = {};
  NotifyOptions notify = {};
};

void add_handler_options(Cli& cli, HandlerOptions& options);

// Returns what is wrong with the combination of options, or an empty string.
std::string find_mistake(const HandlerOptions& options);

// Returns how the engine is to be seen; fails when the login of its API cannot be read.
Result<LocalEngine::Sources> make_sources(const HandlerOptions& options);

}  // namespace ha
