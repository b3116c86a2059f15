// SPDX-License-Identifier: MIT
#include "common/http/transfer.h"

#include <fmt/format.h>

#include "common/machine.h"
#include "common/reach.h"
#include "common/text.h"

namespace ha {

CurlTransfer::CurlTransfer() : handle_(curl().easy_init()) {
  set(CURLOPT_ERRORBUFFER, message_);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
}

void CurlTransfer::limit(const Deadline& deadline) {
  // 0 would mean no limit, and a transfer that ends before the deadline would be tried again. Not
  // rounded by std::ceil: that is in libm, a library more to load.
  const long milliseconds = static_cast<long>(deadline.remaining_s() * 1000) + 1;
  set(CURLOPT_TIMEOUT_MS, milliseconds);
  set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds);
}

void CurlTransfer::log_in(const Credentials& credentials) {
  set(CURLOPT_USERNAME, credentials.username.c_str());
  set(CURLOPT_PASSWORD, credentials.password.c_str());
}

void CurlTransfer::show(const ClientCertificate& certificate) {
  set(CURLOPT_SSLCERT, certificate.certificate.c_str());
  set(CURLOPT_SSLKEY, certificate.key.c_str());
  set(CURLOPT_KEYPASSWD, "");
}

void CurlTransfer::trust_only(const std::string& ca_file) {
  set(CURLOPT_CAINFO, ca_file.c_str());
  set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
}

long CurlTransfer::status() const {
  long status = 0;
  curl().easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

Error CurlTransfer::error(CURLcode code, const std::string& label) const {
  const std::string text = sanitize(message_[0] != '\0' ? message_ : curl().easy_strerror(code));
  Errc kind = Errc::kUnreachable;
  if (code == CURLE_SSL_CACERT_BADFILE || code == CURLE_URL_MALFORMAT ||
      code == CURLE_SSL_CERTPROBLEM)
    kind = Errc::kUsage;
  if (code == CURLE_LOGIN_DENIED) kind = Errc::kAccessDenied;
  long system_error = 0;
  curl().easy_getinfo(handle_, CURLINFO_OS_ERRNO, &system_error);
  const int reason = static_cast<int>(system_error);
  const auto place = parse_host_port(label);
  const bool knows_place = place && place->port != 0;
  if (code == CURLE_OUT_OF_MEMORY ||
      (is_own_want(reason) && (!knows_place || is_cut_off(reason, *place))) || lacks_resources())
    return {Errc::kInternal, fmt::format("{}: {}{}", label, trim(text), kOwnWant)};
  // The second: HTTP/0.9, which is what anything else that talks looks like.
  if (code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_UNSUPPORTED_PROTOCOL) kind = Errc::kBadData;
  return {kind, fmt::format("{}: {}", label, trim(text))};
}

}  // namespace ha
