// SPDX-License-Identifier: MIT
#include "common/mysql/connect_within.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>
#include <thread>

#include "common/address.h"
#include "common/deadline.h"
#include "common/mysql/connect.h"
#include "common/parallel.h"
#include "common/resolve.h"

namespace ha {

namespace {

using Login = Result<std::unique_ptr<SqlSession>>;

// What the logins that are being tried have come to; outlives the caller that waits for it.
struct Race {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Login> result = {};
};

// Tries a login, whose end counts unless it is nullopt or another was first. False when this
// machine has no thread for it.
bool start(const std::shared_ptr<Race>& race, std::function<std::optional<Login>()> login) {
  try {
    std::thread([race, login = std::move(login)] {
      std::optional<Login> end;
      try {
        end = login();
      } catch (const std::bad_alloc&) {
        end = our_own_want<Login>("out of memory");
      }
      const std::lock_guard lock(race->mutex);
      if (!race->result) race->result = std::move(end);
      race->changed.notify_one();
    }).detach();
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

// Gives each address of the server's name its share of the time that is left. Nullopt when there is
// only one, which is being tried already, or when none has answered in its share.
std::optional<Login> connect_to_each(MysqlOptions options, const Deadline& deadline) {
  const std::size_t addresses =
      resolve_host(options.host.empty() ? "localhost" : options.host).size();
  if (addresses < 2) return std::nullopt;
  const double share_s = deadline.remaining_s() / static_cast<double>(addresses);
  options.connect_timeout_s = std::max(1u, static_cast<unsigned>(share_s));
  Login login = connect(options);
  if (!login && (is_no_answer(login.error()) || login.error().code == Errc::kInternal))
    return std::nullopt;
  return login;
}

}  // namespace

Login connect_within(const MysqlOptions& options, const Deadline& deadline) {
  if (!by_tcp(options) || is_numeric_address(options.host)) return connect(options);
  const auto race = std::make_shared<Race>();
  if (!start(race, [options] { return connect(options); })) return connect(options);

  std::unique_lock lock(race->mutex);
  const auto decided = [&] { return race->result.has_value(); };
  if (!race->changed.wait_for(lock, std::chrono::duration<double>(deadline.remaining_s() / 4),
                              decided)) {
    start(race, [=] { return connect_to_each(options, deadline); });
    race->changed.wait(lock, decided);
  }
  return std::move(*race->result);
}

}  // namespace ha
