// SPDX-License-Identifier: MIT
// What becomes of each row in the end, out of all that was done to it one after the other: a row
// that was inserted and then updated is a row to insert. Pure.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/merge/table_sql.h"
#include "common/result.h"

namespace ha {

using RowData = std::vector<MergeValue>;  // of all columns of a plan

// One of the two is there at least: a row that came, one that was changed, one that went.
struct NetChange {
  std::optional<RowData> before = {}, after = {};

  bool operator==(const NetChange&) const = default;
};

class SavedChanges {
 public:
  // `key` are the places of the primary key; without one, rows are told apart by all they contain.
  // Of `parts` of the rows only that with the number `part` is kept: they may be too many at once.
  SavedChanges(std::vector<std::size_t> key, unsigned parts, unsigned part)
      : key_(std::move(key)), parts_(parts), part_(part) {}

  // Adds what was done next. Fails with kRefused when a row would go from one part to another.
  Result<Done> add(std::optional<RowData> before, std::optional<RowData> after);

  // Returns all that is left to do, in the order in which rows were first touched.
  std::vector<NetChange> take();

  // Changes of rows that the log does not tell apart from others: there is no primary key.
  const std::vector<NetChange>& unclear() const { return unclear_; }

 private:
  using Places = std::unordered_multimap<std::string, std::size_t>;  // in changes_

  std::string key_of(const RowData& row) const;
  void insert(RowData row);
  void change(std::optional<RowData> before, std::optional<RowData> after);

  const std::vector<std::size_t> key_;
  const unsigned parts_, part_;
  std::vector<NetChange> changes_ = {}, unclear_ = {};
  Places live_ = {}, gone_ = {};  // rows that are there after all; that were there before
};

// Returns a text that is equal for equal values alone.
std::string content_of(const RowData& row, const std::vector<std::size_t>& places);

}  // namespace ha
