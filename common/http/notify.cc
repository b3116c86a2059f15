// SPDX-License-Identifier: MIT
#include "common/http/notify.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>

#include "common/cli.h"
#include "common/http/client.h"
#include "common/http/transfer.h"
#include "common/text.h"
#include "common/time_text.h"

namespace ha {

namespace {

std::string hostname() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

std::string mail_sender(const NotifyOptions& options) {
  return options.mail_from.empty() ? "monitoring-plugins-ha@" + hostname() : options.mail_from;
}

// Says whether an address can stand in an SMTP command and a header without ending it.
bool is_mail_address(const std::string& text) {
  const auto allowed = [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7F &&
           std::strchr("<>,;\"\\", c) == nullptr;
  };
  const std::size_t at = text.find('@');
  return at != 0 && at != text.npos && at + 1 < text.size() && std::ranges::all_of(text, allowed);
}

std::string compose_mail(const NotifyOptions& options, const Notice& notice) {
  const std::time_t now = std::time(nullptr);
  std::string mail = fmt::format(
      "Date: {}\r\nFrom: {}\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{}.{}@{}>\r\n"
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: 8bit\r\nAuto-Submitted: auto-generated\r\n\r\n",
      format_mail_date(static_cast<double>(now)), mail_sender(options), join(options.mail_to, ", "),
      sanitize(notice.subject), now, getpid(), hostname());
  for (const std::string& line : notice.lines) mail += sanitize(line) + "\r\n";
  return mail;
}

std::size_t give_mail(char* buffer, std::size_t, std::size_t size, void* rest) {
  std::string_view& text = *static_cast<std::string_view*>(rest);
  const std::size_t count = std::min(size, text.size());
  std::memcpy(buffer, text.data(), count);
  text.remove_prefix(count);
  return count;
}

Result<Done> send_mail(const NotifyOptions& options, const Notice& notice,
                       const Deadline& deadline) {
  if (const auto loaded = load_curl(); !loaded) return loaded.error();
  CurlTransfer transfer;
  transfer.limit(deadline);
  const std::string mail = compose_mail(options, notice), sender = mail_sender(options);
  std::string_view rest = mail;
  CurlList recipients;
  for (const std::string& address : options.mail_to) recipients.add(address);
  transfer.set(CURLOPT_URL, options.smtp.c_str());
  transfer.set(CURLOPT_MAIL_FROM, sender.c_str());
  transfer.set(CURLOPT_MAIL_RCPT, recipients.get());
  transfer.set(CURLOPT_UPLOAD, 1L);
  transfer.set(CURLOPT_READFUNCTION, give_mail);
  transfer.set(CURLOPT_READDATA, &rest);
  if (!options.ca_file.empty()) transfer.trust_only(options.ca_file);
  if (!options.smtp_credentials.empty()) {
    const auto credentials = read_credentials(options.smtp_credentials);
    if (!credentials) return credentials.error();
    transfer.set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
    transfer.log_in(*credentials);
  }
  const CURLcode code = transfer.perform();
  if (code != CURLE_OK) return transfer.error(code, options.smtp);
  return Done{};
}

Result<Done> post(const NotifyOptions& options, const std::string& url, const Notice& notice,
                  const Deadline& deadline) {
  nlohmann::ordered_json json = {{"text", sanitize(notice.subject)},
                                 {"lines", nlohmann::ordered_json::array()}};
  for (const std::string& line : notice.lines) json["lines"].push_back(sanitize(line));
  for (const auto& [name, value] : notice.fields) json[name] = sanitize(value);
  HttpRequest request{url, "POST", {{"Content-Type", "application/json"}}};
  request.body = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  request.ca_file = options.ca_file;
  if (!options.webhook_credentials.empty()) {
    const auto credentials = read_credentials(options.webhook_credentials);
    if (!credentials) return credentials.error();
    request.credentials = *credentials;
  }
  const auto response = http_request(request, deadline);
  if (!response) return response.error();
  if (response->status < 200 || response->status > 299)
    return Error{Errc::kRefused, fmt::format("HTTP {}", response->status)};
  return Done{};
}

}  // namespace

void add_notify_options(Cli& cli, NotifyOptions& options) {
  cli.list("--notify-mail", "ADDRESS", options.mail_to, "tell this address by mail; repeatable");
  cli.text("--notify-from", "ADDRESS", options.mail_from,
           "sender of the mail (default: monitoring-plugins-ha@HOSTNAME)");
  cli.text("--notify-smtp", "URL", options.smtp,
           "mail server, smtp://HOST[:PORT] or smtps://... (default: smtp://localhost)");
  cli.text("--notify-smtp-credentials", "FILE", options.smtp_credentials,
           "log in to it; lines username= and password=; requires TLS");
  cli.list("--notify-webhook", "URL", options.webhooks,
           "POST a JSON object to this URL; repeatable; a secret URL belongs in --config");
  cli.text("--notify-webhook-credentials", "FILE", options.webhook_credentials,
           "basic authentication for it; lines username= and password=");
  cli.text("--notify-ca-cert", "FILE", options.ca_file,
           "CA certificates of both (default: the system's)");
}

Result<Done> check_notify_options(const NotifyOptions& options) {
  std::vector<std::string> addresses = options.mail_to;
  if (!options.mail_from.empty()) addresses.push_back(options.mail_from);
  for (const std::string& address : addresses)
    if (!is_mail_address(address))
      return Error{Errc::kUsage, fmt::format("'{}' is not a mail address (accepted: NAME@DOMAIN)",
                                             sanitize(address))};
  if (!options.smtp.starts_with("smtp://") && !options.smtp.starts_with("smtps://"))
    return Error{Errc::kUsage, "--notify-smtp must start with smtp:// or smtps://"};
  if (options.smtp.find('@') != options.smtp.npos)
    return Error{Errc::kUsage, "--notify-smtp: user and password belong in a credentials file"};
  for (const std::string& url : options.webhooks)
    if (!url.starts_with("https://") && !url.starts_with("http://"))
      return Error{Errc::kUsage, "--notify-webhook must start with https:// or http://"};
  for (const std::string& file : {options.smtp_credentials, options.webhook_credentials}) {
    if (file.empty()) continue;
    if (const auto read = read_credentials(file); !read)
      return Error{Errc::kUsage, "credentials: " + read.error().text};
  }
  return Done{};
}

std::vector<std::string> notify(const NotifyOptions& options, const Notice& notice,
                                const Deadline& deadline) {
  std::vector<std::string> failures;
  // Shares of their own, so that one that hangs does not keep the others from being notified.
  const double share =
      deadline.remaining_s() /
      static_cast<double>(options.webhooks.size() + (options.mail_to.empty() ? 0 : 1));
  const auto judge_one = [&](const Result<Done>& sent, std::string_view how) {
    if (!sent) failures.push_back(fmt::format("{} not sent: {}", how, sent.error().text));
  };
  if (!options.mail_to.empty())
    judge_one(send_mail(options, notice, deadline.from_now(share)), "mail");
  for (const std::string& url : options.webhooks)
    judge_one(post(options, url, notice, deadline.from_now(share)), "webhook");
  return failures;
}

}  // namespace ha
