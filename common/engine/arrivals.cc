// SPDX-License-Identifier: MIT
#include "common/engine/arrivals.h"

#include <nlohmann/json.hpp>

namespace ha {

namespace {

using Json = nlohmann::ordered_json;

// Processes that are started in one tick have numbers that lie close together, unless the numbers
// begin anew between them.
constexpr std::int64_t kNear = 10'000;

std::optional<Arrival>& place_of(Arrivals& arrivals, Arrival::Kind kind) {
  return kind == Arrival::Kind::kByHand ? arrivals.by_hand : arrivals.event;
}

// What arrived before the machine was started is never the later one.
bool is_later(const Arrival& a, const Arrival& b) {
  return may_be_of_one_boot(a.process, b.process) && started_after(a.process, b.process);
}

bool undoes(const Arrival& later, const Arrival& mine) {
  using Kind = Arrival::Kind;
  if (later.kind == Kind::kByHand || mine.kind == Kind::kEvent) return true;
  if (mine.kind == Kind::kReassert) return later.role == Role::kActive;
  return mine.role == Role::kStandby && later.role == Role::kActive;
}

Json to_json(const Arrival& arrival) {
  return {{"role", role_name(arrival.role)}, {"title", arrival.title},
          {"boot", arrival.process.boot},    {"ticks", arrival.process.ticks},
          {"pid", arrival.process.pid},      {"done", arrival.done}};
}

bool read_arrival(const Json& json, Arrival::Kind kind, std::optional<Arrival>& arrival) {
  if (json.is_null()) return true;
  const auto is = [&](const char* name, bool (Json::*test)() const noexcept) {
    return json.contains(name) && (json[name].*test)();
  };
  if (!json.is_object() || !is("role", &Json::is_string) || !is("title", &Json::is_string) ||
      !is("boot", &Json::is_string) || !is("ticks", &Json::is_number_unsigned) ||
      !is("pid", &Json::is_number_integer) || !is("done", &Json::is_boolean))
    return false;
  const auto role = parse_role(json["role"].get<std::string>());
  if (!role) return false;
  arrival =
      Arrival{{json["boot"], json["ticks"], json["pid"]}, kind, *role, json["title"], json["done"]};
  return true;
}

}  // namespace

bool may_be_of_one_boot(const ProcessId& a, const ProcessId& b) {
  return a.boot == b.boot || a.boot.empty() || b.boot.empty();
}

bool started_after(const ProcessId& a, const ProcessId& b) {
  if (!may_be_of_one_boot(a, b)) return true;
  if (a.ticks != b.ticks) return a.ticks > b.ticks;
  const std::int64_t apart = a.pid - b.pid;
  return (apart > 0 && apart < kNear) || apart <= -kNear;
}

void place_in_time(Arrivals& arrivals, std::uint64_t now) {
  for (std::optional<Arrival>* const place : {&arrivals.event, &arrivals.by_hand})
    if (*place && (*place)->process.ticks > now) (*place)->process.ticks = 0;
}

void enter(Arrivals& arrivals, const Arrival& arrival) {
  std::optional<Arrival>& place = place_of(arrivals, arrival.kind);
  if (!place || started_after(arrival.process, place->process)) place = arrival;
}

void mark_done(Arrivals& arrivals, const ProcessId& process) {
  std::optional<Arrival>& event = arrivals.event;
  std::optional<Arrival>& by_hand = arrivals.by_hand;
  if (event && event->process == process) event->done = true;
  if (!by_hand || by_hand->process != process) return;
  by_hand->done = true;
  if (event && !is_later(*event, *by_hand)) event->done = true;
}

std::optional<Arrival> overtaking(const Arrivals& arrivals, const Arrival& mine) {
  std::optional<Arrival> last;
  for (const std::optional<Arrival>* place : {&arrivals.event, &arrivals.by_hand}) {
    const std::optional<Arrival>& other = *place;
    if (!other || !is_later(*other, mine) || !undoes(*other, mine)) continue;
    if (!last || started_after(other->process, last->process)) last = other;
  }
  return last;
}

Result<Arrivals> parse_arrivals(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  Arrivals arrivals;
  if (!json.is_object() || !json.contains("event") || !json.contains("by_hand") ||
      !read_arrival(json["event"], Arrival::Kind::kEvent, arrivals.event) ||
      !read_arrival(json["by_hand"], Arrival::Kind::kByHand, arrivals.by_hand))
    return Error{Errc::kBadData, "the record of the last event is damaged"};
  return arrivals;
}

std::string format_arrivals(const Arrivals& arrivals) {
  const auto shown = [](const std::optional<Arrival>& arrival) {
    return arrival ? to_json(*arrival) : Json();
  };
  return Json{{"event", shown(arrivals.event)}, {"by_hand", shown(arrivals.by_hand)}}.dump() + "\n";
}

}  // namespace ha
