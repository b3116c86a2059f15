// SPDX-License-Identifier: MIT
#include "common/execute/lease_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace ha {

namespace {

constexpr double kOverdue_s = 1;  // a look that takes longer finds a server that is silent
constexpr double kPause_s = 1;    // between two turns: this process, or its machine, was stopped
constexpr double kKill_s = 5;     // for killing the server

GuardFiles files_of(const Env& env, const FailoverOptions& options) {
  return {env.files, options.cluster_directory()};
}

}  // namespace

LeaseKeeper::LeaseKeeper(const Env& env, const FailoverOptions& options, const NodeAddress& node,
                         Log log)
    : env_(env),
      options_(options),
      node_(node),
      log_(std::move(log)),
      terms_(lease_terms(options, node.name)),
      limits_{static_cast<double>(options.lease.lease_s), options.lease.margin_s,
              options.policy.hung_after_s},
      own_(env, options, node),
      majority_record_(files_of(env, options), node.name, terms_.lease_s),
      record_(files_of(env, options), node.name, uptime_s(env.clock)),
      judged_s_(uptime_s(env.clock)),
      awake_since_s_(judged_s_) {
  for (NodeAddress& voter : voters_of(options)) seats_.push_back({std::move(voter)});
  recall();
}

// A guard that was started again has no more time than the one before it had left. A server that
// hangs does not tell that it takes writes, and was seen to do so.
void LeaseKeeper::recall() {
  const auto last = majority_record_.recall(env_.clock.moment());
  if (!last) return;
  had_lease_ = restarted_ = true;
  if (last->closed) return;
  if (last->server) own_.recall(*last->server);
  writable_since_s_ = judged_s_;
  recalled_ = judged_s_ - last->at.uptime_s < limits_.lease_s;
  restarted_ = !recalled_;
  if (recalled_) majority_s_ = last->at.uptime_s;
}

void LeaseKeeper::look() {
  const double sent_s = uptime_s(env_.clock);
  {
    const std::lock_guard guard(mutex_);
    asking_since_s_ = sent_s;
  }
  const OwnServer::State state = own_.look();
  const double now_s = uptime_s(env_.clock);
  const std::lock_guard guard(mutex_);
  asking_since_s_.reset();
  if (state != OwnServer::State::kSilent)
    silent_since_s_.reset();
  else if (!silent_since_s_)
    silent_since_s_ = sent_s;
  // An operator who has mistyped the password is not to lose the server for it.
  if (state == OwnServer::State::kDenied && !answered_) writable_since_s_.reset();
  answered_ = answered_ || state == OwnServer::State::kWritable ||
              state == OwnServer::State::kClosed || state == OwnServer::State::kEnded;
  if (state == OwnServer::State::kWritable) {
    closed_ = false;
    writable_since_s_ = writable_since_s_.value_or(now_s);
    seen_writable_s_ = sent_s;
    record_.note_writable(sent_s);
  }
  note_state(state);
}

// mutex_ is held.
void LeaseKeeper::note_state(OwnServer::State state) {
  state_ = state;
  if (state != OwnServer::State::kClosed && state != OwnServer::State::kEnded) return;
  closed_ = true;
  had_lease_ = had_lease_ || majority_s_;
  recalled_ = restarted_ = false;
  if (state == OwnServer::State::kEnded) record_.end();
  writable_since_s_.reset();
  majority_s_.reset();
  closing_since_s_.reset();
  for (Seat& seat : seats_) seat.given_away = false;
}

// mutex_ is held.
LeaseView LeaseKeeper::view(double now_s) const {
  using Server = LeaseView::Server;
  LeaseView view;
  view.server = state_ == OwnServer::State::kEnded ? Server::kEnded
                : writable_since_s_                ? Server::kWritable
                                                   : Server::kClosed;
  view.now_s = now_s;
  view.writable_since_s = writable_since_s_.value_or(now_s);
  if (silent_since_s_)
    view.silent_since_s = silent_since_s_;
  else if (asking_since_s_ && now_s - *asking_since_s_ > kOverdue_s)
    view.silent_since_s = asking_since_s_;
  view.majority_s = majority_s_;
  view.awake_since_s = awake_since_s_;
  view.closing_since_s = closing_since_s_;
  view.doubted = majority_s_ && !was_kept(*majority_s_ + terms_.certain_s());
  view.recalled = recalled_;
  view.had_lease = had_lease_;
  view.restarted = restarted_;
  // A switchover closes a server before it takes the votes: only a later look tells of another one.
  const auto is_away = [&](const Seat& seat) {
    return seat.given_away && seat.away_since_s <= seen_writable_s_;
  };
  const auto are_too_many = [&](const auto& lost) {
    const auto count = static_cast<std::size_t>(std::ranges::count_if(seats_, lost));
    return seats_.size() - count < majority_of(seats_.size());
  };
  view.given_away = are_too_many(is_away);
  view.cut_off = are_too_many([&](const Seat& seat) { return seat.failed || is_away(seat); });
  view.stopping = stopping_;
  return view;
}

// What happened in a pause of ours was neither asked nor heard: the voters are asked at once, and
// nothing that we wait for is late yet. mutex_ is held.
void LeaseKeeper::note_pause(double now_s) {
  const double last_s = std::exchange(judged_s_, now_s);
  if (now_s - last_s < kPause_s && now_s >= last_s) return;
  awake_since_s_ = now_s;
  if (closing_since_s_) closing_since_s_ = now_s;
  for (Seat& seat : seats_) seat.due_s = 0;
}

LeaseAct LeaseKeeper::judge() {
  finish_deed();
  std::unique_lock guard(mutex_);
  // Not before: a majority that another thread found meanwhile would lie in the future.
  const double now_s = uptime_s(env_.clock);
  note_pause(now_s);
  // The next look may be far, and a replica is to be promoted at once.
  if (writable_since_s_ && own_.has_ended()) note_state(OwnServer::State::kEnded);
  const LeaseView now = view(now_s);
  const std::string obstacle = find_obstacle();
  const bool answered = answered_;
  guard.unlock();
  const LeaseAct act = decide_lease(now, limits_);
  // While the server is to be closed no vote is given back.
  if (is_safe(act)) wanted_ = act != LeaseAct::kRelease;
  // A server that is about to be closed may still take writes.
  known_ = known_ || (answered && is_safe(act));
  tend_watchdog(now, act);
  const std::pair told(act, act == LeaseAct::kHold && now.recalled);
  if (std::exchange(last_, told) != told) log_(describe(now, act, node_.name, obstacle));
  carry_out(now, act);
  return act;
}

// The caller of stop() may never come to it, because the disk hangs that it writes to.
void LeaseKeeper::tend_watchdog(const LeaseView& now, LeaseAct act) {
  if (env_.clock.stopping()) return disarm();
  if (!watchdog_ || !may_feed(now, act, limits_)) return;
  if (const auto fed = watchdog_->feed(); !fed) say(fed.error().text);
}

// Tells what goes on for long once.
void LeaseKeeper::say(const std::string& line) {
  if (line != std::exchange(said_, line)) log_(line);
}

// A server that was closed in time is not killed because the next look at it is late.
void LeaseKeeper::finish_deed() {
  if (!deed_ || !deed_->wait(Deadline::after(env_.clock, 0))) return;
  const auto done = deed_->result().value_or(Error{Errc::kInternal, "no memory for it"});
  deed_.reset();
  say(fmt::format("{}: {}", node_.name, done ? done->text : "FAILED: " + done.error().text));
  const std::lock_guard guard(mutex_);
  if (done && deed_act_ == LeaseAct::kClose) {
    note_state(OwnServer::State::kClosed);
    // What an operator has closed is not ours to open.
    if (!deed_for_other_ && !done->found_closed) record_.begin(uptime_s(env_.clock));
  }
  // One that cannot be killed may well be closed by now.
  if (!done && deed_act_ == LeaseAct::kKill) closing_since_s_.reset();
}

// Closes or kills the server, at the side of the loop: closing may hang, and is overtaken then.
void LeaseKeeper::carry_out(const LeaseView& now, LeaseAct act) {
  if (is_safe(act)) {
    const std::lock_guard guard(mutex_);
    closing_since_s_.reset();
    return;
  }
  if (deed_ && (deed_act_ == act || deed_act_ == LeaseAct::kKill)) return;
  const double begun_s = uptime_s(env_.clock);
  const Deadline deadline =
      Deadline::after(env_.clock, act == LeaseAct::kKill ? kKill_s : limits_.margin_s);
  if (act == LeaseAct::kClose) {
    const std::lock_guard guard(mutex_);
    closing_since_s_ = closing_since_s_.value_or(begun_s);
  }
  // Where no thread is free, closing is in vain until it has to be killed, which needs none.
  auto begun = Pending<Result<OwnServer::Deed>>::begin(
      env_.workers, [self = shared_from_this(), act, deadline] {
        return act == LeaseAct::kKill ? self->own_.kill(deadline) : self->own_.close(deadline);
      });
  if (!begun) {
    say(fmt::format("{}: {}", node_.name, begun.error().text));
    if (act != LeaseAct::kKill) return;
    const auto killed = own_.kill(deadline);
    return say(fmt::format("{}: {}", node_.name,
                           killed ? killed->text : "FAILED: " + killed.error().text));
  }
  deed_ = std::move(*begun);
  deed_act_ = act;
  deed_for_other_ = now.given_away;
}

void LeaseKeeper::remember() {
  std::unique_lock guard(mutex_);
  const MajorityRecord::State state{majority_s_, closed_, own_.process()};
  guard.unlock();
  const auto lease = majority_record_.keep(state, env_.clock.moment());
  const auto closing = record_.keep(own_, uptime_s(env_.clock));
  std::string why = !lease ? lease.error().text : !closing ? closing.error().text : "";
  if (!why.empty() && why != forgets_)
    log_(fmt::format("what a guard after this one has to know of {} is not on disk: {}", node_.name,
                     why));
  forgets_ = std::move(why);
}

LeaseStatus LeaseKeeper::status() const {
  const double now_s = uptime_s(env_.clock);
  const std::lock_guard guard(mutex_);
  LeaseStatus status{.voters = seats_.size(),
                     .obstacle = find_obstacle(),
                     .wanted = wanted_,
                     .unkillable = own_.find_kill_obstacle()};
  for (const Seat& seat : seats_)
    if (seat.ours && now_s - seat.sent_s < terms_.certain_s()) ++status.votes;
  if (majority_s_ && writable_since_s_)
    status.left_s = std::max(0.0, *majority_s_ + terms_.certain_s() - now_s);
  status.recalled = recalled_;
  return status;
}

}  // namespace ha
