// SPDX-License-Identifier: MIT
#include "common/engine/succession.h"

#include <fmt/format.h>

#include "common/commands.h"

namespace ha {

namespace {

constexpr std::string_view kNotRemembered = "not remembered for the deactivation";
constexpr std::string_view kNotApart = "not kept apart from other handlers";

bool must_go_on(const Arrival& mine) {
  return mine.kind == Arrival::Kind::kEvent && mine.role == Role::kActive;
}

}  // namespace

Result<Done> Succession::peek(const Arrival& mine) {
  return remembers() ? take(peek_role_record(state_dir_, engine_), mine) : Result<Done>(Done{});
}

Result<std::optional<Arrival>> Succession::begin(const Arrival& mine, const Deadline& deadline) {
  if (const auto opened = open(mine, deadline); !opened) return opened.error();
  if (const auto later = wait_for_turns(turns_, mine, deadline); !later || *later) return later;
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
  // A full disk is no reason to act beside another handler, or out of order.
  if (store_ && enter(state_dir_, mine, deadline) && !turns_[0].unregistered()) return Done{};
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
  turns_.push_back(std::move(*entered));
  return Done{};
}

Result<Done> Succession::load(const Arrival& mine) {
  if (!store_) return Done{};
  return take(store_->load(), mine);
}

Result<Done> Succession::take(const Result<RoleRecord>& record, const Arrival& mine) {
  record_ = record ? *record : RoleRecord{};
  if (record || !remembers()) return Done{};
  if (mine.kind == Arrival::Kind::kByHand) {
    // What a person decides is about all of the scope, whatever was done to it before.
    remember(RoleRecord{});
    return Done{};
  }
  if (!must_go_on(mine))
    return Error{
        record.error().code,
        fmt::format("{0}; to set the role and replace the record, run: {1} --deactivate (or "
                    "{1} --activate)",
                    record.error().text, kThisProgram)};
  set_trouble(kNotRemembered, record.error());
  return Done{};
}

std::optional<Arrival> Succession::left_over(const Arrival& mine) const {
  auto left = overtaking(mine);
  if (!left && !turns_.empty() && mine.kind == Arrival::Kind::kReassert)
    left = turns_.back().arrivals().event;
  return left && was_left(*left) ? left : std::nullopt;
}

Commands Succession::earlier_commands() const {
  const bool alone = !turns_.empty() || trouble_.empty();
  return alone && !(record_ && record_->open()) ? Commands::kNone : Commands::kOnTheirWay;
}

void Succession::remember(const RoleRecord& record) {
  record_ = record;
  if (!store_) return;
  if (const auto saved = store_->save(record); !saved) set_trouble(kNotRemembered, saved.error());
}

void Succession::mark_done(const Arrival& mine, const Deadline& deadline) const {
  // Where it cannot be written, the next handler does it once more.
  if (mine.kind == Arrival::Kind::kReassert) return;
  for (const Turn& turn : turns_) static_cast<void>(turn.mark_done(mine.process, deadline));
}

void Succession::set_trouble(std::string_view what, const Error& error) {
  if (trouble_.empty()) trouble_ = fmt::format("{}: {}", what, error.text);
}

}  // namespace ha
