// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "common/cli.h"
#include "common/engine/gate.h"
#include "common/text.h"

namespace ha {

void add_event_options(Cli& cli, EventMacros& macros) {
  const auto into = [](std::optional<std::string>& target) {
    return [&target](const std::string& value) -> Result<Done> {
      target = value;
      return Done{};
    };
  };
  cli.option("--state", "STATE", into(macros.state),
             "state of the service or host: $SERVICESTATE$ or $HOSTSTATE$");
  cli.option("--state-type", "TYPE", into(macros.state_type),
             "SOFT or HARD: $SERVICESTATETYPE$ or $HOSTSTATETYPE$");
  cli.option("--attempt", "N", into(macros.attempt),
             "its check attempt: $SERVICEATTEMPT$ or $HOSTATTEMPT$");
  cli.count("--soft-attempt", macros.soft_attempt, 1, 1000,
            "activate on a SOFT problem from this attempt on (default: only when HARD)");
}

}  // namespace ha
