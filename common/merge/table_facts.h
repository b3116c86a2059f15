// SPDX-License-Identifier: MIT
// What a server says of a table that is merged. Plain values.

#pragma once

#include <string>
#include <vector>

namespace ha {

struct ColumnFacts {
  std::string name = {};
  std::string data_type = {};                // "bigint"
  std::string column_type = {};              // "bigint(20) unsigned"
  std::string charset = {}, collation = {};  // empty: it has none
  std::string extra = {};                    // "auto_increment", "INVISIBLE", ...
  bool generated = false;                    // computed from other columns, or by the server
  std::string privileges = {};               // our account's: "select,insert"
  unsigned long long bytes = 0;              // of the longest text; 0: it is no text

  bool operator==(const ColumnFacts&) const = default;
};

struct IndexFacts {
  struct Part {
    std::string column = {};  // empty: an expression
    unsigned prefix = 0;      // characters; 0: the whole column
  };
  std::string name = {};
  bool unique = false;
  bool ordered = false;  // a BTREE that statements may use
  std::vector<Part> parts = {};
};

struct ForeignKeyFacts {
  std::string name = {};
  std::vector<std::string> columns = {};
  std::string database = {}, table = {};  // the parent
  std::vector<std::string> keys = {};     // its columns
};

struct TableFacts {
  std::string kind = {};  // "BASE TABLE", "VIEW"; empty: there is no such table, or it is hidden
  std::vector<ColumnFacts> columns = {};
  std::vector<IndexFacts> indexes = {};
  std::vector<ForeignKeyFacts> foreign_keys = {};
  std::vector<std::string> insert_triggers = {};
  std::string engine = {};
  bool transactional = true;  // the engine can roll back
};

}  // namespace ha
