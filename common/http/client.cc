// SPDX-License-Identifier: MIT
#include "common/http/client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>

#include "common/http/transfer.h"
#include "common/text.h"

namespace ha {

namespace {

struct Url {
  std::string text;        // what curl is given: the host replaced by the server name
  std::string label;       // host and port for messages
  std::string connect_to;  // curl's redirection of the connection; empty: none needed
  bool tls = false;
};

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl().url_get(url, which, &text, flags) != CURLUE_OK) return "";
  const std::string value(text);
  curl().free(text);
  return value;
}

Result<Url> parse_url(const HttpRequest& request) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl().url(), curl().url_cleanup);
  // The URL is not quoted: that of a webhook is a secret.
  if (curl().url_set(url.get(), CURLUPART_URL, request.url.c_str(), 0) != CURLUE_OK)
    return Error{Errc::kUsage, "not a URL (accepted: https://HOST[:PORT]/...)"};
  const std::string scheme = part(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https")
    return Error{Errc::kUsage, "the URL must start with https:// or http://"};
  if (!part(url.get(), CURLUPART_USER).empty() || !part(url.get(), CURLUPART_PASSWORD).empty())
    return Error{Errc::kUsage, "a URL may hold neither user nor password"};

  const std::string host = part(url.get(), CURLUPART_HOST);
  const std::string port = part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  Url parsed{request.url, host + ":" + port, "", scheme == "https"};
  if (!request.server_name.empty()) {
    if (curl().url_set(url.get(), CURLUPART_HOST, request.server_name.c_str(), 0) != CURLUE_OK)
      return Error{Errc::kUsage,
                   fmt::format("'{}' is not a server name", sanitize(request.server_name))};
    parsed.text = part(url.get(), CURLUPART_URL);
    parsed.connect_to = fmt::format("{}:{}:{}:{}", request.server_name, port, host, port);
  }
  return parsed;
}

std::size_t take_body(char* data, std::size_t, std::size_t size, void* response) {
  std::string& body = static_cast<HttpResponse*>(response)->body;
  if (body.size() + size > kMaxHttpBody) return 0;  // curl ends the transfer
  body.append(data, size);
  return size;
}

}  // namespace

Result<HttpResponse> http_request(const HttpRequest& request, const Deadline& deadline) {
  if (const auto loaded = load_curl(); !loaded) return loaded.error();
  const auto url = parse_url(request);
  if (!url) return url.error();
  if (request.credentials && !url->tls)
    return Error{Errc::kUsage, url->label + ": a password is sent over https:// only"};

  CurlTransfer transfer;
  transfer.limit(deadline);
  HttpResponse response;
  transfer.set(CURLOPT_URL, url->text.c_str());
  transfer.set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (!request.body.empty()) {
    transfer.set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    transfer.set(CURLOPT_POSTFIELDS, request.body.c_str());
  }
  CurlList headers, connect_to;
  headers.add("Expect:");  // no round trip before a body that is always small
  for (const auto& [name, value] : request.headers) headers.add(name + ": " + value);
  transfer.set(CURLOPT_HTTPHEADER, headers.get());
  if (!url->connect_to.empty()) {
    connect_to.add(url->connect_to);
    transfer.set(CURLOPT_CONNECT_TO, connect_to.get());
  }
  if (request.credentials) transfer.log_in(*request.credentials);
  if (!request.certificate.certificate.empty()) transfer.show(request.certificate);
  if (!request.ca_file.empty()) transfer.trust_only(request.ca_file);
  transfer.set(CURLOPT_WRITEFUNCTION, take_body);
  transfer.set(CURLOPT_WRITEDATA, &response);

  const CURLcode code = transfer.perform();
  if (code == CURLE_WRITE_ERROR)
    return Error{Errc::kBadData,
                 fmt::format("{}: the answer is longer than {} bytes", url->label, kMaxHttpBody)};
  if (code != CURLE_OK) return transfer.error(code, url->label);
  response.status = transfer.status();
  return response;
}

}  // namespace ha
