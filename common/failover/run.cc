// SPDX-License-Identifier: MIT
#include "common/failover/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/failover/old_steps.h"
#include "common/failover/step_json.h"
#include "common/json_reader.h"
#include "common/json_writer.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr RunEnd kEnds[] = {RunEnd::kUnfinished, RunEnd::kDone, RunEnd::kWarnings, RunEnd::kUndone,
                            RunEnd::kFailed};

void write_loss(JsonWriter& json, const LossForecast& loss) {
  json.begin_object();
  json.field("transactions", loss.transactions);
  json.field("at_least", loss.at_least);
  json.field("seconds", loss.seconds);
  json.field("text", loss.text);
  json.end_object();
}

LossForecast loss_from_json(JsonReader& reader, const JsonValue& json) {
  LossForecast loss;
  if (const JsonValue& count = reader.member(json, "transactions"); !count.IsNull())
    loss.transactions = reader.integer<std::uint64_t>(count);
  loss.at_least = reader.flag(json, "at_least");
  if (const JsonValue& seconds = reader.member(json, "seconds"); !seconds.IsNull())
    loss.seconds = reader.number(seconds);
  loss.text = reader.text(json, "text");
  return loss;
}

void write_tls(JsonWriter& json, const ChannelTls& tls) {
  json.begin_object();
  json.field("used", tls.used);
  json.field("verifies", tls.verifies);
  json.field("ca", tls.ca);
  json.field("ca_directory", tls.ca_directory);
  json.field("certificate", tls.certificate);
  json.field("key", tls.key);
  json.field("ciphers", tls.ciphers);
  json.end_object();
}

ChannelTls tls_from_json(JsonReader& reader, const JsonValue& json) {
  return {reader.flag(json, "used"),        reader.flag(json, "verifies"),
          reader.text(json, "ca"),          reader.text(json, "ca_directory"),
          reader.text(json, "certificate"), reader.text(json, "key"),
          reader.text(json, "ciphers")};
}

void write_retry(JsonWriter& json, const ChannelRetry& retry) {
  json.begin_object();
  json.field("interval_s", retry.interval_s);
  json.field("count", retry.count);
  json.end_object();
}

ChannelRetry retry_from_json(JsonReader& reader, const JsonValue& json) {
  ChannelRetry retry;
  if (const JsonValue& interval = reader.member(json, "interval_s"); !interval.IsNull())
    retry.interval_s = reader.integer<unsigned>(interval);
  if (const JsonValue& count = reader.member(json, "count"); !count.IsNull())
    retry.count = reader.integer<unsigned>(count);
  return retry;
}

}  // namespace

std::string plan_to_json(const Plan& plan) {
  JsonWriter json;
  json.begin_object();
  json.field("command", command_name(plan.command));
  json.field("primary", plan.primary);
  json.field("candidate", plan.candidate);
  json.key("steps");
  json.begin_array();
  for (const Step& step : plan.steps) write_step(json, step);
  json.end_array();
  json.field("warnings", plan.warnings);
  json.key("loss");
  write_loss(json, plan.loss);
  json.field("by_gtid", plan.by_gtid);
  json.field("semi_sync", plan.semi_sync);
  json.field("spare", plan.spare);
  json.field("hung", plan.hung);
  if (plan.closed_by_guard) json.field("closed_by_guard", true);
  json.field("evidence", evidence_name(plan.evidence));
  json.field("evidence_text", plan.evidence_text);
  json.field("channel", plan.channel);
  json.key("tls");
  write_tls(json, plan.tls);
  json.key("retry");
  write_retry(json, plan.retry);
  json.field("hash", plan.hash);
  if (!plan.need_resync.empty()) json.field("need_resync", plan.need_resync);
  if (!plan.interrupted_run.empty()) json.field("interrupted_run", plan.interrupted_run);
  if (!plan.roll_back_reason.empty()) json.field("roll_back_reason", plan.roll_back_reason);
  if (!plan.possible()) {
    json.field("refusal", refusal_name(plan.refusal));
    json.field("reason", plan.reason);
  }
  json.end_object();
  return json.take();
}

namespace {

Plan read_plan(JsonReader& reader, const JsonValue& json) {
  Plan plan;
  const auto has = [&json](const char* name) { return find_member(json, name) != nullptr; };
  const auto command = parse_command(reader.text(json, "command"));
  if (!command) reader.reject();
  plan.command = command.value_or(PlanCommand::kNothing);
  plan.primary = reader.text(json, "primary");
  plan.candidate = reader.text(json, "candidate");
  for (const JsonValue& step : reader.list(json, "steps"))
    plan.steps.push_back(step_from_json(reader, step));
  plan.warnings = reader.texts(json, has("warnings") ? "warnings" : kOldWarningsKey);
  plan.need_resync =
      has("need_resync") ? reader.texts(json, "need_resync") : infer_need_resync(plan.warnings);
  plan.loss = loss_from_json(reader, reader.member(json, "loss"));
  plan.by_gtid = reader.flag(json, "by_gtid");
  // Runs of before know nothing of it.
  if (has("semi_sync")) plan.semi_sync = reader.flag(json, "semi_sync");
  if (has("spare")) plan.spare = reader.text(json, "spare");
  if (has("hung")) plan.hung = reader.flag(json, "hung");
  if (has("closed_by_guard")) plan.closed_by_guard = reader.flag(json, "closed_by_guard");
  if (has("evidence")) plan.evidence = parse_evidence(reader.text(json, "evidence"));
  if (has("evidence_text")) plan.evidence_text = reader.text(json, "evidence_text");
  plan.channel = reader.text(json, "channel");
  plan.tls = tls_from_json(reader, reader.member(json, "tls"));
  if (has("retry")) plan.retry = retry_from_json(reader, reader.member(json, "retry"));
  plan.hash = reader.text(json, "hash");
  return plan;
}

}  // namespace

Result<Plan> plan_from_json(std::string_view text) {
  const JsonText json(text);
  JsonReader reader;
  Plan plan;
  if (json.object() != nullptr) plan = read_plan(reader, *json.object());
  if (json.object() == nullptr || reader.damaged())
    return Error{Errc::kBadData, "the plan in the journal is damaged"};
  return plan;
}

std::string_view run_end_name(RunEnd end) {
  switch (end) {
    case RunEnd::kUnfinished:
      break;
    case RunEnd::kDone:
      return "done";
    case RunEnd::kWarnings:
      return "warnings";
    case RunEnd::kUndone:
      return "undone";
    case RunEnd::kFailed:
      return "failed";
  }
  return "unfinished";
}

StepState Run::state_of(const Step& step) const {
  const auto found = steps.find(step.number);
  return found == steps.end() ? StepState::kOpen : found->second;
}

StepState Run::state_of_action(Action action) const {
  const auto step = std::ranges::find(plan.steps, action, &Step::action);
  return step == plan.steps.end() ? StepState::kOpen : state_of(*step);
}

JournalRecord make_record(const Moment& now, std::string event) {
  JournalRecord record = {{"time", fmt::format("{:.3f}", now.now_s)}};
  if (!now.boot.empty()) {
    record.emplace_back("uptime", fmt::format("{:.2f}", now.uptime_s));
    record.emplace_back("boot", now.boot);
  }
  record.emplace_back("event", std::move(event));
  return record;
}

namespace {

std::string event_of(const JournalRecord& record) { return journal_value(record, "event"); }

// Names what a record tells; a later one of the same name makes it superfluous.
std::string subject_of(const JournalRecord& record) {
  std::string subject = event_of(record);
  const std::string number = journal_value(record, "number");
  if (number.empty()) return subject;
  if (subject != "step-done") return "state of " + number;
  // Facts are kept although the step fails later on.
  for (const auto& [name, value] : record) subject += " " + (name == "number" ? value : name);
  return subject;
}

// Returns which records from `begin` on have to stay.
std::set<std::size_t> find_lasting(const std::vector<JournalRecord>& records, std::size_t begin) {
  std::map<std::string, std::size_t> last;
  std::set<std::size_t> lasting;
  bool failed = false;
  for (std::size_t i = begin; i < records.size(); ++i) {
    last[subject_of(records[i])] = i;
    if (const std::string number = journal_value(records[i], "number"); !number.empty())
      last["state of " + number] = i;
    // The first end of this kind tells since when it stands so.
    if (failed || journal_value(records[i], "outcome") != run_end_name(RunEnd::kFailed)) continue;
    failed = true;
    lasting.insert(i);
  }
  for (const auto& [subject, i] : last) lasting.insert(i);
  return lasting;
}

}  // namespace

std::vector<JournalRecord> condense(std::vector<JournalRecord> records) {
  constexpr long kTold = 2;  // resumptions that are told in full
  if (std::ranges::count(records, "resumed", event_of) <= kTold) return records;
  // The first resumption stays, so that each shortening begins there.
  const auto begin =
      static_cast<std::size_t>(std::ranges::find(records, "resumed", event_of) - records.begin());
  const std::set<std::size_t> lasting = find_lasting(records, begin);
  std::vector<JournalRecord> result;
  std::uint64_t resumed = 0;  // wraps where a damaged journal holds numbers that none counts to
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i > begin && event_of(records[i]) == "resumed")
      resumed +=
          static_cast<std::uint64_t>(parse_integer(journal_value(records[i], "times")).value_or(1));
    if (i > begin && !lasting.contains(i)) continue;
    result.push_back(std::move(records[i]));
    if (i == begin || event_of(result.back()) != "resumed") continue;
    std::erase_if(result.back(), [](const auto& field) { return field.first == "times"; });
    result.back().emplace_back("times", std::to_string(resumed));
  }
  return result;
}

namespace {

Moment moment_of(const JournalRecord& record) {
  Moment moment{parse_number(journal_value(record, "time")).value_or(0)};
  const auto uptime_s = parse_number(journal_value(record, "uptime"));
  if (!uptime_s) return moment;
  moment.uptime_s = *uptime_s;
  moment.boot = journal_value(record, "boot");
  return moment;
}

// Reads the records of a run in their order.
class RunReader {
 public:
  explicit RunReader(Run& run) : run_(run) {}

  void read(const JournalRecord& record) {
    const std::string event = current_word(journal_value(record, "event"));
    run_.last = moment_of(record);
    const std::string text = journal_value(record, "text");
    if (event == "resumed") {
      // It may have come back to life since.
      run_.facts.fenced = false;
      run_.end = RunEnd::kUnfinished;
      const std::string times = journal_value(record, "times");
      add_line(times.empty() ? "resumed" : "resumed " + times + " more times");
    }
    if (event == "rolling-back") run_.rolling_back = true;
    if (event == "copy-begins") {
      run_.copied_over = true;
      add_line("its data are replaced by the copy");
    }
    if (event == "copy-ended") add_line(text);
    if (event == "not-opened")
      for (const Step& step : run_.plan.steps)
        if (step.action == Action::kMakeWritable) run_.steps.erase(step.number);
    if (event == "acknowledged") {
      run_.acknowledged = true;
      add_line("acknowledged");
    }
    if (event == "end") read_end(current_word(journal_value(record, "outcome")), text);
    const auto number = parse_integer(journal_value(record, "number"));
    if (!number) return;
    const std::pair<const char*, StepState> states[] = {{"step-begins", StepState::kBegun},
                                                        {"step-done", StepState::kDone},
                                                        {"step-failed", StepState::kFailed},
                                                        {"undone", StepState::kUndone},
                                                        {"undo-failed", StepState::kFailed}};
    for (const auto& [name, state] : states)
      if (event == name) run_.steps[static_cast<int>(*number)] = state;
    if (event == "step-done")
      for (const auto& [name, value] : record) read_field(run_.facts, name, value);
    if (event != "step-begins") add_line(describe(static_cast<int>(*number), event, text));
  }

 private:
  void read_end(const std::string& outcome, const std::string& text) {
    for (const RunEnd end : kEnds)
      if (outcome == run_end_name(end)) run_.end = end;
    if (run_.end == RunEnd::kFailed && !run_.failed) run_.failed = run_.last;
    run_.text = text;
    add_line(fmt::format("{}: {}", outcome, text));
  }

  std::string describe(int number, const std::string& event, const std::string& text) const {
    const auto step = std::ranges::find(run_.plan.steps, number, &Step::number);
    if (step == run_.plan.steps.end()) return fmt::format("step {}: {}", number, event);
    const char* const result = event == "step-done"     ? ""
                               : event == "step-failed" ? "FAILED "
                               : event == "undone"      ? "undone "
                                                        : "NOT undone ";
    return fmt::format("{}{} {}{}{}", result, action_name(step->action),
                       step->node.empty() ? "here" : step->node, text.empty() ? "" : ": ", text);
  }

  void add_line(std::string_view text) {
    run_.timeline.push_back(fmt::format("{:+8.3f}s  {}", seconds_to(run_.last), sanitize(text)));
  }

  // A timeline shows a clock that was set back, rather than nothing.
  double seconds_to(const Moment& moment) const {
    return age_of(run_.begun, moment).value_or(moment.now_s - run_.begun.now_s);
  }

  Run& run_;
};

}  // namespace

Result<Run> read_run(const std::string& id, const std::vector<JournalRecord>& records) {
  if (records.empty())
    return Run{.id = id, .plan = {.command = PlanCommand::kNothing}, .end = RunEnd::kUndone};
  if (journal_value(records[0], "event") != "begin")
    return Error{Errc::kBadData,
                 fmt::format("the journal of run {} does not begin with a plan", id)};
  auto plan = plan_from_json(journal_value(records[0], "plan"));
  if (!plan) return plan.error();
  return replay_run(id, std::move(*plan), records);
}

Run replay_run(const std::string& id, Plan plan, const std::vector<JournalRecord>& records) {
  Run run{id, std::move(plan)};
  run.begun = moment_of(records[0]);
  RunReader reader(run);
  for (const JournalRecord& record : records) reader.read(record);
  return run;
}

}  // namespace ha
