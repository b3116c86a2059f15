// SPDX-License-Identifier: MIT
#include "common/http/transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/text.h"

namespace ha {

CurlTransfer::CurlTransfer() {
  // Once per process, and before a second thread can come along.
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(ready);
  curl_ = curl_easy_init();
  curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, message_);
  curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_, CURLOPT_PROXY, "");
  curl_easy_setopt(curl_, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl_, CURLOPT_SSL_VERIFYHOST, 2L);
}

void CurlTransfer::limit(const Deadline& deadline) {
  // 0 would mean no limit.
  const long milliseconds = std::max(1L, std::lround(deadline.remaining_s() * 1000));
  curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, milliseconds);
  curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT_MS, milliseconds);
}

void CurlTransfer::log_in(const Credentials& credentials) {
  curl_easy_setopt(curl_, CURLOPT_USERNAME, credentials.username.c_str());
  curl_easy_setopt(curl_, CURLOPT_PASSWORD, credentials.password.c_str());
}

void CurlTransfer::trust_only(const std::string& ca_file) {
  curl_easy_setopt(curl_, CURLOPT_CAINFO, ca_file.c_str());
  curl_easy_setopt(curl_, CURLOPT_CAPATH, nullptr);
}

Error CurlTransfer::error(CURLcode code, const std::string& label) const {
  const std::string text = sanitize(message_[0] != '\0' ? message_ : curl_easy_strerror(code));
  Errc kind = Errc::kUnreachable;
  if (code == CURLE_SSL_CACERT_BADFILE || code == CURLE_URL_MALFORMAT) kind = Errc::kUsage;
  if (code == CURLE_LOGIN_DENIED) kind = Errc::kAccessDenied;
  // The second: HTTP/0.9, which is what anything else that talks looks like.
  if (code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_UNSUPPORTED_PROTOCOL) kind = Errc::kBadData;
  return {kind, fmt::format("{}: {}", label, trim(text))};
}

}  // namespace ha
