// SPDX-License-Identifier: MIT
#include "common/engine/turn.h"

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include "common/engine/process_id.h"
#include "common/engine/role_store.h"
#include "common/files.h"

namespace ha {

namespace {

constexpr auto kPause = std::chrono::milliseconds(20);
constexpr auto kShortPause = std::chrono::milliseconds(2);  // where a file is replaced meanwhile

Arrivals read_arrivals(const std::string& path) {
  const auto content = read_file(path + ".events");
  if (!content) return {};
  auto arrivals = parse_arrivals(*content);
  if (!arrivals) return {};
  place_in_time(*arrivals, ticks_now());
  return *arrivals;
}

// Replaces what was registered by what `change` makes of it, while no other handler does.
Result<Done> change_arrivals(const std::string& path, const std::function<void(Arrivals&)>& change,
                             const Deadline& deadline) {
  const std::string lock_path = path + ".events.lock";
  const auto lock = LockFile::open(lock_path);
  if (!lock) return lock.error();
  while (!lock->take()) {
    if (deadline.passed())
      return Error{Errc::kRefused, "another handler for this engine holds " + lock_path};
    std::this_thread::sleep_for(kShortPause);
  }
  Arrivals arrivals = read_arrivals(path);
  change(arrivals);
  return write_file_atomic(path + ".events", format_arrivals(arrivals));
}

}  // namespace

Result<Turn> Turn::enter(const std::string& directory, const std::string& engine,
                         const Arrival& mine, const Deadline& deadline) {
  const std::string path = path_of_engine(directory, engine);
  auto lock = LockFile::open(path + ".lock");
  if (!lock) return lock.error();
  Turn turn(path, std::move(*lock));
  if (mine.kind == Arrival::Kind::kReassert) return turn;
  const auto entered = change_arrivals(
      path, [&](Arrivals& arrivals) { ha::enter(arrivals, mine); }, deadline);
  // On a full disk the lock still keeps handlers apart.
  if (!entered) turn.unregistered_ = entered.error();
  return turn;
}

Arrivals Turn::arrivals() const { return read_arrivals(path_); }

Result<Done> Turn::mark_done(const ProcessId& process, const Deadline& deadline) const {
  return change_arrivals(
      path_, [&](Arrivals& arrivals) { ha::mark_done(arrivals, process); }, deadline);
}

std::optional<Arrival> overtaking(const std::vector<Turn>& turns, const Arrival& mine) {
  std::optional<Arrival> last;
  for (const Turn& turn : turns) {
    auto later = overtaking(turn.arrivals(), mine);
    if (later && (!last || started_after(later->process, last->process))) last = std::move(later);
  }
  return last;
}

Result<std::optional<Arrival>> wait_for_turns(const std::vector<Turn>& turns, const Arrival& mine,
                                              const Deadline& deadline) {
  auto next = turns.begin();
  for (;;) {
    while (next != turns.end() && next->take()) ++next;
    if (auto later = overtaking(turns, mine); later && !was_left(*later)) return later;
    if (next == turns.end()) return std::optional<Arrival>();
    if (deadline.passed())
      return Error{
          Errc::kRefused,
          fmt::format("another handler for this engine is still at work (it holds {}.lock)",
                      next->path())};
    std::this_thread::sleep_for(kPause);
  }
}

bool was_left(const Arrival& arrival) {
  return arrival.kind == Arrival::Kind::kEvent && !arrival.done && !is_running(arrival.process);
}

}  // namespace ha
