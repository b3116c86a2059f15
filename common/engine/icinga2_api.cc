// SPDX-License-Identifier: MIT
#include "common/engine/icinga2_api.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/http/client.h"
#include "common/text.h"

namespace ha {

namespace {

using Json = nlohmann::json;

Result<HttpResponse> ask(const Icinga2Api& api, HttpRequest request, std::string_view permission,
                         const Deadline& deadline) {
  request.headers = {{"Accept", "application/json"}};
  request.credentials = api.credentials;
  request.ca_file = api.ca_file;
  request.server_name = api.server_name;
  auto response = http_request(request, deadline);
  if (!response || response->status == 200) return response;
  const long status = response->status;
  const auto failed = [&](Errc code, std::string_view what) {
    return Error{code, fmt::format("{}: HTTP {}: {}", api.url, status, what)};
  };
  if (status == 401) return failed(Errc::kAccessDenied, "access denied");
  // Icinga 2 answers 404 too when the permission's filter hides the object.
  if (status == 403 || status == 404)
    return failed(Errc::kPrivilege,
                  fmt::format("the ApiUser needs the permission \"{}\"", permission));
  if (status >= 500) return failed(Errc::kRefused, "the API cannot answer");
  return failed(Errc::kBadData, "not an answer of Icinga 2's API");
}

std::string join_url(const Icinga2Api& api, std::string_view path) {
  std::string url = api.url;
  while (url.ends_with('/')) url.pop_back();
  return url.append(path);
}

}  // namespace

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
      ask(api, {join_url(api, "/v1/status/IcingaApplication")}, "status/query", deadline);
  if (!response) return response.error();
  auto flags = parse_icinga2_flags(response->body);
  if (!flags) return Error{Errc::kBadData, api.url + ": " + flags.error().text};
  return flags;
}

Result<Done> set_icinga2_attributes(const Icinga2Api& api, const std::string& body,
                                    const Deadline& deadline) {
  HttpRequest request{join_url(api, kIcinga2AppPath), "POST"};
  request.body = body;
  const auto response = ask(api, request, "objects/modify/IcingaApplication", deadline);
  if (!response) return response.error();
  return Done{};
}

}  // namespace ha
