// SPDX-License-Identifier: MIT
#include "common/mount/gluster_query.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <thread>

#include "common/parallel.h"
#include "common/posix_process.h"
#include "common/process.h"
#include "common/text.h"

namespace ha {

namespace {

// Runs one gluster command, again while it meets another transaction; returns what it printed.
Result<std::string> ask(const std::vector<std::string>& words, const Deadline& deadline) {
  // Uneven, so that two servers that met do not meet again.
  const auto pause = std::chrono::milliseconds(100 + getpid() % 200);
  constexpr double kAnotherRun_s = 0.5;
  Command command{{"gluster", "--mode=script", "--xml",
                   // Its own limit, 120 s, may be shorter than ours.
                   fmt::format("--timeout={}", static_cast<int>(deadline.remaining_s()) + 1)}};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  const std::string name = "'gluster " + join(words, " ") + "'";
  for (;;) {
    auto outcome = PosixProcess().run(command, deadline);
    if (!outcome) return outcome.error();
    if (outcome->end != ProcessOutcome::End::kExited)
      return Error{
          outcome->end == ProcessOutcome::End::kTimedOut ? Errc::kTimedOut : Errc::kInternal,
          fmt::format("{} {}", name, describe(*outcome))};
    if (outcome->output.size() == kMaxProcessOutput)
      return Error{Errc::kBadData,
                   fmt::format("{} prints more than {} KiB", name, kMaxProcessOutput >> 10)};
    if (geteuid() != 0 && outcome->output.find("<cliOutput") == std::string::npos)
      return Error{Errc::kPrivilege, name + " needs root"};
    if (!is_busy(outcome->output) || deadline.remaining_s() < kAnotherRun_s)
      return std::move(outcome->output);
    std::this_thread::sleep_for(pause);
  }
}

template <class T>
Result<T> parse(const std::optional<Result<std::string>>& output,
                Result<T> (*parser)(std::string_view)) {
  if (!output) return Error{Errc::kTimedOut, "the gluster command did not end in time"};
  return *output ? parser(**output) : output->error();
}

}  // namespace

std::vector<GlusterFacts> query_gluster(const std::vector<std::string>& volumes,
                                        const Deadline& deadline) {
  std::vector<std::vector<std::string>> questions = {{"peer", "status"}};
  for (const std::string& volume : volumes) {
    questions.push_back({"volume", "info", volume});
    questions.push_back({"volume", "status", volume});
    questions.push_back({"volume", "heal", volume, "info", "summary"});
  }
  const auto outputs = run_each<Result<std::string>>(
      questions.size(), deadline, [questions, commands = deadline.before_report()](std::size_t i) {
        return ask(questions[i], commands);
      });
  std::vector<GlusterFacts> facts;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    const auto* const own = &outputs[1 + 3 * i];
    facts.push_back({volumes[i], parse(own[0], parse_volume_info),
                     parse(own[1], parse_volume_status), parse(outputs[0], parse_peer_status),
                     parse(own[2], parse_heal_summary)});
  }
  return facts;
}

namespace {

Result<std::string> parse_volume_name(const std::string& text) {
  // As glusterd wants it; "all" means every volume to some commands.
  const bool valid = !text.empty() && text != "all" && text.front() != '-' &&
                     std::ranges::all_of(text, [](unsigned char c) {
                       return std::isalnum(c) || c == '-' || c == '_';
                     });
  if (!valid)
    return Error{Errc::kUsage,
                 fmt::format("'{}' is not a volume's name (accepted: letters, digits, "
                             "'-' and '_')",
                             sanitize(text))};
  return text;
}

}  // namespace

Thresholds GlusterOptions::judged() const {
  return heal && !backlog.warning && !backlog.critical ? Thresholds{Range{0, 0}} : backlog;
}

void add_gluster_options(Cli& cli, GlusterOptions& options) {
  cli.option(
      "--gluster-volume", "NAME",
      [&options](const std::string& value) -> Result<Done> {
        auto name = parse_volume_name(value);
        if (!name) return name.error();
        if (std::ranges::find(options.volumes, *name) != options.volumes.end())
          return Error{Errc::kUsage, fmt::format("'{}' is there twice", *name)};
        options.volumes.push_back(std::move(*name));
        return Done{};
      },
      "a GlusterFS volume of this server's pool, about which only root can ask; repeatable");
  cli.flag("--heal", options.heal,
           "judge what the volumes have to heal: WARNING when there is anything, unless limits are "
           "given");
  cli.thresholds(options.backlog, "the number of entries to heal is", "heal");
}

}  // namespace ha
