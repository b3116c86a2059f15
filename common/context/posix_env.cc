// SPDX-License-Identifier: MIT
#include "common/context/posix_env.h"

#include <cerrno>

#include "common/context/login_relay.h"
#include "common/mysql/connector.h"
#include "common/posix_files.h"
#include "common/posix_process.h"
#include "common/reach.h"
#include "common/resolve.h"
#include "common/vip/vip_host.h"

namespace ha {

namespace {

constexpr double kKeepThreads_s = 10;  // longer than what a guard's loops pause

}  // namespace

std::set<std::string> PosixNetwork::resolve(const std::string& host) { return resolve_host(host); }

bool PosixNetwork::reach(const HostPort& place, const Deadline& deadline) {
  const AddressList addresses = find_addresses(place);
  for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next)
    if (const int error = try_to_connect(*one, deadline); error == 0 || error == ECONNREFUSED)
      return true;
  return false;
}

std::unique_ptr<VipHost> PosixNetwork::open_vip_host(const VipOptions& vip, const std::string& host,
                                                     Process& process, const Deadline& deadline) {
  return ha::open_vip_host(vip, host, process, deadline);
}

Result<std::unique_ptr<LoginRelay>> PosixNetwork::start_relay(const HostPort& server,
                                                              LoginTls tls) {
  return LoginRelay::start(server, tls);
}

Env posix_env(Clock& clock) {
  // A call that was abandoned uses them until the program leaves.
  static MysqlConnector connector;
  static PosixProcess process;
  static PosixFiles files;
  static PosixNetwork network;
  static ThreadWorkers workers(kKeepThreads_s);
  return {clock, connector, process, files, network, workers};
}

}  // namespace ha
