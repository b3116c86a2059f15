// SPDX-License-Identifier: MIT
#include "common/heartbeat/icinga2_api.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/clock.h"
#include "common/heartbeat/file_sources.h"
#include "common/http/icinga2.h"
#include "common/text.h"

namespace ha {

namespace {

using Json = nlohmann::json;

constexpr std::string_view kPermission = "status/query";

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

}  // namespace

Result<Icinga2Node> parse_icinga2_status(std::string_view body) {
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
  facts.active = member<bool>(*app, "enable_notifications");
  facts.checks = member<bool>(*app, "enable_service_checks");
  if (facts.active) facts.role = *facts.active ? "notifications enabled" : "notifications disabled";
  return Icinga2Node{facts, member<double>(*app, "program_start")};
}

std::optional<double> parse_icinga2_uptime(std::string_view body) {
  const Json answer = Json::parse(body, nullptr, false);
  const Json* const cib = component(answer, "CIB");
  return cib != nullptr ? member<double>(*cib, "uptime") : std::nullopt;
}

namespace {

// The API tells no time, but when it started and how long ago that was. Not worth waiting for.
std::optional<double> measure_skew(const Icinga2Api& api, double start_s,
                                   const Deadline& deadline) {
  constexpr double kPatience_s = 1;
  const double sent_s = SystemClock().now_s();
  const auto response =
      icinga2_request(api, "/v1/status/CIB", kPermission,
                      deadline.from_now(std::min(kPatience_s, deadline.remaining_s() / 2)));
  const auto uptime_s = response ? parse_icinga2_uptime(response->body) : std::nullopt;
  if (!uptime_s) return std::nullopt;
  return proven_skew(sent_s, SystemClock().now_s(), start_s + *uptime_s);
}

}  // namespace

Result<HeartbeatFacts> read_icinga2_api(const HeartbeatSpec& spec, const Deadline& deadline) {
  Icinga2Api api{spec.api};
  api.ca_file = spec.mysql.ca;
  api.server_name = spec.api_server_name;
  if (const auto login =
          set_login(api, spec.api_credentials, {spec.mysql.certificate, spec.mysql.key});
      !login)
    return login.error();

  // One component by its name: all of them are megabytes where there are thousands of agents.
  const double start_s = deadline.clock().monotonic_s();
  const auto response = icinga2_request(api, "/v1/status/IcingaApplication", kPermission, deadline);
  if (!response) return response.error();
  const double took_s = deadline.clock().monotonic_s() - start_s;
  auto node = parse_icinga2_status(response->body);
  if (!node) return Error{node.error().code, spec.api + ": " + node.error().text};
  node->facts.age_s = took_s;
  if (node->program_start_s)
    node->facts.clock_skew_s = measure_skew(api, *node->program_start_s, deadline);
  return node->facts;
}

}  // namespace ha
