// SPDX-License-Identifier: MIT
#include "common/failover/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/text.h"

namespace ha {

namespace {

using Json = nlohmann::ordered_json;

constexpr RunEnd kEnds[] = {RunEnd::kUnfinished, RunEnd::kDone, RunEnd::kReservations,
                            RunEnd::kUndone, RunEnd::kFailed};

Json step_to_json(const Step& step) {
  Json undo = Json::array();
  for (const Step& one : step.undo) undo.push_back(step_to_json(one));
  return {{"number", step.number},      {"action", action_name(step.action)},
          {"node", step.node},          {"sql", step.sql},
          {"argv", step.argv},          {"text", step.text},
          {"channel", step.channel},    {"other", step.other},
          {"file", step.position.file}, {"offset", step.position.offset},
          {"may_fail", step.may_fail},  {"undo", undo}};
}

Step step_from_json(const Json& json) {
  const auto action = parse_action(json.at("action").get<std::string>());
  if (!action) throw Json::other_error::create(501, "unknown action", &json);
  Step step;
  step.number = json.at("number");
  step.action = *action;
  step.node = json.at("node");
  step.sql = json.at("sql").get<std::vector<std::string>>();
  step.argv = json.at("argv").get<std::vector<std::string>>();
  step.text = json.at("text");
  step.channel = json.at("channel");
  step.other = json.at("other");
  step.position = {json.at("file"), json.at("offset")};
  step.may_fail = json.at("may_fail");
  for (const Json& one : json.at("undo")) step.undo.push_back(step_from_json(one));
  return step;
}

Json loss_to_json(const LossForecast& loss) {
  return {{"transactions", loss.transactions ? Json(*loss.transactions) : Json()},
          {"at_least", loss.at_least},
          {"seconds", loss.seconds ? Json(*loss.seconds) : Json()},
          {"text", loss.text}};
}

LossForecast loss_from_json(const Json& json) {
  LossForecast loss;
  if (const Json& count = json.at("transactions"); !count.is_null()) loss.transactions = count;
  loss.at_least = json.at("at_least");
  if (const Json& seconds = json.at("seconds"); !seconds.is_null()) loss.seconds = seconds;
  loss.text = json.at("text");
  return loss;
}

Json tls_to_json(const ChannelTls& tls) {
  return {{"used", tls.used},
          {"verifies", tls.verifies},
          {"ca", tls.ca},
          {"ca_directory", tls.ca_directory},
          {"certificate", tls.certificate},
          {"key", tls.key},
          {"ciphers", tls.ciphers}};
}

ChannelTls tls_from_json(const Json& json) {
  return {json.at("used"),        json.at("verifies"), json.at("ca"),     json.at("ca_directory"),
          json.at("certificate"), json.at("key"),      json.at("ciphers")};
}

Json retry_to_json(const ChannelRetry& retry) {
  return {{"interval_s", retry.interval_s ? Json(*retry.interval_s) : Json()},
          {"count", retry.count ? Json(*retry.count) : Json()}};
}

ChannelRetry retry_from_json(const Json& json) {
  ChannelRetry retry;
  if (const Json& interval = json.at("interval_s"); !interval.is_null())
    retry.interval_s = interval.get<unsigned>();
  if (const Json& count = json.at("count"); !count.is_null()) retry.count = count.get<unsigned>();
  return retry;
}

}  // namespace

std::string plan_to_json(const Plan& plan) {
  Json steps = Json::array();
  for (const Step& step : plan.steps) steps.push_back(step_to_json(step));
  Json json = {{"command", plan.command},
               {"primary", plan.primary},
               {"candidate", plan.candidate},
               {"steps", steps},
               {"reservations", plan.reservations},
               {"loss", loss_to_json(plan.loss)},
               {"by_gtid", plan.by_gtid},
               {"semi_sync", plan.semi_sync},
               {"channel", plan.channel},
               {"tls", tls_to_json(plan.tls)},
               {"retry", retry_to_json(plan.retry)},
               {"hash", plan.hash}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Plan> plan_from_json(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    Plan plan;
    plan.command = json.at("command");
    plan.primary = json.at("primary");
    plan.candidate = json.at("candidate");
    for (const Json& step : json.at("steps")) plan.steps.push_back(step_from_json(step));
    plan.reservations = json.at("reservations").get<std::vector<std::string>>();
    plan.loss = loss_from_json(json.at("loss"));
    plan.by_gtid = json.at("by_gtid");
    // Runs of before know nothing of it.
    plan.semi_sync = json.value("semi_sync", false);
    plan.channel = json.at("channel");
    plan.tls = tls_from_json(json.at("tls"));
    if (json.contains("retry")) plan.retry = retry_from_json(json.at("retry"));
    plan.hash = json.at("hash");
    return plan;
  } catch (const Json::exception&) {
    return Error{Errc::kBadData, "the plan in the journal is damaged"};
  }
}

std::string_view run_end_name(RunEnd end) {
  switch (end) {
    case RunEnd::kUnfinished:
      break;
    case RunEnd::kDone:
      return "done";
    case RunEnd::kReservations:
      return "reservations";
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

BinlogPosition position_of(const RunFacts& facts, const std::string& name) {
  const auto file = facts.find(name + "_file"), offset = facts.find(name + "_position");
  if (file == facts.end() || offset == facts.end()) return {};
  return {file->second, static_cast<std::uint64_t>(parse_integer(offset->second).value_or(0))};
}

void note_position(RunFacts& facts, const std::string& name, const BinlogPosition& position) {
  facts[name + "_file"] = position.file;
  facts[name + "_position"] = std::to_string(position.offset);
}

JournalRecord make_record(double now_s, std::string event) {
  return {{"time", fmt::format("{:.3f}", now_s)}, {"event", std::move(event)}};
}

namespace {

// Reads the records of a run in their order.
class RunReader {
 public:
  explicit RunReader(Run& run) : run_(run) {}

  void read(const JournalRecord& record) {
    const std::string event = journal_value(record, "event");
    time_s_ = parse_number(journal_value(record, "time")).value_or(0);
    run_.last_s = time_s_;
    const std::string text = journal_value(record, "text");
    if (event == "resumed") {
      // It may have come back to life since.
      run_.facts.erase("fenced");
      run_.end = RunEnd::kUnfinished;
      note("a later run goes on");
    }
    if (event == "taking-back") run_.taking_back = true;
    if (event == "copy-begins") {
      run_.copied_over = true;
      note("its data are replaced by the copy");
    }
    if (event == "copy-ended") note(text);
    if (event == "not-opened")
      for (const Step& step : run_.plan.steps)
        if (step.action == Action::kMakeWritable) run_.steps.erase(step.number);
    if (event == "acknowledged") {
      run_.acknowledged = true;
      note("acknowledged");
    }
    if (event == "end") read_end(journal_value(record, "outcome"), text);
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
      for (const auto& [name, value] : record)
        if (name != "time" && name != "event" && name != "number" && name != "text")
          run_.facts[name] = value;
    if (event != "step-begins") note(describe(static_cast<int>(*number), event, text));
  }

 private:
  void read_end(const std::string& outcome, const std::string& text) {
    for (const RunEnd end : kEnds)
      if (outcome == run_end_name(end)) run_.end = end;
    run_.ended_s = time_s_;
    run_.text = text;
    note(fmt::format("{}: {}", outcome, text));
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

  void note(std::string_view text) {
    run_.timeline.push_back(fmt::format("{:+8.3f}s  {}", time_s_ - run_.begun_s, sanitize(text)));
  }

  Run& run_;
  double time_s_ = 0;
};

}  // namespace

Result<Run> read_run(const std::string& id, const std::vector<JournalRecord>& records) {
  if (records.empty()) return Run{.id = id, .plan = {.command = "nothing"}, .end = RunEnd::kUndone};
  if (journal_value(records[0], "event") != "begin")
    return Error{Errc::kBadData,
                 fmt::format("the journal of run {} does not begin with a plan", id)};
  auto plan = plan_from_json(journal_value(records[0], "plan"));
  if (!plan) return plan.error();
  Run run{id, std::move(*plan)};
  run.begun_s = parse_number(journal_value(records[0], "time")).value_or(0);
  RunReader reader(run);
  for (const JournalRecord& record : records) reader.read(record);
  return run;
}

}  // namespace ha
