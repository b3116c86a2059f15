// SPDX-License-Identifier: MIT
#include "common/context/mha_call.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/failover/mha_scripts.h"

namespace ha {

namespace {

// As MHA asks (SSH_OPT_CHECK); `place` is USER@HOST:PORT.
bool answers_to_ssh(const Env& env, std::string_view place, const Deadline& deadline) {
  constexpr double kLonger_s = 7;  // than ssh waits for a connection
  const std::size_t colon = place.rfind(':');
  const Command command{{"ssh", "-oStrictHostKeyChecking=no", "-oPasswordAuthentication=no",
                         "-oBatchMode=yes", "-oLogLevel=ERROR", "-oConnectTimeout=5",
                         fmt::format("-p{}", place.substr(colon + 1)), "--",
                         std::string(place.substr(0, colon)), "exit 0"}};
  const auto outcome =
      env.process.run(command, deadline.from_now(std::min(kLonger_s, deadline.remaining_s() / 2)));
  return outcome && outcome->succeeded();
}

// The first address, as MHA takes it; the host where there is none.
std::string resolve(const Env& env, const std::string& host) {
  const auto addresses = env.network.resolve(host);
  return addresses.empty() ? host : *addresses.begin();
}

}  // namespace

std::vector<std::string> expand_mha_call(const Env& env, const std::vector<std::string>& argv,
                                         const std::optional<std::string>& password,
                                         const Deadline& deadline) {
  std::vector<std::string> words;
  for (std::string word : argv) {
    if (word.starts_with(kMhaStop) && word.ends_with('}')) {
      const std::string place = word.substr(kMhaStop.size(), word.size() - kMhaStop.size() - 1);
      const bool reachable = answers_to_ssh(env, place, deadline);
      words.emplace_back(reachable ? "--command=stopssh" : "--command=stop");
      if (reachable) words.push_back("--ssh_user=" + place.substr(0, place.rfind('@')));
      continue;
    }
    for (std::size_t at = word.find(kMhaIp); at != word.npos; at = word.find(kMhaIp, at)) {
      const std::size_t end = word.find('}', at);
      if (end == word.npos) break;
      const std::string ip =
          resolve(env, word.substr(at + kMhaIp.size(), end - at - kMhaIp.size()));
      word.replace(at, end + 1 - at, ip);
      at += ip.size();
    }
    if (word.ends_with(fmt::format("={}", kMhaPassword)))
      word.replace(word.size() - kMhaPassword.size(), kMhaPassword.size(), password.value_or(""));
    words.push_back(std::move(word));
  }
  return words;
}

std::string without_password(std::string output, const std::optional<std::string>& password) {
  constexpr std::string_view kHidden = "xxx";
  if (!password || password->empty()) return output;
  for (std::size_t at = output.find(*password); at != output.npos;
       at = output.find(*password, at + kHidden.size()))
    output.replace(at, password->size(), kHidden);
  return output;
}

}  // namespace ha
