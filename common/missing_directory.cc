// SPDX-License-Identifier: MIT
#include "common/missing_directory.h"

#include <fmt/format.h>

namespace ha {

Error missing_directory(const std::string& path, std::string_view reason, std::string_view user) {
  return {
      Errc::kInternal,
      fmt::format("{0} does not exist and cannot be created: {1}; run as root: install -d -o {2} "
                  "-m 700 {0}",
                  path, reason, user)};
}

}  // namespace ha
