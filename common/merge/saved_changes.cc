// SPDX-License-Identifier: MIT
#include "common/merge/saved_changes.h"

#include <functional>
#include <utility>

namespace ha {

std::string content_of(const RowData& row, const std::vector<std::size_t>& places) {
  std::string text;
  for (const std::size_t place : places)
    text += row[place] ? std::to_string(row[place]->size()) + ":" + *row[place] : "N";
  return text;
}

std::string SavedChanges::key_of(const RowData& row) const {
  if (!key_.empty()) return content_of(row, key_);
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < row.size(); ++i) all.push_back(i);
  return content_of(row, all);
}

Result<Done> SavedChanges::add(std::optional<RowData> before, std::optional<RowData> after) {
  if (parts_ > 1) {
    const std::string key = key_of(before ? *before : *after);
    if (before && after && key != key_of(*after))
      return Error{Errc::kRefused,
                   "rows got another key, and there are too many of them to be "
                   "brought at once"};
    if (std::hash<std::string>()(key) % parts_ != part_) return Done{};
  }
  if (before)
    change(std::move(before), std::move(after));
  else
    insert(std::move(*after));
  return Done{};
}

void SavedChanges::insert(RowData row) {
  std::string key = key_of(row);
  if (const auto gone = key_.empty() ? gone_.end() : gone_.find(key); gone != gone_.end()) {
    changes_[gone->second].after = std::move(row);
    live_.emplace(std::move(key), gone->second);
    gone_.erase(gone);
    return;
  }
  live_.emplace(std::move(key), changes_.size());
  changes_.push_back({std::nullopt, std::move(row)});
}

void SavedChanges::change(std::optional<RowData> before, std::optional<RowData> after) {
  const auto found = live_.find(key_of(*before));
  std::size_t place = changes_.size();
  if (found != live_.end()) {
    place = found->second;
    live_.erase(found);
  } else if (key_.empty()) {
    unclear_.push_back({std::move(before), std::move(after)});
    return;
  } else {
    changes_.push_back({std::move(before), std::nullopt});
  }
  NetChange& one = changes_[place];
  one.after = std::move(after);
  if (one.after)
    live_.emplace(key_of(*one.after), place);
  else if (one.before)
    gone_.emplace(key_of(*one.before), place);
}

std::vector<NetChange> SavedChanges::take() {
  std::vector<NetChange> left;
  for (NetChange& one : changes_)
    if (one.before != one.after) left.push_back(std::move(one));
  changes_.clear();
  live_.clear();
  gone_.clear();
  return left;
}

}  // namespace ha
