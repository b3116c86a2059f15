// SPDX-License-Identifier: MIT
#include "common/merge/merge_options.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

Result<MergeTable> parse_merge_table(std::string_view text) {
  constexpr std::string_view kRegenerate = "regenerate=";
  const Error wrong{
      Errc::kUsage,
      fmt::format("--table: '{}' is not DB.TABLE:TIMECOLUMN[:regenerate=COLUMN]", sanitize(text))};
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3) return wrong;
  const std::size_t dot = parts[0].find('.');
  if (dot == std::string::npos) return wrong;
  MergeTable table{parts[0].substr(0, dot), parts[0].substr(dot + 1), parts[1]};
  if (parts.size() == 3) {
    if (!parts[2].starts_with(kRegenerate)) return wrong;
    table.regenerate = parts[2].substr(kRegenerate.size());
    if (table.regenerate.empty() || table.regenerate == table.time_column) return wrong;
  }
  if (table.database.empty() || table.table.empty() || table.time_column.empty()) return wrong;
  return table;
}

std::vector<MergeTable> pandora_tables(const std::string& name) {
  const std::string database = name.empty() ? "pandora" : name;
  using Zero = MergeParent::Zero;
  const MergeParent module{"id_agente_modulo", "tagente_modulo", "id_agente_modulo"};
  // An event of the whole installation names neither an agent nor a module.
  const MergeParent agent{"id_agente", "tagente", "id_agente", Zero::kNoParent};
  const MergeParent module_of_event{"id_agentmodule", "tagente_modulo", "id_agente_modulo",
                                    Zero::kNoParent};
  return {{database, "tagente_datos", "utimestamp", "", {module}},
          {database, "tagente_datos_string", "utimestamp", "", {module}},
          {database,
           "tevento",
           "utimestamp",
           "id_evento",
           {agent, module_of_event},
           // Who has seen an event, when, and what he has written about it.
           {"id_usuario", "estado", "user_comment", "owner_user", "ack_utimestamp"}}};
}

Result<Done> complete_merge_options(MergeOptions& options) {
  for (const auto& [option, value] : {std::pair("--from", &options.from),
                                      {"--to", &options.to},
                                      {"--since", &options.since},
                                      {"--until", &options.until}})
    if (value->empty())
      return Error{Errc::kUsage, fmt::format("merge needs {} (see --help)", option)};
  if (options.preset == MergePreset::kPandora) options.tables = pandora_tables(options.database);
  for (const std::string& word : options.words) {
    auto table = parse_merge_table(word);
    if (!table) return table.error();
    for (const MergeTable& other : options.tables)
      if (other.name() == table->name())
        return Error{Errc::kUsage, fmt::format("--table: {} is named twice", table->name())};
    options.tables.push_back(std::move(*table));
  }
  if (options.tables.empty())
    return Error{Errc::kUsage, "merge needs --preset pandora or --table (see --help)"};
  const auto since = parse_merge_time(options.since), until = parse_merge_time(options.until);
  if (!since) return Error{Errc::kUsage, "--since: " + since.error().text};
  if (!until) return Error{Errc::kUsage, "--until: " + until.error().text};
  options.window = {*since, *until};
  options.effect = options.dry_run ? MergeEffect::kCount : MergeEffect::kInsert;
  return Done{};
}

}  // namespace ha
