// SPDX-License-Identifier: MIT
#include "common/engine/succession.h"

#include <fmt/format.h>

namespace ha {

namespace {

constexpr std::string_view kNotRemembered = "not remembered for the stand-down";
constexpr std::string_view kNotApart = "not kept apart from other handlers";

bool must_go_on(const Arrival& mine) {
  return mine.kind == Arrival::Kind::kEvent && mine.role == Role::kActive;
}

}  // namespace

Result<Done> Succession::peek() {
  if (!remembers()) return Done{};
  const auto record = peek_role_record(state_dir_, engine_);
  if (!record) return record.error();
  record_ = *record;
  return Done{};
}

Result<std::optional<Arrival>> Succession::begin(const Arrival& mine, const Deadline& deadline) {
  if (const auto opened = open(mine, deadline); !opened) return opened.error();
  if (turn_) {
    const auto later = turn_->wait(mine, deadline);
    if (!later || *later) return later;
  }
  if (const auto loaded = load(mine); !loaded) return loaded.error();
  return std::optional<Arrival>();
}

Result<Done> Succession::open(const Arrival& mine, const Deadline& deadline) {
  if (remembers()) {
    auto opened = RoleStore::open(state_dir_, engine_);
    if (!opened && !must_go_on(mine)) return opened.error();
    if (opened)
      store_.emplace(std::move(*opened));
    else
      set_trouble(kNotRemembered, opened.error());
  }
  // A full disk is no reason to act beside another handler.
  if (store_ && enter(state_dir_, mine, deadline)) return Done{};
  const auto runtime = runtime_directory();
  const auto entered = runtime ? enter(*runtime, mine, deadline) : Result<Done>(runtime.error());
  if (!entered) set_trouble(kNotApart, entered.error());
  if (store_ || !runtime) return Done{};
  if (auto opened = RoleStore::open(*runtime, engine_)) store_.emplace(std::move(*opened));
  return Done{};
}

Result<Done> Succession::enter(const std::string& directory, const Arrival& mine,
                               const Deadline& deadline) {
  auto entered = Turn::enter(directory, engine_, mine, deadline);
  if (!entered) return entered.error();
  turn_.emplace(std::move(*entered));
  return Done{};
}

Result<Done> Succession::load(const Arrival& mine) {
  if (!store_) return Done{};
  const auto loaded = store_->load();
  record_ = loaded ? *loaded : RoleRecord{};
  if (loaded || !remembers()) return Done{};
  if (!must_go_on(mine)) return loaded.error();
  set_trouble(kNotRemembered, loaded.error());
  return Done{};
}

std::optional<Arrival> Succession::overtaking(const Arrival& mine) const {
  return turn_ ? ha::overtaking(turn_->arrivals(), mine) : std::nullopt;
}

std::optional<Arrival> Succession::left_over(const Arrival& mine) const {
  auto left = overtaking(mine);
  if (!left && turn_ && mine.kind == Arrival::Kind::kReassert) left = turn_->arrivals().event;
  return left && was_left(*left) ? left : std::nullopt;
}

Commands Succession::earlier_commands() const {
  const bool alone = turn_ || trouble_.empty();
  return alone && !(record_ && record_->open()) ? Commands::kNone : Commands::kOnTheirWay;
}

void Succession::remember(const RoleRecord& record) {
  record_ = record;
  if (!store_) return;
  if (const auto saved = store_->save(record); !saved) set_trouble(kNotRemembered, saved.error());
}

void Succession::mark_done(const Arrival& mine, const Deadline& deadline) const {
  // Where it cannot be written, the next handler does it once more.
  if (turn_ && mine.kind != Arrival::Kind::kReassert)
    static_cast<void>(turn_->mark_done(mine.process, deadline));
}

void Succession::set_trouble(std::string_view what, const Error& error) {
  if (trouble_.empty()) trouble_ = fmt::format("{}: {}", what, error.text);
}

}  // namespace ha
