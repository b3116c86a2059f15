// SPDX-License-Identifier: MIT
#include "common/context/lease_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/context/ballot.h"
#include "common/context/node_locks.h"
#include "common/text.h"

namespace ha {

namespace {

// A voter tells whole seconds: a vigil has to see the last one before the end of the lease.
constexpr double kBetweenLooks_s = 0.1, kLateAnswer_s = 0.5;
constexpr double kMostRest_s = 2, kHeedStop_s = 0.5;

}  // namespace

Result<LeaseReading> read_lease(SqlSession& session, const FailoverOptions& options) {
  const auto& nodes = options.cluster.nodes;
  const std::string holder = fmt::format("IS_USED_LOCK({})", quote_string(options.lease_lock()));
  // How long its holder has said nothing: NULL when it has ended since. In one statement, for this
  // is asked all the time.
  std::string sql = fmt::format(
      "SELECT {0}, (SELECT TIME FROM information_schema.PROCESSLIST WHERE ID = {0})", holder);
  for (const NodeAddress& node : nodes)
    sql += fmt::format(", IS_USED_LOCK({}), IS_USED_LOCK({})",
                       quote_string(options.lease_node_lock(node.name)),
                       quote_string(options.guard_lock(node.name)));
  const auto rows = session.query(sql);
  if (!rows) return rows.error();
  if (rows->cells.size() != 1 || rows->cells[0].size() != 2 + 2 * nodes.size())
    return Error{Errc::kBadData, "the locks were not told"};
  const auto& cells = rows->cells[0];
  LeaseReading reading{cells[0].value_or("")};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!reading.connection.empty() && cells[2 + 2 * i].value_or("") == reading.connection)
      reading.node = nodes[i].name;
    if (cells[3 + 2 * i]) reading.guards.insert(nodes[i].name);
  }
  if (!reading.connection.empty() && cells[1]) reading.silent_s = parse_number(*cells[1]);
  return reading;
}

void observe_lease(LeaseSighting& sighting, std::optional<LeaseReading> now, int lease_s,
                   double now_s) {
  const LeaseReading& last = sighting.last;
  const auto hear = [&](const std::string& node, double silent_s) {
    if (node.empty()) return;
    double& heard_s = sighting.heard_s.try_emplace(node, now_s - silent_s).first->second;
    heard_s = std::max(heard_s, now_s - silent_s);
  };
  if (now && !sighting.since_s) sighting.since_s = now_s;
  // Of what was between two answers nothing is known. The seconds that a server tells are whole
  // ones.
  if (now && !sighting.now) hear(last.node, 0);
  if (now) hear(now->node, std::max(0.0, now->silent_s.value_or(0) - 1));
  const bool ended = now && !last.connection.empty() && now->connection != last.connection;
  // The seconds that a server tells are whole ones, and it was asked a moment before the end.
  if (ended && !last.node.empty()) {
    const bool expired = last.silent_s.value_or(0) >= lease_s - 1;
    (expired ? sighting.expired : sighting.broken).insert(last.node);
    // Its last word may have come after the one before.
    if (!expired) hear(last.node, 0);
  }
  if (now && !now->node.empty()) forget_end(sighting, now->node);
  if (now && !now->silent_s && !ended) now->silent_s = last.silent_s;
  if (now) sighting.last = *now;
  sighting.now = std::move(now);
}

double rest_s(const std::optional<LeaseReading>& reading, int lease_s) {
  if (!reading) return 0;
  // A vote that is given from now on has all of its time.
  const auto silent_s = reading->connection.empty() ? 0 : reading->silent_s;
  // It may be silent for almost a second more than that.
  return silent_s ? std::clamp(lease_s - 2 - *silent_s, 0.0, kMostRest_s) : 0;
}

void forget_end(LeaseSighting& sighting, const std::string& node) {
  sighting.expired.erase(node);
  sighting.broken.erase(node);
}

bool LeaseFinding::proves_closing() const {
  return expired > 0 && voters - expired < majority_of(voters);
}

bool LeaseFinding::disclaims() const {
  return held == 0 && guards > 0 && voters - guards < majority_of(voters);
}

bool LeaseFinding::is_unknown() const {
  const std::size_t majority = majority_of(voters);
  return held < majority && held + voters - answering >= majority;
}

void LeaseWord::add_to(Context& context) const {
  context.primary_lease_held = held;
  context.primary_lease_expired = expired;
  context.primary_lease_broken = broken;
  context.primary_lease_until_s = until_s;
  context.primary_lease_unknown = unknown;
}

LeaseWord tell_lease(const LeaseFinding& finding, const std::string& node, int lease_s) {
  const auto votes = [&](std::size_t count) {
    return fmt::format("{} of {} votes", count, finding.voters);
  };
  LeaseWord word{.unknown = finding.is_unknown()};
  if (finding.proves_closing())
    word.expired = fmt::format("the guard of {} was not heard for {} and has lost {}", node,
                               format_duration(lease_s), votes(finding.expired));
  else if (finding.disclaims())
    word.expired =
        fmt::format("the guard of {} has no votes, for its server takes no writes", node);
  else if (finding.held >= majority_of(finding.voters))
    word.held = fmt::format("its guard has {} and was heard {} ago", votes(finding.held),
                            format_duration(finding.silent_s));
  else {
    word.broken = finding.broken > 0;
    // It may have had them until we looked, and count on what is left of its lease.
    if (const auto last_s = std::max(finding.heard_s, finding.since_s))
      word.until_s = *last_s + lease_s;
  }
  return word;
}

LeaseFinding judge_lease(const std::vector<LeaseSighting>& sightings, const std::string& node) {
  LeaseFinding finding{.voters = sightings.size()};
  std::optional<double> silent_s;
  std::vector<double> since;
  for (const LeaseSighting& one : sightings) {
    if (one.since_s) since.push_back(*one.since_s);
    finding.expired += one.expired.contains(node);
    finding.broken += one.broken.contains(node);
    if (const auto heard = one.heard_s.find(node); heard != one.heard_s.end())
      finding.heard_s = std::max(finding.heard_s, std::optional(heard->second));
    if (!one.now) continue;
    ++finding.answering;
    // A vote that is just being handed over may be this node's.
    const bool told = one.now->connection.empty() || !one.now->node.empty();
    finding.guards += told && one.now->guards.contains(node);
    if (one.now->node != node) continue;
    ++finding.held;
    if (const auto last = one.now->silent_s) silent_s = std::min(silent_s.value_or(*last), *last);
  }
  finding.silent_s = silent_s.value_or(0);
  std::ranges::sort(since);
  const std::size_t others =
      sightings.size() - std::min(sightings.size(), majority_of(sightings.size()));
  if (since.size() > others) finding.since_s = since[others];
  return finding;
}

LeaseWatch::LeaseWatch(const ProbeEnv& env, const FailoverOptions& options,
                       const Topology& topology)
    : env_(env), options_(std::make_shared<const FailoverOptions>(options)) {
  for (NodeAddress& voter : voters_of(options)) {
    const Node* const node = find_node(topology, voter.name);
    places_.push_back({.voter = std::move(voter), .asked = node == nullptr || !node->silent()});
  }
}

LeaseWatch::Answer LeaseWatch::ask_voter(const ProbeEnv& env, const FailoverOptions& options,
                                         const NodeAddress& voter,
                                         std::shared_ptr<SqlSession> session) {
  if (!session) {
    MysqlOptions login = options_for(voter, options.cluster.mysql, options.probe_timeout_s);
    login.answer_timeout_s = std::max(1u, static_cast<unsigned>(options.probe_timeout_s));
    auto opened = env.connector.connect(login);
    if (!opened) return {};
    session = std::move(*opened);
  }
  const auto reading = read_lease(*session, options);
  if (!reading) return {};
  return {std::move(session), *reading};
}

double LeaseWatch::observe(const Deadline& deadline) {
  double rest = kMostRest_s;
  for (Place& place : places_) {
    if (place.pending || !place.asked) continue;
    auto begun = Pending<Answer>::begin(
        env_.workers,
        [env = env_, options = options_, voter = place.voter, session = place.session] {
          return ask_voter(env, *options, voter, session);
        });
    place.session.reset();
    if (begun) place.pending = std::move(*begun);
  }
  for (Place& place : places_) {
    std::optional<LeaseReading> reading;
    if (place.pending && place.pending->wait(deadline)) {
      Answer answer = place.pending->result().value_or(Answer{});
      place.pending.reset();
      place.session = std::move(answer.session);
      reading = std::move(answer.reading);
    }
    rest = std::min(rest, rest_s(reading, options_->lease.lease_s));
    observe_lease(place.sighting, std::move(reading), options_->lease.lease_s,
                  uptime_s(env_.clock));
  }
  return rest;
}

LeaseWord look_at_lease(const ProbeEnv& env, const FailoverOptions& options,
                        const Topology& topology, const std::string& node,
                        const Deadline& deadline) {
  if (options.lease.lease_s == 0 || node.empty()) return {};
  LeaseWatch watch(env, options, topology);
  watch.observe(deadline);
  return tell_lease(watch.find(node), node, options.lease.lease_s);
}

std::vector<LeaseSighting> LeaseWatch::sightings() const {
  std::vector<LeaseSighting> sightings;
  for (const Place& place : places_) sightings.push_back(place.sighting);
  return sightings;
}

LeaseFinding LeaseWatch::find(const std::string& node) const {
  return judge_lease(sightings(), node);
}

void LeaseWatch::forget(const std::string& node) {
  for (Place& place : places_) forget_end(place.sighting, node);
}

LeaseVigil::LeaseVigil(const Env& env, const FailoverOptions& options)
    : env_(env), watch_(env, options, {}) {}

Result<Done> LeaseVigil::start() {
  auto job = env_.workers.start([self = shared_from_this()] {
    Clock& clock = self->env_.clock;
    while (!self->stopping_) {
      const double asked_s = clock.monotonic_s();
      const double next_s = asked_s + self->observe();
      do clock.pause(std::clamp(next_s - clock.monotonic_s(), kBetweenLooks_s, kHeedStop_s));
      while (clock.monotonic_s() < next_s && !self->stopping_);
    }
  });
  if (!job) return job.error();
  job_ = std::move(*job);
  return Done{};
}

void LeaseVigil::stop(const Deadline& deadline) {
  stopping_ = true;
  if (job_) job_->wait(deadline);
  job_.reset();
}

double LeaseVigil::observe() {
  std::set<std::string> forgotten;
  {
    const std::lock_guard guard(mutex_);
    forgotten.swap(forgotten_);
  }
  for (const std::string& node : forgotten) watch_.forget(node);
  const double rest = watch_.observe(Deadline::after(env_.clock, kLateAnswer_s));
  const std::lock_guard guard(mutex_);
  sightings_ = watch_.sightings();
  for (const std::string& node : forgotten_)
    for (LeaseSighting& one : sightings_) forget_end(one, node);
  return rest;
}

LeaseFinding LeaseVigil::find(const std::string& node) const {
  const std::lock_guard guard(mutex_);
  return judge_lease(sightings_, node);
}

void LeaseVigil::forget(const std::string& node) {
  const std::lock_guard guard(mutex_);
  forgotten_.insert(node);
  for (LeaseSighting& one : sightings_) forget_end(one, node);
}

}  // namespace ha
