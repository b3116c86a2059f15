// SPDX-License-Identifier: MIT
// Requests to the REST API of one Icinga 2 node, and what its refusals mean.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/deadline.h"
#include "common/http/client.h"
#include "common/http/credentials.h"
#include "common/result.h"

namespace ha {

struct Icinga2Api {
  std::string url;                              // https://HOST:5665
  std::optional<Credentials> credentials = {};  // of the ApiUser; or
  ClientCertificate certificate = {};           // whose name is the ApiUser's client_cn
  std::string ca_file = {};                     // empty: the system's CAs
  std::string server_name = {};                 // the certificate's, if not the URL's host
};

// Reads `credentials_file`, the lines username= and password=, or takes the certificate instead,
// which may be for other servers when both are given.
// Fails with kUsage and the option's name when neither is given, or a certificate without its key.
Result<Done> set_login(Icinga2Api& api, const std::string& credentials_file,
                       ClientCertificate certificate);

// Sends a request to a path such as /v1/status/CIB, a POST when there is a body. Fails as
// http_request() does, and with kAccessDenied, kPrivilege (naming `permission`), kRefused (the
// server's own error) or kBadData for other answers than HTTP 200.
Result<HttpResponse> icinga2_request(const Icinga2Api& api, std::string_view path,
                                     std::string_view permission, const Deadline& deadline,
                                     const std::string& body = "");

}  // namespace ha
