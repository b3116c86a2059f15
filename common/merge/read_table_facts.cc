// SPDX-License-Identifier: MIT
#include "common/merge/read_table_facts.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

namespace {

std::string where(const MergeTable& table, std::string_view prefix = "table") {
  return fmt::format(" WHERE {0}_schema = {1} AND {0}_{2} = {3}", prefix,
                     quote_string(table.database), prefix == "table" ? "name" : "table",
                     quote_string(table.table));
}

Result<Done> read_columns(SqlSession& session, const MergeTable& table, TableFacts& facts) {
  const auto rows = session.query(
      "SELECT column_name AS name, data_type AS data_type, column_type AS column_type,"
      " character_set_name AS charset_name, collation_name AS collation_of,"
      " character_octet_length AS octets, extra AS extra, generation_expression AS generation, "
      "privileges AS privileges_of"
      " FROM information_schema.columns" +
      where(table) + " ORDER BY ordinal_position");
  if (!rows) return rows.error();
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    const Row row(*rows, i);
    facts.columns.push_back(
        {row.text("name").value_or(""), row.text("data_type").value_or(""),
         row.text("column_type").value_or(""), row.text("charset_name").value_or(""),
         row.text("collation_of").value_or(""), row.text("extra").value_or(""),
         !row.text("generation").value_or("").empty(), row.text("privileges_of").value_or(""),
         static_cast<unsigned long long>(row.integer("octets").value_or(0))});
  }
  return Done{};
}

Result<Done> read_engine(SqlSession& session, TableFacts& facts) {
  const auto transactions =
      query_value(session, "SELECT transactions FROM information_schema.engines WHERE engine = " +
                               quote_string(facts.engine));
  if (!transactions) return transactions.error();
  facts.transactional = *transactions == "YES";
  return Done{};
}

Result<Done> read_indexes(SqlSession& session, const MergeTable& table, TableFacts& facts) {
  // Whether an index is visible is a column of MySQL's or of MariaDB's.
  const auto rows = session.query("SELECT * FROM information_schema.statistics" + where(table) +
                                  " ORDER BY index_name, seq_in_index");
  if (!rows) return rows.error();
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    const Row row(*rows, i);
    const std::string name = row.text("INDEX_NAME").value_or("");
    if (facts.indexes.empty() || facts.indexes.back().name != name)
      facts.indexes.push_back({name, row.integer("NON_UNIQUE") == 0,
                               row.text("INDEX_TYPE") == "BTREE" &&
                                   row.text("IS_VISIBLE") != "NO" && row.text("IGNORED") != "YES"});
    facts.indexes.back().parts.push_back(
        {row.text("COLUMN_NAME").value_or(""),
         static_cast<unsigned>(row.integer("SUB_PART").value_or(0))});
  }
  return Done{};
}

Result<Done> read_foreign_keys(SqlSession& session, const MergeTable& table, TableFacts& facts) {
  const auto rows = session.query(
      "SELECT constraint_name AS name, column_name AS own, referenced_table_schema AS db,"
      " referenced_table_name AS parent, referenced_column_name AS parent_key"
      " FROM information_schema.key_column_usage" +
      where(table) +
      " AND referenced_table_name IS NOT NULL ORDER BY constraint_name, ordinal_position");
  if (!rows) return rows.error();
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    const Row row(*rows, i);
    const std::string name = row.text("name").value_or("");
    if (facts.foreign_keys.empty() || facts.foreign_keys.back().name != name)
      facts.foreign_keys.push_back(
          {name, {}, row.text("db").value_or(""), row.text("parent").value_or("")});
    facts.foreign_keys.back().columns.push_back(row.text("own").value_or(""));
    facts.foreign_keys.back().keys.push_back(row.text("parent_key").value_or(""));
  }
  return Done{};
}

}  // namespace

Result<TableFacts> read_table_facts(SqlSession& session, const MergeTable& table) {
  TableFacts facts;
  const auto kind = session.query(
      "SELECT table_type AS kind, engine AS engine_ FROM information_schema.tables" + where(table));
  if (!kind) return kind.error();
  if (kind->cells.empty()) return facts;
  facts.kind = Row(*kind, 0).text("kind").value_or("");
  facts.engine = Row(*kind, 0).text("engine_").value_or("");
  if (!facts.engine.empty())
    if (const auto read = read_engine(session, facts); !read) return read.error();
  if (const auto read = read_columns(session, table, facts); !read) return read.error();
  if (const auto read = read_indexes(session, table, facts); !read) return read.error();
  if (const auto read = read_foreign_keys(session, table, facts); !read) return read.error();
  const auto triggers = session.query(
      "SELECT trigger_name AS name FROM information_schema.triggers" +
      where(table, "event_object") + " AND event_manipulation = 'INSERT' ORDER BY trigger_name");
  if (!triggers) return triggers.error();
  for (std::size_t i = 0; i < triggers->cells.size(); ++i)
    facts.insert_triggers.push_back(Row(*triggers, i).text("name").value_or(""));
  return facts;
}

}  // namespace ha
