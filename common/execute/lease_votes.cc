// SPDX-License-Identifier: MIT
// The words of a LeaseKeeper with its voters, and what follows from their answers.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "common/context/node_locks.h"
#include "common/execute/lease_keeper.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr int kQueue_s = 1;  // for which a vote is waited for that is handed over

}  // namespace

bool LeaseKeeper::has_work(const Seat& seat, double now_s) const {
  const std::lock_guard guard(mutex_);
  const bool unseen = may_show(seat) && !seat.shows && seat.session;
  return seat.wanted != wanted_ || unseen || now_s >= seat.due_s;
}

// A guard that is seen and has no vote says that its server takes no writes.
bool LeaseKeeper::may_show(const Seat& seat) const { return known_ && (!wanted_ || seat.ours); }

void LeaseKeeper::tend(std::size_t i) {
  Seat& seat = seats_[i];
  const double now_s = uptime_s(env_.clock);
  if (!has_work(seat, now_s)) return;
  {
    const std::lock_guard guard(mutex_);
    seat.due_s = now_s + terms_.refresh_s();
    seat.wanted = wanted_;
  }
  if (!seat.session && !connect(seat)) return;
  if (const auto done = exchange(seat); !done) lose(seat, done.error().text);
}

bool LeaseKeeper::connect(Seat& seat) {
  Vote vote = open_session(env_, {seat.voter}, options_, terms_);
  const std::lock_guard guard(mutex_);
  for (const Seat& other : seats_)
    if (vote.session && &other != &seat && other.server == vote.server)
      vote = {seat.voter, "it is the same server as " + other.voter.name};
  seat.obstacle = vote.obstacle;
  seat.session = std::move(vote.session);
  seat.server = seat.session ? vote.server : "";
  seat.failed = !seat.session && !vote.passes;
  return seat.session != nullptr;
}

void LeaseKeeper::lose(Seat& seat, const std::string& obstacle) {
  seat.session.reset();
  const std::lock_guard guard(mutex_);
  seat.obstacle = obstacle;
  seat.server.clear();
  seat.shows = seat.ours = seat.given_away = false;
  seat.due_s = 0;
}

// One word with a voter that we are connected to.
Result<Done> LeaseKeeper::exchange(Seat& seat) {
  // While this guard ends, its server may take writes: it is seen no longer than it votes.
  if (!wanted_ && seat.ours) return stopping_ ? Result<Done>(Done{}) : give_back(seat);
  if (wanted_ && !seat.ours)
    if (const auto asked = ask_for_vote(seat); !asked) return asked.error();
  if (!seat.shows && may_show(seat)) {
    const auto shown = take_node_lock(*seat.session, options_.guard_lock(node_.name), 0);
    if (!shown) return shown.error();
    // A session of ours that was cut off may have it until its end.
    seat.shows = *shown;
  }
  const double sent_s = uptime_s(env_.clock);
  const auto answer = refresh(*seat.session);
  if (!answer) return answer.error();
  const std::lock_guard guard(mutex_);
  seat.sent_s = sent_s;
  note_majority();
  return Done{};
}

Result<Done> LeaseKeeper::give_back(Seat& seat) {
  for (const std::string& lock : {terms_.lock, terms_.beside})
    if (const auto freed = release_node_lock(*seat.session, lock); !freed) return freed.error();
  const std::lock_guard guard(mutex_);
  seat.ours = false;
  return Done{};
}

// A vote that a run has for this node, or an earlier session of ours, is waited for in the server's
// own queue, so that no other manager gets it between.
Result<Done> LeaseKeeper::ask_for_vote(Seat& seat) {
  const double sent_s = uptime_s(env_.clock);
  auto got = take_vote(*seat.session, terms_, 0);
  std::string holder;
  bool for_us = false;
  if (got && !*got) {
    const auto same = query_value(
        *seat.session,
        fmt::format(
            "SELECT COALESCE(IS_USED_LOCK({0}) = IS_USED_LOCK({1}), IS_USED_LOCK({0}) IS NULL)",
            quote_string(terms_.lock), quote_string(terms_.beside)));
    if (!same) return same.error();
    for_us = *same == "1";
    if (for_us)
      got = take_vote(*seat.session, terms_, kQueue_s);
    else
      holder = describe_holder(*seat.session, terms_.lock);
  }
  if (!got) return got.error();
  const std::lock_guard guard(mutex_);
  seat.ours = *got;
  // Another voter's answer may come before the next one of this.
  seat.sent_s = sent_s;
  seat.taken_s = uptime_s(env_.clock);
  const bool away = !*got && !for_us;
  if (away && !seat.given_away) seat.away_since_s = seat.taken_s;
  seat.given_away = away;
  seat.obstacle = *got ? "" : for_us ? "its vote is not handed over yet" : holder;
  if (for_us && !*got) seat.due_s = 0;
  return Done{};
}

// Returns whether votes of a majority are ours that were before that moment: a session that lives
// has kept its vote. mutex_ is held.
bool LeaseKeeper::was_kept(double certain_until_s) const {
  const auto kept = std::ranges::count_if(
      seats_, [&](const Seat& seat) { return seat.ours && seat.taken_s < certain_until_s; });
  return static_cast<std::size_t>(kept) >= majority_of(seats_.size());
}

// mutex_ is held.
void LeaseKeeper::note_majority() {
  std::vector<double> sent;
  for (const Seat& seat : seats_)
    if (seat.ours) sent.push_back(seat.sent_s);
  const std::size_t majority = majority_of(seats_.size());
  if (sent.size() < majority) return;
  std::ranges::sort(sent, std::greater());
  // Votes that were lost meanwhile may have been another primary's: the server is to be closed
  // first, although they are ours again.
  if (majority_s_ && (closing_since_s_ || sent[majority - 1] - *majority_s_ >= limits_.lease_s))
    return;
  if (majority_s_ && sent[majority - 1] - *majority_s_ >= terms_.certain_s() &&
      !was_kept(*majority_s_ + terms_.certain_s()))
    return;
  // So long ago each vote of a majority was ours.
  majority_s_ = std::max(majority_s_.value_or(sent[majority - 1]), sent[majority - 1]);
  recalled_ = restarted_ = false;
}

// mutex_ is held.
std::string LeaseKeeper::find_obstacle() const {
  std::vector<std::string> missing;
  for (const Seat& seat : seats_)
    if (!seat.ours && !seat.obstacle.empty())
      missing.push_back(fmt::format("{}: {}", seat.voter.name, seat.obstacle));
  return join(missing, "; ");
}

}  // namespace ha
