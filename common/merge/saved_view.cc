// SPDX-License-Identifier: MIT
#include "common/merge/saved_view.h"

#include <fmt/format.h>

#include <array>
#include <memory>

#include "common/json_writer.h"
#include "common/merge/row_values.h"
#include "common/mysql/quote.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr std::size_t kShownRows = 100, kShownStatements = 100, kMostTables = 100000;
constexpr std::size_t kShownValue = 80, kShownRow = 2000;

std::string column_name(const LoggedTable& table, std::size_t place) {
  const std::string& name = table.columns[place].name;
  return name.empty() ? fmt::format("@{}", place + 1) : name;
}

bool is_plain(std::string_view text) { return is_utf8(text) && printable(text) == text; }

std::string shown_value(const LoggedColumn& column, const MergeValue& value) {
  if (!value) return "NULL";
  switch (kind_of_logged(column)) {
    case ValueKind::kNumber:
    case ValueKind::kFloat:
    case ValueKind::kDouble:
    case ValueKind::kUnsigned:
      return *value;
    default:
      break;
  }
  if (is_plain(*value)) return fmt::format("'{}'", shorten(*value, kShownValue));
  return shorten(hex_literal(value->substr(0, kShownValue)), kShownValue);
}

// Returns the columns of a row, all or those that are not as in `other`.
std::string shown_row(const LoggedTable& table, const LoggedRow& row, const LoggedRow* other) {
  std::string text;
  for (std::size_t i = 0; i < row.size() && text.size() < kShownRow; ++i) {
    if (!row[i].logged || (other != nullptr && (*other)[i] == row[i])) continue;
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", printable(column_name(table, i)),
                        shown_value(table.columns[i], row[i].value));
  }
  return shorten(text, kShownRow);
}

std::string describe_size(const SavedTableSize& size) {
  return fmt::format("{} inserted, {} updated, {} deleted", size.inserts, size.updates,
                     size.deletes);
}

Result<Done> add_size(SavedTableSizes& sizes, const LoggedTable& table, const RowChange& change) {
  if (sizes.size() >= kMostTables && !sizes.contains(table.name()))
    return Error{Errc::kBadData, "there are too many tables"};
  sizes[table.name()].add(change);
  return Done{};
}

class TextView : public SavedView {
 public:
  TextView(SavedFile file, Print print) : SavedView(std::move(file)), print_(std::move(print)) {}

  Result<Done> add_row(const LoggedTable& table, const RowChange& change) override {
    if (auto added = add_size(sizes_, table, change); !added) return added;
    std::vector<std::string>& lines = rows_[table.name()];
    if (lines.size() >= kShownRows) return Done{};
    if (change.kind == RowChangeKind::kInsert)
      lines.push_back("  + " + shown_row(table, change.after, nullptr));
    else if (change.kind == RowChangeKind::kDelete)
      lines.push_back("  - " + shown_row(table, change.before, nullptr));
    else
      lines.push_back(fmt::format("  ~ {} -> {}", shown_row(table, change.before, nullptr),
                                  shown_row(table, change.after, &change.before)));
    return Done{};
  }

  Result<Done> add_statement(const SavedStatement& statement) override {
    if (statements_.size() < kShownStatements)
      statements_.push_back(fmt::format("  {}{}{}", printable(statement.database),
                                        statement.database.empty() ? "" : ": ",
                                        shown_statement(statement)));
    return Done{};
  }

  void end(const SavedTextCounts& counts, const std::string& error) override {
    print_(fmt::format("run {}: {} transactions of {} in {}\n", file_.run, counts.transactions,
                       file_.node, file_.path));
    for (const auto& [name, size] : sizes_) {
      print_(fmt::format("{}: {}\n", printable(name), describe_size(size)));
      const std::uint64_t all = size.inserts + size.updates + size.deletes;
      print_lines(rows_[name], all);
    }
    if (counts.statements > 0) {
      print_(fmt::format("statements: {}\n", counts.statements));
      print_lines(statements_, counts.statements);
    }
    if (counts.rolled_back > 0)
      print_(
          fmt::format("{} of the transactions were rolled back; what of them stayed is not "
                      "known\n",
                      counts.rolled_back));
    if (!error.empty()) print_("not all could be read: " + printable(error) + "\n");
  }

 private:
  void print_lines(const std::vector<std::string>& lines, std::uint64_t all) {
    for (const std::string& line : lines) print_(line + "\n");
    if (lines.size() < all)
      print_(fmt::format("  ... {} more; to see all, add: --output json\n", all - lines.size()));
  }

  Print print_;
  SavedTableSizes sizes_ = {};
  std::map<std::string, std::vector<std::string>> rows_ = {};
  std::vector<std::string> statements_ = {};
};

void write_row(JsonWriter& json, const LoggedTable& table, const LoggedRow& row) {
  if (row.empty()) {
    json.null();
    return;
  }
  json.begin_object();
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!row[i].logged) continue;
    json.key(column_name(table, i));
    const MergeValue& value = row[i].value;
    if (!value || is_utf8(*value)) {
      json.value(value);
      continue;
    }
    json.begin_object();
    const std::string hex = hex_literal(*value);  // X'00'
    json.field("hex", hex.substr(2, hex.size() - 3));
    json.end_object();
  }
  json.end_object();
}

class JsonView : public SavedView {
 public:
  JsonView(SavedFile file, Print print) : SavedView(std::move(file)), print_(std::move(print)) {
    JsonWriter json;
    json.begin_object();
    json.field("run", file_.run);
    json.field("node", file_.node);
    json.field("file", file_.path);
    json.end_object();
    const std::string head = json.take();
    print_(head.substr(0, head.size() - 1) + ",\"changes\":[");
  }

  Result<Done> add_row(const LoggedTable& table, const RowChange& change) override {
    if (auto added = add_size(sizes_, table, change); !added) return added;
    constexpr std::array kWords = {"insert", "update", "delete"};
    JsonWriter json;
    json.begin_object();
    json.field("table", table.name());
    json.field("change", std::string(kWords[static_cast<std::size_t>(change.kind)]));
    json.key("before");
    write_row(json, table, change.before);
    json.key("after");
    write_row(json, table, change.after);
    json.end_object();
    print_item(json.take());
    return Done{};
  }

  Result<Done> add_statement(const SavedStatement& statement) override {
    JsonWriter json;
    json.begin_object();
    json.field("database", statement.database);
    json.field("statement", shown_statement(statement));
    json.end_object();
    print_item(json.take());
    return Done{};
  }

  void end(const SavedTextCounts& counts, const std::string& error) override {
    JsonWriter json;
    json.begin_object();
    json.key("tables");
    json.begin_array();
    for (const auto& [name, size] : sizes_) {
      json.begin_object();
      json.field("table", name);
      json.field("inserted", size.inserts);
      json.field("updated", size.updates);
      json.field("deleted", size.deletes);
      json.end_object();
    }
    json.end_array();
    json.field("transactions", counts.transactions);
    json.field("statements", counts.statements);
    json.field("rolled_back", counts.rolled_back);
    json.field("error", error.empty() ? std::optional<std::string>() : error);
    json.end_object();
    print_("]," + json.take().substr(1) + "\n");
  }

 private:
  void print_item(const std::string& item) {
    print_((first_ ? "" : ",") + item);
    first_ = false;
  }

  Print print_;
  SavedTableSizes sizes_ = {};
  bool first_ = true;
};

}  // namespace

std::string shown_statement(const SavedStatement& statement) {
  constexpr std::size_t kShown = 1000;
  const std::string upper = to_upper(std::string_view(statement.text).substr(0, 4096));
  if (upper.find("PASSWORD") != upper.npos || upper.find("IDENTIFIED") != upper.npos)
    return "(a statement with a password)";
  const std::string text = shorten(printable(statement.text), kShown);
  return statement.bytes > text.size() ? fmt::format("{} ({} bytes)", text, statement.bytes) : text;
}

std::unique_ptr<SavedView> text_view(SavedFile file, Print print) {
  return std::make_unique<TextView>(std::move(file), std::move(print));
}

std::unique_ptr<SavedView> json_view(SavedFile file, Print print) {
  return std::make_unique<JsonView>(std::move(file), std::move(print));
}

}  // namespace ha
