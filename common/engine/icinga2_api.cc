// SPDX-License-Identifier: MIT
#include "common/engine/icinga2_api.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace ha {

using Json = nlohmann::json;

Result<EngineFlags> parse_icinga2_flags(std::string_view body) {
  const Json answer = Json::parse(body, nullptr, false);
  const Json::json_pointer place("/results/0/status/icingaapplication/app");
  if (answer.is_discarded() || !answer.contains(place))
    return Error{Errc::kBadData, "the answer holds no status of IcingaApplication"};
  const Json& app = answer[place];
  const auto flag = [&](EngineFlag which) -> std::optional<bool> {
    const auto found = app.find(words_of(which).icinga2_name);
    if (found == app.end() || !found->is_boolean()) return std::nullopt;
    return found->get<bool>();
  };
  return EngineFlags{flag(EngineFlag::kNotifications), flag(EngineFlag::kServiceChecks),
                     flag(EngineFlag::kHostChecks)};
}

Result<EngineFlags> read_icinga2_flags(const Icinga2Api& api, const Deadline& deadline) {
  const auto response =
      icinga2_request(api, "/v1/status/IcingaApplication", "status/query", deadline);
  if (!response) return response.error();
  auto flags = parse_icinga2_flags(response->body);
  if (!flags) return Error{Errc::kBadData, api.url + ": " + flags.error().text};
  return flags;
}

Result<Done> set_icinga2_attributes(const Icinga2Api& api, const std::string& body,
                                    const Deadline& deadline) {
  const auto response =
      icinga2_request(api, kIcinga2AppPath, "objects/modify/IcingaApplication", deadline, body);
  if (!response) return response.error();
  return Done{};
}

}  // namespace ha
