// SPDX-License-Identifier: MIT
#include "common/failover/step_json.h"

#include "common/failover/old_steps.h"

namespace ha {

namespace {

// Returns what a word of a journal stands for.
template <typename Value>
Value expect(JsonReader& reader, std::optional<Value> known) {
  if (!known) reader.reject();
  return std::move(known).value_or(Value{});
}

// The SQL of all, then what is known of each.
void write_statements(JsonWriter& json, const Statements& statements) {
  json.field("sql", sql_of(statements));
  json.key("parts");
  json.begin_array();
  for (const Statement& one : statements) json.value(part_name(one.part));
  json.end_array();
  json.key("placeholders");
  json.begin_array();
  for (const Statement& one : statements) {
    json.begin_array();
    for (const Placeholder placeholder : one.placeholders)
      json.value(placeholder_name(placeholder));
    json.end_array();
  }
  json.end_array();
}

Statements statements_from_json(JsonReader& reader, Action action, const JsonValue& json) {
  const auto sql = reader.texts(json, "sql");
  if (find_member(json, "parts") == nullptr) return expect(reader, infer_statements(action, sql));
  const auto parts = reader.texts(json, "parts");
  const auto placeholders = reader.list(json, "placeholders");
  if (parts.size() != sql.size() || placeholders.size() != sql.size()) reader.reject();
  if (reader.damaged()) return {};
  Statements statements;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    Statement one{expect(reader, parse_part(parts[i])), sql[i]};
    for (const JsonValue& word : reader.list(placeholders[i]))
      one.placeholders.push_back(expect(reader, parse_placeholder(reader.text(word))));
    statements.push_back(std::move(one));
  }
  return statements;
}

}  // namespace

void write_step(JsonWriter& json, const Step& step) {
  json.begin_object();
  json.field("number", step.number);
  json.field("action", action_name(step.action));
  json.field("node", step.node);
  write_statements(json, step.statements);
  json.field("argv", step.argv);
  json.field("text", step.text);
  json.field("channel", step.channel);
  json.field("other", step.other);
  json.field("file", step.position.file);
  json.field("offset", step.position.offset);
  json.field("path", step.path);
  json.field("content", step.content);
  if (step.by_mha) json.field("by_mha", true);
  json.field("may_fail", step.may_fail);
  json.key("undo");
  json.begin_array();
  for (const Step& one : step.undo) write_step(json, one);
  json.end_array();
  json.end_object();
}

Step step_from_json(JsonReader& reader, const JsonValue& json) {
  Step step;
  if (!json.IsObject()) {
    reader.reject();
    return step;
  }
  step.number = reader.integer<int>(reader.member(json, "number"));
  step.action = expect(reader, parse_action(reader.text(json, "action")));
  step.node = reader.text(json, "node");
  step.statements = statements_from_json(reader, step.action, json);
  step.argv = reader.texts(json, "argv");
  step.text = reader.text(json, "text");
  step.channel = reader.text(json, "channel");
  step.other = reader.text(json, "other");
  step.position = {reader.text(json, "file"),
                   reader.integer<std::uint64_t>(reader.member(json, "offset"))};
  if (find_member(json, "path") != nullptr) {
    step.path = reader.text(json, "path");
    step.content = reader.text(json, "content");
  } else {
    infer_file(step);
  }
  if (find_member(json, "by_mha") != nullptr) step.by_mha = reader.flag(json, "by_mha");
  step.may_fail = reader.flag(json, "may_fail");
  for (const JsonValue& one : reader.list(json, "undo"))
    step.undo.push_back(step_from_json(reader, one));
  return step;
}

}  // namespace ha
