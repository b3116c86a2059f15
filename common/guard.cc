// SPDX-License-Identifier: MIT
#include "common/guard.h"

#include <fmt/format.h>
#include <unistd.h>

#include "common/files.h"
#include "common/text.h"

namespace ha {

Result<Done> parse_fail_on(std::string_view text, GuardConfig& config) {
  config.fail_on.clear();
  config.fail_on_timeout = false;
  for (const std::string& part : split(text, ',')) {
    const std::string word = to_lower(trim(part));
    const auto code = parse_integer(word);
    if (word == "critical")
      config.fail_on.insert(2);
    else if (word == "warning")
      config.fail_on.insert(1);
    else if (word == "timeout")
      config.fail_on_timeout = true;
    else if (code && *code >= 1 && *code <= 255 && *code != 3 && *code != 126 && *code != 127)
      config.fail_on.insert(static_cast<int>(*code));
    else
      return Error{Errc::kUsage,
                   fmt::format("'{}' is not accepted (accepted: warning, critical, timeout, exit "
                               "codes 1 to 255 but 3, 126 and 127, which mean a broken check)",
                               sanitize(part))};
  }
  return Done{};
}

Result<GuardStep> parse_step(std::string_view text) {
  GuardStep step;
  text = trim(text);
  if (text.starts_with('-')) {
    step.may_fail = true;
    text.remove_prefix(1);
  }
  auto argv = split_command(text);
  if (!argv) return argv.error();
  step.text = trim(text);
  step.argv = std::move(*argv);
  return step;
}

GuardVerdict judge_check(const GuardConfig& config, const ProcessOutcome& outcome) {
  switch (outcome.end) {
    case ProcessOutcome::End::kTimedOut:
      return config.fail_on_timeout ? GuardVerdict::kFailed : GuardVerdict::kHealthy;
    case ProcessOutcome::End::kSignalled:
      return GuardVerdict::kMisconfigured;
    case ProcessOutcome::End::kExited:
      break;
  }
  if (outcome.code == 3 || outcome.code == 126 || outcome.code == 127)
    return GuardVerdict::kMisconfigured;
  return config.fail_on.contains(outcome.code) ? GuardVerdict::kFailed : GuardVerdict::kHealthy;
}

namespace {

constexpr char kEvent[] = "event", kFailureBegins[] = "failure", kRecoveryBegins[] = "recovery",
               kStepBegins[] = "step begins", kStepDone[] = "step done",
               kStepFailed[] = "step failed", kComplete[] = "complete";

const std::vector<GuardStep>& steps_of(const GuardConfig& config, GuardPhase phase) {
  return phase == GuardPhase::kRecovery ? config.on_recovery : config.on_failure;
}

std::string first_line(const std::string& output) {
  return shorten(sanitize(output.substr(0, output.find('\n'))), 300);
}

}  // namespace

GuardEpisode read_episode(const GuardConfig& config, const std::vector<JournalRecord>& records) {
  GuardEpisode episode;
  for (const JournalRecord& record : records) {
    const std::string event = journal_value(record, kEvent);
    if (event == kFailureBegins) episode = {GuardPhase::kFailure};
    if (event == kRecoveryBegins) episode = {GuardPhase::kRecovery};
    if (event == kComplete) episode.complete = true;
    if (event != kStepDone) continue;
    const auto& steps = steps_of(config, episode.phase);
    const auto index = parse_integer(journal_value(record, "index"));
    if (!index || *index < 0 || static_cast<std::size_t>(*index) >= steps.size()) continue;
    const auto i = static_cast<std::size_t>(*index);
    if (steps[i].text == journal_value(record, "command")) episode.finished.insert(i);
  }
  return episode;
}

namespace {

// One pass over the result of the check and the episode in the journal.
class Pass {
 public:
  Pass(const GuardConfig& config, Journal& journal, Process& process, Clock& clock,
       const std::function<void(const std::string&)>& log)
      : config_(config), journal_(journal), process_(process), clock_(clock), log_(log) {}

  GuardOutcome run() {
    if (!config_.lock_file.empty() && access(config_.lock_file.c_str(), F_OK) == 0)
      return GuardOutcome::kDone;
    const GuardEpisode episode = read_episode(config_, journal_.records());
    // With a lock file the role stays here whatever the other node does now: what was begun is
    // finished.
    const bool open = episode.phase != GuardPhase::kNone && !episode.complete;
    if (open && !config_.lock_file.empty()) return act(GuardPhase::kFailure, episode);

    switch (check()) {
      case GuardVerdict::kMisconfigured:
        return GuardOutcome::kMisconfigured;
      case GuardVerdict::kHealthy:
        if (stopped_) return GuardOutcome::kDone;
        if (episode.phase != GuardPhase::kNone && config_.lock_file.empty())
          return act(GuardPhase::kRecovery, episode);
        // The lock file was removed: the administrator has ended the episode.
        if (episode.phase != GuardPhase::kNone && !end_episode()) return GuardOutcome::kNotHandled;
        return run_healthy_steps();
      case GuardVerdict::kFailed:
        break;
    }
    const bool handled = episode.phase == GuardPhase::kFailure && episode.complete;
    if (handled && config_.lock_file.empty()) return GuardOutcome::kDone;
    if (config_.on_failure.empty()) {
      log_("the check has failed and no on-failure is configured");
      return GuardOutcome::kNotHandled;
    }
    return act(GuardPhase::kFailure, handled ? GuardEpisode{} : episode);
  }

 private:
  // Attempts until one does not fail or all have.
  GuardVerdict check() {
    for (unsigned attempt = 1;; ++attempt) {
      const auto outcome =
          process_.run({config_.check}, Deadline::after(clock_, config_.check_timeout_s));
      if (!outcome) {
        log_("the check cannot be run: " + outcome.error().text);
        return GuardVerdict::kMisconfigured;
      }
      const GuardVerdict verdict = judge_check(config_, *outcome);
      if (verdict == GuardVerdict::kHealthy) return verdict;
      const std::string what =
          fmt::format("the check {}: {}", describe(*outcome), first_line(outcome->output));
      if (verdict == GuardVerdict::kMisconfigured) {
        log_(what + " (this means a broken check, not a failure)");
        return verdict;
      }
      log_(fmt::format("attempt {} of {}: {}", attempt, config_.retries, what));
      if (attempt >= config_.retries) return verdict;
      if (!clock_.sleep(config_.retry_interval_s)) {
        stopped_ = true;
        return GuardVerdict::kHealthy;  // not confirmed
      }
    }
  }

  GuardOutcome run_healthy_steps() {
    for (const GuardStep& step : config_.while_healthy) {
      const auto outcome =
          process_.run({step.argv}, Deadline::after(clock_, config_.command_timeout_s));
      if (outcome && outcome->succeeded()) continue;
      log_(fmt::format("while healthy: {} {}", step.text, failure_of(outcome)));
      if (!step.may_fail) return GuardOutcome::kStepFailed;
    }
    return GuardOutcome::kDone;
  }

  // Runs what is left of a phase's steps and closes it.
  GuardOutcome act(GuardPhase phase, GuardEpisode episode) {
    if (episode.phase != phase || episode.complete) {
      const bool failure = phase == GuardPhase::kFailure;
      if (!record({{kEvent, failure ? kFailureBegins : kRecoveryBegins}}))
        return GuardOutcome::kNotHandled;
      log_(failure ? "FAILURE confirmed, acting" : "RECOVERY, undoing");
      episode = {phase};
    } else {
      log_("resuming where the last run ended");
      if (!shorten_journal()) return GuardOutcome::kNotHandled;
    }
    const auto& steps = steps_of(config_, phase);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (episode.finished.contains(i)) continue;
      // Stopped between two steps: the next run resumes it from here.
      if (clock_.stopping()) return GuardOutcome::kStepFailed;
      if (const GuardOutcome outcome = run_step(i, steps[i]); outcome != GuardOutcome::kDone)
        return outcome;
    }
    return close_phase(phase);
  }

  GuardOutcome run_step(std::size_t index, const GuardStep& step) {
    const std::string number = std::to_string(index);
    if (!record({{kEvent, kStepBegins}, {"index", number}, {"command", step.text}}))
      return GuardOutcome::kNotHandled;
    const auto outcome =
        process_.run({step.argv}, Deadline::after(clock_, config_.command_timeout_s));
    const bool succeeded = outcome && outcome->succeeded();
    const std::string result = outcome ? describe(*outcome) : outcome.error().text;
    const std::string output = outcome ? shorten(outcome->output, 2000) : "";
    log_(fmt::format("step {}: {}: {}", index + 1, step.text,
                     succeeded ? "done" : failure_of(outcome)));
    if (!record({{kEvent, succeeded || step.may_fail ? kStepDone : kStepFailed},
                 {"index", number},
                 {"command", step.text},
                 {"result", result},
                 {"output", output}}))
      return GuardOutcome::kNotHandled;
    return succeeded || step.may_fail ? GuardOutcome::kDone : GuardOutcome::kStepFailed;
  }

  GuardOutcome close_phase(GuardPhase phase) {
    if (phase == GuardPhase::kRecovery) {
      log_("all done, back to normal");
      return end_episode() ? GuardOutcome::kDone : GuardOutcome::kNotHandled;
    }
    if (!config_.lock_file.empty()) {
      const auto written = write_file_atomic(
          config_.lock_file,
          fmt::format("{} has failed over; remove this file to arm it again\n", config_.name));
      if (!written) {
        log_(written.error().text);
        return GuardOutcome::kStepFailed;
      }
    }
    if (!record({{kEvent, kComplete}})) return GuardOutcome::kNotHandled;
    log_("all done");
    return GuardOutcome::kDone;
  }

  static std::string failure_of(const Result<ProcessOutcome>& outcome) {
    if (!outcome) return outcome.error().text;
    const std::string line = first_line(outcome->output);
    return describe(*outcome) + (line.empty() ? "" : ": " + line);
  }

  // A step that fails pass after pass must not fill the disk: of a long story, what is not finished
  // is forgotten.
  bool shorten_journal() {
    constexpr std::size_t kLong = 100;
    if (journal_.records().size() <= kLong) return true;
    std::vector<JournalRecord> kept;
    for (const JournalRecord& record : journal_.records()) {
      const std::string event = journal_value(record, kEvent);
      if (event != kStepBegins && event != kStepFailed) kept.push_back(record);
    }
    const auto written = journal_.rewrite(std::move(kept));
    if (!written) log_(written.error().text);
    return written.has_value();
  }

  bool end_episode() {
    const auto cleared = journal_.rewrite({});
    if (!cleared) log_(cleared.error().text);
    return cleared.has_value();
  }

  // No step is done that the journal does not hold.
  bool record(JournalRecord record) {
    record.insert(record.begin(), {"time", format_number(clock_.now_s())});
    const auto appended = journal_.append(std::move(record));
    if (!appended) log_(appended.error().text);
    return appended.has_value();
  }

  const GuardConfig& config_;
  Journal& journal_;
  Process& process_;
  Clock& clock_;
  const std::function<void(const std::string&)>& log_;
  bool stopped_ = false;
};

}  // namespace

GuardOutcome run_pass(const GuardConfig& config, Journal& journal, Process& process, Clock& clock,
                      const std::function<void(const std::string&)>& log) {
  return Pass(config, journal, process, clock, log).run();
}

}  // namespace ha
