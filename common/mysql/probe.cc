// SPDX-License-Identifier: MIT
#include "common/mysql/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>

#include "common/address.h"
#include "common/machine.h"
#include "common/mysql/read_facts.h"
#include "common/mysql/session.h"
#include "common/parallel.h"
#include "common/resolve.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr unsigned kServerLost = 2013, kTlsError = 2026;
constexpr int kMostRereads = 3;

// The first reading of one node, and the session for the second.
struct Reading {
  Reach reach = Reach::kAnswers;
  std::string error = {};
  std::optional<ServerFacts> facts = {};
  std::shared_ptr<SqlSession> session = {};
  bool refused = false;  // see Node
};

Reach reach_of(const Error& error, double seconds, const MysqlOptions& options) {
  switch (error.code) {
    case Errc::kRefused:
      return Reach::kRefuses;
    case Errc::kUnreachable:
      // The kernel accepts connections for a server that is stopped; only then is the greeting, or
      // the rest of the TLS handshake, waited for.
      if ((error.server_errno == kServerLost || error.server_errno == kTlsError) &&
          seconds > 0.8 * options.connect_timeout_s)
        return Reach::kHung;
      return is_no_answer(error) ? Reach::kUnreachable : Reach::kRefuses;
    case Errc::kInternal:
      return Reach::kNotAsked;
    default:
      return Reach::kUnreadable;
  }
}

Reading try_node(const ProbeEnv& env, const MysqlOptions& options) {
  const double begin_s = env.clock.monotonic_s();
  auto session = env.connector.connect(options);
  if (!session)
    return {.reach = reach_of(session.error(), env.clock.monotonic_s() - begin_s, options),
            .error = session.error().text,
            .refused = is_refused(session.error())};
  auto facts = read_server_facts(**session);
  if (!facts) {
    const Error& error = facts.error();
    return {error.code == Errc::kUnreachable ? Reach::kUnreachable : Reach::kUnreadable,
            error.text};
  }
  return {Reach::kAnswers, "", std::move(*facts), std::move(*session)};
}

bool may_be_read_yet(Reach reach) {
  return reach == Reach::kUnreadable || reach == Reach::kRefuses || reach == Reach::kNotAsked;
}

// What is known of the nodes while they are being read.
struct Progress {
  explicit Progress(std::size_t count) : begun(count), so_far(count) {}
  std::mutex mutex;
  std::vector<bool> begun;
  std::vector<std::optional<Reading>> so_far;  // of nodes that are asked again
};

// Reads the node at place `i`. A later try that gets no answer does not take back that the node is
// alive.
Reading read_node(const ProbeEnv& env, const NodeAddress& node, const MysqlOptions& common,
                  const Deadline& deadline, Unreadable unreadable, std::size_t i,
                  Progress& progress) {
  constexpr double kPause_s = 0.1;
  const auto record = [&](const std::optional<Reading>& reading) {
    const std::lock_guard guard(progress.mutex);
    progress.begun[i] = true;
    progress.so_far[i] = reading;
  };
  record(std::nullopt);
  Reading reading = try_node(env, options_for(node, common, deadline.remaining_s()));
  while (unreadable == Unreadable::kAgain && may_be_read_yet(reading.reach) &&
         deadline.remaining_s() > 2 * kPause_s) {
    record(reading);
    env.clock.pause(kPause_s);
    if (Reading again = try_node(env, options_for(node, common, deadline.remaining_s()));
        again.facts || may_be_read_yet(again.reach) || reading.reach == Reach::kNotAsked)
      reading = std::move(again);
  }
  return reading;
}

// Resolves the names by which replicas call sources, where these are no node's own: also of those
// that were found by their identity, which will not be told any more when they are dead.
Addresses resolve_sources(const ProbeEnv& env, const Topology& topology, const Deadline& deadline) {
  std::vector<std::string> names;
  for (const Node& node : topology.nodes)
    for (std::size_t c = 0; c < node.sources.size(); ++c)
      if (const std::string& name = node.channels()[c].source_host;
          !node.sources[c] || topology.nodes[*node.sources[c]].host != name)
        names.push_back(name);
  if (names.empty()) return {};
  for (const Node& node : topology.nodes) {
    names.push_back(node.host);
    for (const std::string& alias : node.aliases)
      if (const auto place = parse_host_port(alias)) names.push_back(place->host);
  }
  const auto found = run_each<std::set<std::string>>(
      env.workers, names.size(), deadline,
      [names, env](std::size_t i) { return env.resolver.resolve(names[i]); });
  Addresses addresses;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (found[i]) addresses[names[i]] = *found[i];
  return addresses;
}

// True when a primary may have been restarted here: a replica that feeds no node is none.
bool may_be_restarted_primary(const Topology& topology, std::size_t i) {
  const Node& node = topology.nodes[i];
  const auto is_here = [i](const auto& source) { return source == i; };
  const auto follows_it = [&](const Node& other) {
    return std::ranges::any_of(other.sources, is_here);
  };
  return node.facts && node.facts->read_only == true &&
         (std::ranges::none_of(node.sources,
                               [](const auto& source) { return source.has_value(); }) ||
          std::ranges::any_of(topology.nodes, follows_it));
}

// The question costs a server more than all the others: only those are asked of whom it counts. One
// that does not answer in time has told nothing, and its session is gone as below.
void read_origins(Workers& workers, Topology& topology, std::vector<Reading>& readings,
                  const Deadline& deadline, Origins origins) {
  std::vector<std::size_t> places;
  std::vector<std::shared_ptr<SqlSession>> sessions;
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const bool counts = origins == Origins::kAll ||
                        (origins == Origins::kOfRestarted && may_be_restarted_primary(topology, i));
    if (!counts || !readings[i].session) continue;
    places.push_back(i);
    sessions.push_back(readings[i].session);
  }
  if (places.empty()) return;
  const auto read = run_each<Result<ReadOnlySetting>>(
      workers, places.size(), deadline,
      [sessions](std::size_t i) { return read_read_only_origin(*sessions[i]); });
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!read[i] || !*read[i]) {
      readings[places[i]].session.reset();
      continue;
    }
    ServerFacts& facts = *topology.nodes[places[i]].facts;
    facts.read_only_origin = (**read[i]).origin;
    facts.read_only_set_at = (**read[i]).at;
  }
}

// A session whose answer is not there in time goes with the thread that still waits for it: its
// next user would wait for both answers, whatever time it has itself.
void reread_histories(Workers& workers, Topology& topology, std::vector<Reading>& readings,
                      const Deadline& deadline) {
  std::vector<std::pair<std::shared_ptr<SqlSession>, std::uint32_t>> sessions;
  for (const Reading& reading : readings)
    sessions.emplace_back(reading.session, reading.facts ? reading.facts->server_id : 0);
  const auto histories = run_each<std::optional<History>>(
      workers, sessions.size(), deadline, [sessions](std::size_t i) {
        if (!sessions[i].first) return std::optional<History>();
        auto history = read_history(*sessions[i].first, sessions[i].second);
        return history ? std::optional(std::move(*history)) : std::nullopt;
      });
  for (std::size_t i = 0; i < histories.size(); ++i) {
    if (!histories[i]) readings[i].session.reset();
    if (histories[i] && *histories[i])
      // What it had received before, it still has.
      topology.nodes[i].facts->history_later =
          unite(**histories[i], topology.nodes[i].facts->history);
  }
}

// Reads all nodes at the same time.
std::vector<Reading> read_nodes(const ProbeEnv& env, const std::vector<NodeAddress>& nodes,
                                const MysqlOptions& options, double seconds,
                                Unreadable unreadable) {
  const Deadline deadline = Deadline::after(env.clock, seconds);
  const auto progress = std::make_shared<Progress>(nodes.size());
  const auto read =
      run_each<Reading>(env.workers, nodes.size(), deadline, [=](std::size_t i) -> Reading {
        try {
          return read_node(env, nodes[i], options, deadline, unreadable, i, *progress);
        } catch (const std::bad_alloc&) {
          return {Reach::kNotAsked, std::string("out of memory") + kOwnWant};
        }
      });
  std::vector<Reading> readings;
  const std::lock_guard guard(progress->mutex);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (read[i])
      readings.push_back(*read[i]);
    else if (progress->so_far[i])
      readings.push_back(*progress->so_far[i]);
    else if (progress->begun[i])
      readings.push_back(
          {Reach::kHung, fmt::format("no answer within {}", format_duration(seconds))});
    else
      readings.push_back({Reach::kNotAsked, std::string("no thread is left to ask it") + kOwnWant});
  }
  return readings;
}

Probe probe(const ProbeEnv& env, const std::vector<NodeAddress>& nodes, const MysqlOptions& options,
            const Deadline& deadline, const ProbeOptions& how) {
  const double budget = deadline.remaining_s();
  const double reserve = std::min(0.5, 0.1 * budget);
  std::vector<Reading> readings =
      read_nodes(env, nodes, options, budget - 2 * reserve, how.unreadable);
  Topology topology;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    topology.nodes.push_back({nodes[i].name,
                              nodes[i].host,
                              nodes[i].port,
                              readings[i].reach,
                              readings[i].error,
                              readings[i].facts,
                              {},
                              nodes[i].aliases,
                              readings[i].refused});
  link_sources(topology, how.memory);
  topology.addresses = resolve_sources(env, topology, deadline.from_now(reserve / 2));
  if (!topology.addresses.empty()) link_sources(topology, how.memory);
  // A session that broke in between simply tells nothing new. Most of the budget is left when all
  // have answered.
  for (int i = 0; i < kMostRereads && !read_too_early(topology).empty(); ++i)
    reread_histories(env.workers, topology, readings,
                     deadline.from_now(std::max(reserve, deadline.remaining_s() - reserve) /
                                       (kMostRereads + 1)));
  mark_outdated_histories(topology);
  read_origins(env.workers, topology, readings, deadline.from_now(deadline.remaining_s() - reserve),
               how.origins);
  Probe result{std::move(topology), {}};
  for (Reading& reading : readings) result.sessions.push_back(std::move(reading.session));
  return result;
}

}  // namespace

void probe_writes(Workers& workers, Probe& probe, const WriteProbe& how, const Deadline& deadline) {
  const std::vector<std::size_t> writers = probe.topology.active_writers();
  if (how.table.empty() || writers.size() > how.most_servers) return;
  std::vector<WriteTarget> servers;
  for (const std::size_t i : writers)
    servers.push_back({probe.sessions[i], probe.topology.nodes[i].facts->server_id});
  const auto results = try_writes(workers, servers, how.table, deadline);
  for (std::size_t i = 0; i < writers.size(); ++i) {
    ServerFacts& facts = *probe.topology.nodes[writers[i]].facts;
    const ProbeResult& result = results[i];
    if (!result.refused.empty()) facts.obstacles.reasons.push_back(result.refused);
    if (!result.unknown.empty()) facts.unread.push_back(result.unknown);
  }
}

Topology probe_topology(const ProbeEnv& env, const std::vector<NodeAddress>& nodes,
                        const MysqlOptions& options, const Deadline& deadline,
                        const ProbeOptions& how) {
  Probe read = probe(env, nodes, options, deadline, how);
  probe_writes(env.workers, read, how.write, deadline);
  return std::move(read.topology);
}

Probe probe_nodes(const ProbeEnv& env, const std::vector<NodeAddress>& nodes,
                  const MysqlOptions& options, const Deadline& deadline, const ProbeOptions& how) {
  return probe(env, nodes, options, deadline, how);
}

}  // namespace ha
