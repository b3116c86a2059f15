// SPDX-License-Identifier: MIT
#include "common/failover/step_json.h"

#include "common/failover/old_steps.h"

namespace ha {

namespace {

using Json = nlohmann::ordered_json;

// Returns what a word of a journal stands for.
template <typename Enum>
Enum expect(const std::optional<Enum>& known, const Json& word) {
  if (!known) throw Json::other_error::create(501, "unknown word", &word);
  return *known;
}

Json placeholders_to_json(const Statements& statements) {
  Json lists = Json::array();
  for (const Statement& one : statements) {
    Json list = Json::array();
    for (const Placeholder placeholder : one.placeholders)
      list.push_back(placeholder_name(placeholder));
    lists.push_back(std::move(list));
  }
  return lists;
}

Statements statements_from_json(Action action, const Json& json) {
  const Json& sql = json.at("sql");
  if (!json.contains("parts"))
    return expect(infer_statements(action, sql.get<std::vector<std::string>>()), sql);
  Statements statements;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const Json& part = json.at("parts").at(i);
    Statement one{expect(parse_part(part.get<std::string>()), part), sql.at(i)};
    for (const Json& word : json.at("placeholders").at(i))
      one.placeholders.push_back(expect(parse_placeholder(word.get<std::string>()), word));
    statements.push_back(std::move(one));
  }
  return statements;
}

}  // namespace

Json step_to_json(const Step& step) {
  Json parts = Json::array(), undo = Json::array();
  for (const Statement& one : step.statements) parts.push_back(part_name(one.part));
  for (const Step& one : step.undo) undo.push_back(step_to_json(one));
  return {{"number", step.number},
          {"action", action_name(step.action)},
          {"node", step.node},
          {"sql", sql_of(step.statements)},
          {"parts", parts},
          {"placeholders", placeholders_to_json(step.statements)},
          {"argv", step.argv},
          {"text", step.text},
          {"channel", step.channel},
          {"other", step.other},
          {"file", step.position.file},
          {"offset", step.position.offset},
          {"path", step.path},
          {"content", step.content},
          {"may_fail", step.may_fail},
          {"undo", undo}};
}

Step step_from_json(const Json& json) {
  const Json& action = json.at("action");
  Step step;
  step.number = json.at("number");
  step.action = expect(parse_action(action.get<std::string>()), action);
  step.node = json.at("node");
  step.statements = statements_from_json(step.action, json);
  step.argv = json.at("argv").get<std::vector<std::string>>();
  step.text = json.at("text");
  step.channel = json.at("channel");
  step.other = json.at("other");
  step.position = {json.at("file"), json.at("offset")};
  if (json.contains("path")) {
    step.path = json.at("path");
    step.content = json.at("content");
  } else {
    infer_file(step);
  }
  step.may_fail = json.at("may_fail");
  for (const Json& one : json.at("undo")) step.undo.push_back(step_from_json(one));
  return step;
}

}  // namespace ha
