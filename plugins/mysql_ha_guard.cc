// SPDX-License-Identifier: MIT
// mysql_ha guard: the resident manager in the foreground, and an operator's word to it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "common/context/guard_files.h"
#include "common/context/run_store.h"
#include "common/execute/guard.h"
#include "common/execute/reporter.h"
#include "common/exit_code.h"
#include "common/footprint.h"
#include "common/service_manager.h"
#include "common/text.h"
#include "common/time_text.h"
#include "plugins/mysql_ha.h"

namespace ha {

namespace {

constexpr double kShortest_s = 0.05;  // of intervals: servers are not to be busy with us
constexpr double kBetweenGivingBack_s = 10;

GuardSettings settings_of(const MysqlHaOptions& options) {
  return {options.failover, options.guard};
}

// Prints what the guard does, tells systemd how it is, and reads the files of options again.
class Terminal : public GuardHost {
 public:
  // `cli` and `options` hold until the first reload.
  Terminal(Clock& clock, const Cli& cli, const MysqlHaOptions& options)
      : clock_(clock), cli_(&cli), options_(&options), arguments_(*options.arguments) {}

  void say(const std::string& line) override {
    const std::lock_guard guard(mutex_);
    print_lines(
        fmt::format("{} {}\n", format_local_time(clock_.now_s()), cli_->complete(sanitize(line))));
  }

  Result<std::unique_ptr<Watchdog>> arm(const std::string& path, int seconds) override {
    return open_watchdog(path, seconds);
  }

  Log begin_run() override {
    reporter_.emplace(*cli_, clock_);
    return reporter_->log();
  }

  void end_run(const FailoverOutcome& outcome) override {
    reporter_->finish(options_->notify, outcome);
  }

  std::optional<GuardSettings> reload() override {
    auto cli = std::make_unique<Cli>(clock_, kName, kPurpose, Cli::Kind::kTool);
    auto options = std::make_unique<MysqlHaOptions>();
    if (read_options(*cli, arguments_, *options)) return std::nullopt;
    reporter_.reset();
    const std::lock_guard guard(mutex_);
    own_options_ = std::move(options);
    own_cli_ = std::move(cli);
    options_ = own_options_.get();
    cli_ = own_cli_.get();
    return settings_of(*options_);
  }

  void show(const std::string& state, double seconds) override {
    if (!std::exchange(ready_, true)) manager_.ready();
    const std::string line = sanitize(state);
    const double now_s = clock_.monotonic_s();
    // Between two things that need much: logins, and a look at the whole cluster.
    if (line != shown_ || now_s - gave_back_s_ >= kBetweenGivingBack_s) {
      give_back_memory();
      gave_back_s_ = now_s;
    }
    if (line != std::exchange(shown_, line)) manager_.show(line);
    manager_.alive(seconds, now_s);
  }

  void end() { manager_.stopping(); }

 private:
  Clock& clock_;
  std::mutex mutex_;  // of what say() uses
  const Cli* cli_;
  const MysqlHaOptions* options_;
  const Arguments& arguments_;
  std::unique_ptr<MysqlHaOptions> own_options_ = nullptr;  // since the first reload
  std::unique_ptr<Cli> own_cli_ = nullptr;                 // likewise; refers to the options
  std::optional<Reporter> reporter_ = {};
  ServiceManager manager_ = {};
  std::string shown_ = {};
  bool ready_ = false;
  double gave_back_s_ = 0;
};

int guard_cluster(const Env& env, const Cli& cli, const MysqlHaOptions& options) {
  env.clock.heed_reload_signal();
  env.clock.heed_stop_signals();
  keep_footprint_small();
  Terminal terminal(env.clock, cli, options);
  const auto ended = run_guard(env, settings_of(options), terminal);
  terminal.end();
  return ended ? kExitDone : cli.finish(kExitFailed, ended.error().text);
}

int pause_guard(const Env& env, const Cli& cli, const MysqlHaOptions& options) {
  GuardPause pause{env.clock.moment()};
  if (const std::string word = options.operand(1); !word.empty()) {
    const auto seconds = parse_seconds(word);
    if (!seconds) return cli.usage_error("guard pause: " + seconds.error().text);
    pause.seconds = *seconds;
  }
  const auto store =
      RunStore::open(env.files, options.failover.state_dir, options.failover.cluster_name);
  if (!store) return cli.finish(kExitFailed, "--state-dir: " + store.error().text);
  GuardFiles files(env.files, store->path());
  if (const auto written = files.write_pause(pause); !written)
    return cli.finish(kExitFailed, written.error().text);
  std::vector<std::string> details;
  if (files.holder().empty()) details.emplace_back("no guard runs now");
  return cli.finish(kExitDone, describe_pause(pause.seconds, options.failover.lease.lease_s > 0),
                    details);
}

int resume_guard(const Env& env, const Cli& cli, const MysqlHaOptions& options) {
  const auto store =
      RunStore::open(env.files, options.failover.state_dir, options.failover.cluster_name);
  if (!store) return cli.finish(kExitFailed, "--state-dir: " + store.error().text);
  GuardFiles files(env.files, store->path());
  if (const auto ended = files.end_pause(); !ended)
    return cli.finish(kExitFailed, ended.error().text);
  return cli.finish(kExitDone, fmt::format("the guard is not paused any more{}",
                                           files.holder().empty() ? " (no guard runs now)" : ""));
}

}  // namespace

void take_own_node(MysqlHaOptions& options) {
  auto& nodes = options.failover.cluster.nodes;
  const auto is_name = [&](const NodeAddress& node) {
    return node.name == node.host && node.port == 0 && node.aliases.empty() &&
           std::ranges::count(nodes, node.name, &NodeAddress::name) > 1;
  };
  const auto own = std::ranges::find_if(nodes, is_name);
  if (own == nodes.end()) return;
  options.guard.node = own->name;
  nodes.erase(own);
}

Result<Done> complete_guard_options(MysqlHaOptions& options) {
  options.guard.process = getpid();
  options.guard.interval_s = options.interval_s.value_or(
      options.failover.cluster.interval_s.value_or(options.guard.interval_s));
  options.failover.retry_interval_s = options.failover.given_retry_interval_s.value_or(kShortest_s);
  for (const auto& [name, seconds] :
       {std::pair("--interval", options.guard.interval_s),
        std::pair("--retry-interval", options.failover.retry_interval_s)})
    if (seconds < kShortest_s)
      return Error{Errc::kUsage, fmt::format("{}: a guard waits for {} s at least", name,
                                             format_number(kShortest_s))};
  return Done{};
}

int run_guard_command(const Env& env, const Cli& cli, const MysqlHaOptions& options) {
  const std::string what = options.operand(0);
  const bool alone = options.operand(1).empty();
  if (what.empty()) return guard_cluster(env, cli, options);
  if (what == "status" && alone) return show_guard(env, cli, options);
  if (what == "pause") return pause_guard(env, cli, options);
  if (what == "resume" && alone) return resume_guard(env, cli, options);
  return cli.usage_error("guard: expected nothing, status, pause [SECONDS] or resume");
}

}  // namespace ha
