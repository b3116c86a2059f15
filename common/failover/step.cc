// SPDX-License-Identifier: MIT
#include "common/failover/step.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ha {

namespace {

constexpr double kShort_s = 15;
constexpr double kTell_s = 5;          // what no change depends on
constexpr double kOwnLimit_s = 86400;  // it has a limit of its own, or that of the whole

struct ActionTraits {
  std::string_view name;
  double limit_s = kShort_s;
};

// In the order of Action.
constexpr ActionTraits kActions[] = {{"lock"},
                                     {"confirm-dead"},
                                     {"hook", kOwnLimit_s},
                                     {"fence", kOwnLimit_s},
                                     {"stop-receiver"},
                                     {"start-applier"},
                                     {"drain", kOwnLimit_s},
                                     {"catch-up", kOwnLimit_s},
                                     {"record"},
                                     {"rescue", kOwnLimit_s},
                                     {"promote"},
                                     {"repoint"},
                                     {"vip-down", kOwnLimit_s},
                                     {"vip-up", kOwnLimit_s},
                                     {"recheck"},
                                     {"make-writable"},
                                     {"start-service", kOwnLimit_s},
                                     {"write-file"},
                                     {"block-writers"},
                                     {"wait-equal"},
                                     {"unblock"},
                                     {"lease", kOwnLimit_s},
                                     {"hand-lease"},
                                     {"restore"},
                                     {"save-extra", kOwnLimit_s},
                                     {"set-delay"},
                                     {"events"},
                                     {"semi-sync"},
                                     {"revoke"},
                                     {"mha-script", kOwnLimit_s},
                                     {"console-event", kTell_s}};
static_assert(std::size(kActions) == kActionCount);

}  // namespace

std::string_view action_name(Action action) {
  return kActions[static_cast<std::size_t>(action)].name;
}

std::optional<Action> parse_action(std::string_view name) {
  const auto found = std::ranges::find(kActions, name, &ActionTraits::name);
  if (found == std::end(kActions)) return std::nullopt;
  return static_cast<Action>(found - std::begin(kActions));
}

Step write_file_step(std::string path, std::string content) {
  Step write = {0, Action::kWriteFile, "", {}, {}, content + " into " + path};
  write.path = std::move(path);
  write.content = std::move(content);
  write.may_fail = true;
  return write;
}

double step_limit_s(Action action) { return kActions[static_cast<std::size_t>(action)].limit_s; }

}  // namespace ha
