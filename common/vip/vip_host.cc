// SPDX-License-Identifier: MIT
#include "common/vip/vip_host.h"

#include <fmt/format.h>

#include <set>

#include "common/parallel.h"
#include "common/resolve.h"
#include "common/text.h"
#include "common/vip/neighbours.h"

namespace ha {

namespace {

constexpr std::size_t kMostOutput = 300;

Error claimed(const VipOptions& vip, const std::string& by) {
  return {Errc::kRefused, fmt::format("{} is still answered by {}", vip.address, by)};
}

// Says what became of a command; of its output the last line, the first ones are often about the
// connection.
Error failed(const Argv& argv, const ProcessOutcome& outcome) {
  const std::string_view output = trim(outcome.output);
  const std::string last = sanitize(output.substr(output.rfind('\n') + 1));
  return {outcome.end == ProcessOutcome::End::kTimedOut ? Errc::kUnreachable : Errc::kInternal,
          fmt::format("'{}' {}{}{}", join(argv, " "), describe(outcome), last.empty() ? "" : ": ",
                      shorten(last, kMostOutput))};
}

// Runs a command that has to succeed; returns its output.
Result<std::string> output_of(const Argv& argv, Process& process, const Deadline& deadline) {
  const auto outcome = process.run({argv}, deadline);
  if (!outcome) return outcome.error();
  if (!outcome->succeeded()) return failed(argv, *outcome);
  return outcome->output;
}

class LocalHost : public VipHost {
 public:
  LocalHost(const VipOptions& vip, Process& process, const Deadline& deadline)
      : vip_(vip), process_(process), deadline_(deadline) {}

  Result<std::vector<LocalAddress>> addresses() override {
    const auto interfaces = read_interfaces();
    if (!interfaces) return interfaces.error();
    return interfaces->addresses;
  }

  Result<KernelCheck> prepare() override {
    const auto free = judge(find_claimants(vip_.device(), vip_.address, deadline_));
    if (!free) return free.error();
    return KernelCheck::kNo;
  }

  Result<Done> run(const Argv& command) override {
    const auto output = output_of(command, process_, deadline_);
    if (!output) return output.error();
    return Done{};
  }

  Result<Done> announce() override {
    return judge(announce_address(vip_.device(), vip_.address, deadline_));
  }

 private:
  Result<Done> judge(const Result<std::set<std::string>>& claimants) const {
    if (!claimants) return claimants.error();
    if (claimants->empty()) return Done{};
    return claimed(vip_, join({claimants->begin(), claimants->end()}, ", "));
  }

  const VipOptions& vip_;
  Process& process_;
  const Deadline deadline_;
};

// For IPv6 the other machine's kernel looks and announces: there is no tool that is everywhere.
class RemoteHost : public VipHost {
 public:
  RemoteHost(const VipOptions& vip, std::string host, Process& process, const Deadline& deadline)
      : vip_(vip), host_(std::move(host)), process_(process), deadline_(deadline) {}

  Result<std::vector<LocalAddress>> addresses() override {
    const auto output = there(show_command());
    if (!output) return output.error();
    auto addresses = parse_ip_addresses(*output);
    // A machine that was reached has one; and what was cut off may be the one that is looked for.
    if (addresses.empty() || output->size() >= kMaxProcessOutput)
      return Error{Errc::kBadData, fmt::format("the addresses of {} cannot be told from '{}'",
                                               host_, shorten(sanitize(*output), kMostOutput))};
    return addresses;
  }

  Result<KernelCheck> prepare() override {
    if (vip_.ipv6()) {
      const auto set = run(announcing_command(vip_));
      if (!set) return set.error();
      return KernelCheck::kYes;
    }
    const auto argv = remote_command(vip_, host_, arping_ask_command(vip_));
    if (!argv) return argv.error();
    const auto outcome = process_.run({*argv}, deadline_);
    if (!outcome) return outcome.error();
    const ArpingAnswer answer = arping_answer(outcome->output);
    if (answer == ArpingAnswer::kMachine) return claimed(vip_, "a machine near " + host_);
    if (!outcome->succeeded()) return failed(*argv, *outcome);
    if (answer == ArpingAnswer::kNone) return KernelCheck::kNo;
    return Error{Errc::kBadData,
                 fmt::format("cannot tell whether {} is free: arping on {} is not that of iputils",
                             vip_.address, host_)};
  }

  Result<Done> run(const Argv& command) override {
    const auto output = there(command);
    if (!output) return output.error();
    return Done{};
  }

  Result<Done> announce() override {
    return vip_.ipv6() ? Done{} : run(arping_announce_command(vip_));
  }

 private:
  Result<std::string> there(const Argv& command) {
    const auto argv = remote_command(vip_, host_, command);
    if (!argv) return argv.error();
    return output_of(*argv, process_, deadline_);
  }

  const VipOptions& vip_;
  const std::string host_;
  Process& process_;
  const Deadline deadline_;
};

// True when the host is one of our own addresses. A resolver that hangs is left behind.
bool is_here(const std::string& host, const Deadline& deadline) {
  if (host.empty()) return true;
  const auto interfaces = read_interfaces();
  const auto found = run_each<std::set<std::string>>(
      1, deadline, [host](std::size_t) { return resolve_host(host); });
  if (!interfaces || !found[0]) return false;
  for (const std::string& address : *found[0])
    if (address.starts_with("127.") || find_address(interfaces->addresses, address)) return true;
  return false;
}

}  // namespace

std::unique_ptr<VipHost> open_vip_host(const VipOptions& vip, const std::string& host,
                                       Process& process, const Deadline& deadline) {
  if (is_here(host, deadline)) return std::make_unique<LocalHost>(vip, process, deadline);
  return std::make_unique<RemoteHost>(vip, host, process, deadline);
}

}  // namespace ha
