// SPDX-License-Identifier: MIT
// Two servers with one table, shop.item (at BIGINT, note VARCHAR), of which db1 has lost its role
// to db2. Each keeps its rows, does transactions, and reads the statements of a merge back.

#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "common/merge/merge.h"
#include "tests/fakes/fake_env.h"
#include "tests/fakes/fake_server.h"

namespace ha {

class MergedServer : public FakeServer {
 public:
  using Item = std::pair<long long, std::string>;  // at, note

  MergedServer(std::string_view greeting, int number) : FakeServer(greeting) {
    id = number;
    gtids = "0-1-100";
    tell_table();
    answer("START TRANSACTION", [this](const std::string&) { return begin(); });
    answer("ROLLBACK", [this](const std::string&) { return roll_back(); });
    answer("COMMIT", [this](const std::string&) { return commit(); });
    answer("INSERT INTO `shop`.`item`", [this](const std::string& sql) { return insert(sql); });
    answer(" AS time_ FROM", [this](const std::string& sql) { return times(sql); });
    answer("SELECT COUNT(*) FROM", [this](const std::string& sql) {
      return Result<Rows>(one_cell(std::to_string(found(sql).size())));
    });
    answer("SELECT IFNULL(SUM(", [this](const std::string& sql) { return bytes(sql); });
    answer(" AS copies", [this](const std::string& sql) { return digests(sql); });
    answer(" AS bytes, `at` AS", [this](const std::string& sql) { return contents(sql); });
    answer("SELECT EXISTS(", [this](const std::string& sql) { return parents(sql); });
    answer("SELECT DISTINCT `number`", [this](const std::string& sql) { return owners(sql); });
  }

  // Of which type the columns are.
  void tell_note(const char* type) { tell_columns("bigint", type); }
  void tell_columns(const char* at, const char* note) {
    answer("FROM information_schema.columns",
           rows_of({column("at", at, std::nullopt), column("note", note, "utf8mb4")}));
  }

  // What the table has, by content.
  std::map<Item, int> tally() const {
    std::map<Item, int> all;
    for (const Item& item : items) ++all[item];
    return all;
  }

  std::vector<Item> items = {};
  std::optional<long long> parentless = {};  // rows of this time have no parent
  std::function<void(Item&)> trigger = {};   // changes what is inserted
  unsigned insert_error = 0;                 // the next insertion fails with it
  bool answers_commits = true;

 private:
  // A session that has ended took its transaction along.
  Result<Rows> begin() {
    if (before_) items = *before_;
    before_ = items;
    return Rows{};
  }
  Result<Rows> roll_back() {
    if (before_) items = *before_;
    before_.reset();
    return Rows{};
  }
  Result<Rows> commit() {
    before_.reset();
    if (!answers_commits) return Error{Errc::kUnreachable, "lost connection", 2013};
    return Rows{};
  }

  Result<Rows> insert(const std::string& sql) {
    if (insert_error != 0) return Error{Errc::kBadData, "refused", std::exchange(insert_error, 0u)};
    static const std::regex kRow(R"(\((\d+), '([^']*)'\))");
    for (std::sregex_iterator one(sql.begin(), sql.end(), kRow), end; one != end; ++one) {
      Item item{std::stoll((*one)[1]), (*one)[2]};
      if (trigger) trigger(item);
      items.push_back(std::move(item));
    }
    return Rows{};
  }

  std::vector<Item> found(const std::string& sql) const {
    static const std::regex kOne(R"(`at` = (\d+))"), kSpan(R"(`at` (>=?) (\d+) AND `at` < (\d+))"),
        kPart(R"(\% (\d+) = (\d+))");
    std::smatch match;
    std::vector<Item> result;
    long long first = 0, last = 0;
    if (std::regex_search(sql, match, kSpan)) {
      first = std::stoll(match[2]) + (match[1] == ">" ? 1 : 0);
      last = std::stoll(match[3]) - 1;
    } else if (std::regex_search(sql, match, kOne)) {
      first = last = std::stoll(match[1]);
    }
    const bool parted = std::regex_search(sql, match, kPart);
    const std::size_t parts = parted ? std::stoul(match[1]) : 1;
    const std::size_t part = parted ? std::stoul(match[2]) : 0;
    for (const Item& item : items)
      if (item.first >= first && item.first <= last &&
          std::hash<std::string>()(digest(item)) % parts == part)
        result.push_back(item);
    return result;
  }

  static std::string digest(const Item& item) {
    return std::to_string(item.first) + "/" + item.second;
  }

  Result<Rows> times(const std::string& sql) const {
    static const std::regex kLimit(R"(LIMIT (\d+),1)");
    std::smatch match;
    std::regex_search(sql, match, kLimit);
    std::vector<Item> sorted = found(sql);
    std::ranges::sort(sorted);
    const std::size_t place = std::stoul(match[1]);
    if (place >= sorted.size()) return Rows{{"time_"}, {}};
    return Rows{{"time_"}, {{std::to_string(sorted[place].first)}}};
  }

  Result<Rows> digests(const std::string& sql) const {
    Rows rows{{"digest", "copies", "bytes"}, {}};
    for (const Item& item : found(sql))
      rows.cells.push_back({digest(item), "1", std::to_string(item.second.size())});
    return rows;
  }

  Result<Rows> bytes(const std::string& sql) const {
    std::size_t sum = 0;
    for (const Item& item : found(sql)) sum += item.second.size();
    return one_cell(std::to_string(sum));
  }

  Result<Rows> contents(const std::string& sql) const {
    Rows rows{{"digest", "copies", "bytes", "at", "note"}, {}};
    for (const Item& item : found(sql))
      rows.cells.push_back({digest(item), "1", std::to_string(item.second.size()),
                            std::to_string(item.first), item.second});
    return rows;
  }

  Result<Rows> parents(const std::string& sql) const {
    static const std::regex kKey(R"(`number` = (\d+))");
    Rows rows{{}, {{}}};
    for (std::sregex_iterator one(sql.begin(), sql.end(), kKey), end; one != end; ++one) {
      rows.columns.emplace_back("x");
      rows.cells[0].emplace_back(std::stoll((*one)[1]) == parentless ? "0" : "1");
    }
    return rows;
  }

  Result<Rows> owners(const std::string& sql) const {
    static const std::regex kNumber(R"(\d+)");
    const std::string list = sql.substr(sql.find(" IN ("));
    Rows rows{{"number"}, {}};
    for (std::sregex_iterator one(list.begin(), list.end(), kNumber), end; one != end; ++one)
      if (std::stoll(one->str()) != parentless) rows.cells.push_back({one->str()});
    return rows;
  }

  static Fields column(const char* name, const char* type, std::optional<std::string> charset) {
    return {{"name", name},
            {"data_type", type},
            {"column_type", type},
            {"charset_name", charset},
            {"collation_of", charset},
            {"extra", ""},
            {"generation", std::nullopt},
            {"privileges_of", "select,insert"}};
  }

  void tell_table() {
    answer("table_type AS kind", rows_of({{{"kind", "BASE TABLE"}, {"engine_", "InnoDB"}}}));
    answer("FROM information_schema.engines", "YES");
    tell_note("varchar");
    answer("FROM information_schema.statistics", rows_of({{{"INDEX_NAME", "by_time"},
                                                           {"NON_UNIQUE", "1"},
                                                           {"INDEX_TYPE", "BTREE"},
                                                           {"COLUMN_NAME", "at"},
                                                           {"SUB_PART", std::nullopt}}}));
    answer("FROM information_schema.key_column_usage", rows_of({{{"name", "fk"},
                                                                 {"own", "at"},
                                                                 {"db", "shop"},
                                                                 {"parent", "owner"},
                                                                 {"parent_key", "number"}}}));
    answer("FROM information_schema.triggers", Rows{});
    answer("FROM information_schema.events", Rows{});
    answer("SELECT `number` FROM `shop`.`owner` LIMIT 0", Rows{});
    answer("SHOW GRANTS", one_cell("GRANT ALL PRIVILEGES ON *.* TO `m`@`%`"));
    answer("SELECT @@SESSION.max_allowed_packet", "16777216");
    answer(" AS since_", [](const std::string& sql) {
      static const std::regex kBounds(R"(SELECT (\d+) AS since_, (\d+) AS until_)");
      std::smatch match;
      std::regex_search(sql, match, kBounds);
      return Result<Rows>(rows_of({{{"since_", match[1]}, {"until_", match[2]}, {"zone_", ""}}}));
    });
  }

  std::optional<std::vector<Item>> before_ = {};
};

struct Merging {
  Merging() {
    winner.read_only = false;
    merge.from = "db1";
    merge.to = "db2";
    merge.words = {"shop.item:at"};
    merge.since = "@1000";
    merge.until = "@2000";
    options.state_dir = "/state";
    for (const auto& [host, server] : {std::pair("db1", &loser), std::pair("db2", &winner)}) {
      options.cluster.nodes.push_back({host, host, 3306});
      world.connector.servers[host] =
          [one = server](const MysqlOptions&) -> Result<std::unique_ptr<SqlSession>> {
        return one->session();
      };
    }
  }

  FailoverOutcome run() {
    merge.tables.clear();
    if (const auto complete = complete_merge_options(merge); !complete)
      return refuse(complete.error().text);
    return run_merge(world.env, options, merge,
                     [this](const std::string& line) { said.push_back(line); });
  }

  // What the winner is to have in the end: of each content as many as the side with more of it.
  std::map<MergedServer::Item, int> wanted() const {
    auto all = winner.tally();
    for (const auto& [item, count] : loser.tally())
      if (item.first >= 1000 && item.first < 2000) all[item] = std::max(all[item], count);
    return all;
  }

  FakeWorld world;
  MergedServer loser{"10.11.9-MariaDB", 1}, winner{"10.11.9-MariaDB", 2};
  FailoverOptions options;
  MergeOptions merge;
  std::vector<std::string> said;
};

}  // namespace ha
