// SPDX-License-Identifier: MIT
#include "common/heartbeat/icinga2_api.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/heartbeat/file_sources.h"
#include "common/http/client.h"
#include "common/text.h"

namespace ha {

namespace {

using Json = nlohmann::json;

template <class T>
std::optional<T> member(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return std::nullopt;
  if constexpr (std::is_same_v<T, bool>)
    return found->is_boolean() ? std::optional(found->template get<T>()) : std::nullopt;
  else if constexpr (std::is_same_v<T, double>)
    return found->is_number() ? std::optional(found->template get<T>()) : std::nullopt;
  else
    return found->is_string() ? std::optional(found->template get<T>()) : std::nullopt;
}

// Returns the `status` of one component in {"results":[{"name":...,"status":{...}},...]}.
const Json* component(const Json& answer, std::string_view name) {
  const auto results = answer.find("results");
  if (results == answer.end() || !results->is_array()) return nullptr;
  for (const Json& result : *results)
    if (result.is_object() && member<std::string>(result, "name") == name &&
        result.contains("status") && result["status"].is_object())
      return &result["status"];
  return nullptr;
}

Error http_error(const std::string& place, long status) {
  const auto text = [&](std::string_view what) {
    return fmt::format("{}: HTTP {}: {}", place, status, what);
  };
  if (status == 401) return {Errc::kAccessDenied, text("access denied")};
  if (status == 403)
    return {Errc::kPrivilege, text("the ApiUser needs permissions = [ \"status/query\" ]")};
  if (status >= 500) return {Errc::kRefused, text("the API cannot answer")};
  return {Errc::kBadData, text("not an answer of Icinga 2's API")};
}

}  // namespace

Result<HeartbeatFacts> parse_icinga2_status(std::string_view body, double seconds, double now_s) {
  const Json answer = Json::parse(body, nullptr, false);
  const Json* const application = component(answer, "IcingaApplication");
  const Json* const app = application != nullptr && application->contains("icingaapplication") &&
                                  (*application)["icingaapplication"].is_object() &&
                                  (*application)["icingaapplication"].contains("app")
                              ? &(*application)["icingaapplication"]["app"]
                              : nullptr;
  if (app == nullptr || !app->is_object())
    return Error{Errc::kBadData, "the answer holds no status of IcingaApplication"};

  HeartbeatFacts facts{"",
                       "Icinga 2 " + sanitize(member<std::string>(*app, "node_name").value_or(""))};
  facts.age_s = seconds;
  facts.active = member<bool>(*app, "enable_notifications");
  facts.checks = member<bool>(*app, "enable_service_checks");
  if (facts.active) facts.role = *facts.active ? "notifications enabled" : "notifications disabled";
  // The API tells no time, but when it started and how long ago that was.
  const Json* const cib = component(answer, "CIB");
  const auto start = member<double>(*app, "program_start");
  const auto uptime = cib != nullptr ? member<double>(*cib, "uptime") : std::nullopt;
  if (start && uptime) facts.clock_skew_s = now_s - seconds / 2 - (*start + *uptime);
  return facts;
}

Result<HeartbeatFacts> read_icinga2_api(const HeartbeatSpec& spec, const Deadline& deadline) {
  HttpRequest request{spec.api + (spec.api.ends_with('/') ? "v1/status" : "/v1/status")};
  request.headers = {{"Accept", "application/json"}};
  request.ca_file = spec.mysql.ca;
  request.server_name = spec.api_server_name;
  const auto credentials = read_credentials(spec.api_credentials);
  if (!credentials) return Error{Errc::kUsage, "--api-credentials: " + credentials.error().text};
  request.credentials = *credentials;

  const auto start = Deadline::Clock::now();
  const auto response = http_request(request, deadline);
  if (!response) return response.error();
  if (response->status != 200) return http_error(spec.api, response->status);
  const std::chrono::duration<double> took = Deadline::Clock::now() - start;
  auto facts = parse_icinga2_status(response->body, took.count(), epoch_now_s());
  if (!facts) return Error{facts.error().code, spec.api + ": " + facts.error().text};
  return facts;
}

}  // namespace ha
