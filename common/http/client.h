// SPDX-License-Identifier: MIT
// HTTP requests within a deadline. TLS is always verified; user and password are never sent without
// it and stand in no text. No redirect is followed and no proxy of the environment used: a request
// goes where the operator wrote, or nowhere.

#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/deadline.h"
#include "common/http/credentials.h"
#include "common/result.h"

namespace ha {

struct HttpRequest {
  std::string url;  // http or https, without user and password in it
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::optional<Credentials> credentials = {};  // basic authentication; needs https
  std::string ca_file = {};                     // empty: the system's CAs
  std::string server_name = {};  // the name that the certificate carries, if not the URL's host
  ClientCertificate certificate = {};
};

struct HttpResponse {
  long status = 0;
  std::string body;
};

inline constexpr std::size_t kMaxHttpBody = 4 << 20;

// Sends a request and returns the answer, whatever its status. Fails with kUnreachable (no
// connection, no answer in time, certificate not accepted), kUsage (URL, CA file or our
// certificate) or kBadData (not HTTP, longer than kMaxHttpBody); the text names the host and port.
Result<HttpResponse> http_request(const HttpRequest& request, const Deadline& deadline);

}  // namespace ha
