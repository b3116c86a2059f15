// SPDX-License-Identifier: MIT
// mysql_ha status: the cluster as it is now, once or again and again.
#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/files.h"
#include "common/mysql/memory_file.h"
#include "common/mysql/probe.h"
#include "common/mysql/server_identity.h"
#include "common/mysql/topology_text.h"
#include "common/text.h"
#include "common/vip/local_address.h"
#include "plugins/mysql_ha.h"

namespace ha {

namespace {

using Json = nlohmann::ordered_json;

// The virtual IP as it is seen from here.
struct VipView {
  std::string address = {};
  std::optional<LocalAddress> held = {};  // by this machine
  std::vector<std::string> nodes = {};    // that it leads to; several when they look alike
  std::string trouble = {};
};

struct Status {
  Topology topology = {};
  Recollection known = {};
  double now_s = 0;  // since the epoch
  TopologyView view = {};
  std::optional<VipView> vip = {};
  State state = State::kOk;
};

VipView view_vip(const std::string& address, const Node& reached, const Topology& topology) {
  VipView view{address};
  if (const auto ours = read_interfaces(); ours) view.held = find_address(ours->addresses, address);
  if (!reached.facts) {
    view.trouble = "leads to no server that can be read: " + reached.error;
    return view;
  }
  bool writable = false;
  for (const Node& node : topology.nodes) {
    if (!node.facts || !may_be_same_server(*node.facts, *reached.facts)) continue;
    view.nodes.push_back(node.name);
    writable = writable || node.takes_writes();
  }
  if (view.nodes.empty())
    view.trouble = "leads to a server that is none of the nodes";
  else if (!writable)
    view.trouble = "leads to a node that accepts no writes";
  return view;
}

// "12:03:11", or with the date when that is not today's.
std::string format_moment(double moment_s, double now_s) {
  const auto local = [](double seconds) {
    const std::time_t time = static_cast<std::time_t>(seconds);
    std::tm fields = {};
    localtime_r(&time, &fields);
    return fields;
  };
  const std::tm then = local(moment_s), now = local(now_s);
  const bool today = then.tm_yday == now.tm_yday && then.tm_year == now.tm_year;
  char text[32];
  std::strftime(text, sizeof text, today ? "%T" : "%F %T", &then);
  return text;
}

// A node that does not answer shows what it was.
void add_last_seen(Status& status) {
  const Memory& memory = status.known.memory;
  for (NodeView& row : status.view.rows)
    if (row.node && !status.topology.nodes[*row.node].facts)
      if (const std::string as_what = describe_seen(memory, row.name); !as_what.empty())
        row.notes.push_back(fmt::format("last seen {} {}",
                                        format_moment(memory.find(row.name)->seen_s, status.now_s),
                                        as_what));
}

Status read_status(const Env& env, const FailoverOptions& options) {
  const std::string& vip = options.vip.address;
  const Deadline deadline = Deadline::after(env.clock, options.probe_timeout_s);
  ClusterOptions cluster = options.cluster;
  // A node that hangs in the middle of an answer would hold a thread for each time that it is
  // asked.
  cluster.mysql.answer_timeout_s = static_cast<unsigned>(std::ceil(options.probe_timeout_s));
  Status status;
  Topology by_vip;
  {
    std::jthread asking([&] {
      const unsigned port = cluster.mysql.port != 0 ? cluster.mysql.port : cluster.nodes[0].port;
      if (!vip.empty()) by_vip = probe_topology(env, {{vip, vip, port}}, cluster.mysql, deadline);
    });
    const MemoryFile file(env.files, options.state_dir, options.cluster_name);
    status.known = file.read(cluster.nodes);
    status.topology =
        probe_topology(env, cluster.nodes, cluster.mysql, deadline, {status.known.memory});
    status.now_s = env.clock.now_s();
    file.update(status.known, status.topology, status.now_s);
  }
  status.view = view_topology(status.topology);
  add_last_seen(status);
  status.state = status.view.state;
  if (vip.empty()) return status;
  status.vip = view_vip(vip, by_vip.nodes[0], status.topology);
  if (!status.vip->trouble.empty()) status.state = State::kCritical;
  return status;
}

std::string render_vip(const VipView& vip) {
  std::string text =
      fmt::format("virtual IP {}: {}", vip.address,
                  vip.nodes.empty() ? vip.trouble : "leads to " + join(vip.nodes, " or "));
  if (!vip.nodes.empty() && !vip.trouble.empty()) text += ", which accepts no writes";
  return printable(text) + (vip.held ? ", held here on " + vip.held->interface : "") + "\n";
}

std::string render_text(const Status& status, Colours colours) {
  std::string text = render_topology(status.view, colours);
  if (status.vip) text += render_vip(*status.vip);
  const bool all_read = std::ranges::all_of(
      status.topology.nodes, [](const Node& node) { return node.facts.has_value(); });
  if (!all_read && !status.known.trouble.empty()) text += sanitize(status.known.trouble) + "\n";
  return text;
}

template <class T>
Json to_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const NodeView& row, const Topology& topology) {
  Json json = {{"name", sanitize(row.name)},
               {"role", row.role},
               {"state", state_name(row.state)},
               {"writes", row.writes},
               {"follows", Json::array()},
               {"lag_s", to_json(row.lag_s)},
               {"transactions_behind", to_json(row.transactions_behind)},
               {"errant_transactions", to_json(row.errant_transactions)},
               {"notes", Json::array()}};
  for (const std::string& note : row.notes) json["notes"].push_back(sanitize(note));
  if (!row.node) return json;
  const Node& node = topology.nodes[*row.node];
  for (std::size_t c = 0; c < node.sources.size(); ++c)
    json["follows"].push_back(node.sources[c] ? topology.nodes[*node.sources[c]].name
                                              : sanitize(node.channels()[c].source()));
  json["host"] = node.host;
  json["port"] = node.port;
  json["error"] = sanitize(node.error);
  if (node.facts) json["version"] = sanitize(node.facts->version.text);
  if (node.facts) json["server_id"] = node.facts->server_id;
  return json;
}

std::string render_json(const Status& status) {
  Json nodes = Json::array(), findings = Json::array();
  for (const NodeView& row : status.view.rows) nodes.push_back(to_json(row, status.topology));
  for (const Finding& finding : status.view.findings) {
    Json names = Json::array();
    for (const std::size_t i : finding.nodes) names.push_back(status.topology.nodes[i].name);
    findings.push_back({{"verdict", verdict_name(finding.verdict)},
                        {"state", state_name(usual_state(finding.verdict))},
                        {"nodes", names},
                        {"text", sanitize(finding.text)}});
  }
  Json json = {{"state", state_name(status.state)}, {"nodes", nodes}, {"findings", findings}};
  if (const auto& vip = status.vip)
    json["vip"] = {{"address", vip->address},
                   {"held_here", vip->held.has_value()},
                   {"leads_to", vip->nodes},
                   {"trouble", sanitize(vip->trouble)}};
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

int exit_code(State state) { return state == State::kOk ? 0 : state == State::kCritical ? 2 : 1; }

bool is_terminal() {
  const char* const term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

Colours wanted_colours() {
  const char* const no_colour = std::getenv("NO_COLOR");  // https://no-color.org
  const bool plain = no_colour != nullptr && *no_colour != '\0';
  return is_terminal() && !plain ? Colours::kAnsi : Colours::kNone;
}

// Draws frames over each other. Each is one write and clears only what is left of the last one, so
// nothing flickers; and it leaves the terminal as it was, so the program may end after any of them.
class Screen {
 public:
  // The signals that end the program do so between two frames, even while a node is waited for.
  Screen() {
    sigset_t ending;
    sigemptyset(&ending);
    for (const int number : {SIGINT, SIGTERM}) sigaddset(&ending, number);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);
    std::thread([this, ending] {
      int number = 0;
      sigwait(&ending, &number);
      const std::lock_guard guard(mutex_);
      _exit(exit_code_);
    }).detach();
  }

  // Shows a frame; `code` is what the program exits with from now on. False when nobody reads.
  bool draw(const std::string& frame, int code) {
    const std::lock_guard guard(mutex_);
    exit_code_ = code;
    return write_all(STDOUT_FILENO, is_terminal() ? over_the_last(frame) : frame);
  }

 private:
  std::string over_the_last(const std::string& frame) {
    winsize size = {};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    std::vector<std::string> lines = split(frame, '\n');
    lines.pop_back();
    if (const std::size_t room = size.ws_row; room > 2 && lines.size() >= room) {
      const std::size_t kept = room - 2;
      const std::string more = fmt::format("... {} more lines", lines.size() - kept);
      lines.resize(kept);
      lines.push_back(more);
    }
    // Hidden cursor, no line wrap, from the upper left corner.
    std::string output = (first_ ? "\033[2J" : "") + std::string("\033[?25l\033[?7l\033[H");
    for (const std::string& line : lines) output += line + "\033[K\n";
    first_ = false;
    return output + "\033[J\033[?7h\033[?25h";
  }

  std::mutex mutex_;
  int exit_code_ = 0;
  bool first_ = true;
};

std::string watch_heading(const MysqlHaOptions& options) {
  const std::time_t now = std::time(nullptr);
  std::tm local = {};
  localtime_r(&now, &local);
  char text[32];
  std::strftime(text, sizeof text, "%F %T", &local);
  return fmt::format("{}  {}  every {}\n\n", options.failover.cluster_name, text,
                     format_duration(options.interval_s));
}

int watch(const Env& env, const MysqlHaOptions& options) {
  // Lives as long as the program: its thread refers to it.
  static Screen screen;
  for (;;) {
    const Deadline next = Deadline::after(env.clock, options.interval_s);
    const Status status = read_status(env, options.failover);
    const std::string frame = options.json
                                  ? render_json(status)
                                  : watch_heading(options) + render_text(status, wanted_colours());
    if (!screen.draw(frame, exit_code(status.state))) return exit_code(status.state);
    env.clock.pause(next.remaining_s());
  }
}

}  // namespace

int run_status(const Env& env, const Cli&, const MysqlHaOptions& options) {
  if (options.watch) return watch(env, options);
  const Status status = read_status(env, options.failover);
  fmt::print("{}", options.json ? render_json(status) : render_text(status, wanted_colours()));
  return exit_code(status.state);
}

}  // namespace ha
