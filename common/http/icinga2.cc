// SPDX-License-Identifier: MIT
#include "common/http/icinga2.h"

#include <fmt/format.h>

namespace ha {

Result<Done> set_login(Icinga2Api& api, const std::string& credentials_file,
                       ClientCertificate certificate) {
  if (certificate.certificate.empty() != certificate.key.empty())
    return Error{Errc::kUsage, "--cert and --key belong together"};
  if (credentials_file.empty() && certificate.certificate.empty())
    return Error{Errc::kUsage, "--api-credentials: missing (or --cert and --key)"};
  if (credentials_file.empty()) {
    api.certificate = std::move(certificate);
    return Done{};
  }
  const auto credentials = read_credentials(credentials_file);
  if (!credentials) return Error{Errc::kUsage, "--api-credentials: " + credentials.error().text};
  api.credentials = *credentials;
  return Done{};
}

Result<HttpResponse> icinga2_request(const Icinga2Api& api, std::string_view path,
                                     std::string_view permission, const Deadline& deadline,
                                     const std::string& body) {
  HttpRequest request{api.url, body.empty() ? "GET" : "POST"};
  while (request.url.ends_with('/')) request.url.pop_back();
  request.url += path;
  request.body = body;
  request.headers = {{"Accept", "application/json"}};
  request.credentials = api.credentials;
  request.certificate = api.certificate;
  request.ca_file = api.ca_file;
  request.server_name = api.server_name;
  auto response = http_request(request, deadline);
  if (!response || response->status == 200) return response;
  const long status = response->status;
  const auto failed = [&](Errc code, std::string_view what) {
    return Error{code, fmt::format("{}: HTTP {}: {}", api.url, status, what)};
  };
  if (status == 401) return failed(Errc::kAccessDenied, "access denied");
  // Icinga 2 answers 404 too when the ApiUser may see no such object.
  if (status == 403 || status == 404)
    return failed(
        Errc::kPrivilege,
        fmt::format("the ApiUser needs the permission \"{}\"{}", permission,
                    status == 404 ? ", or this is not Icinga 2's API (is the URL right?)" : ""));
  if (status >= 500) return failed(Errc::kRefused, "the API cannot answer");
  return failed(Errc::kBadData, "not an answer of Icinga 2's API");
}

}  // namespace ha
