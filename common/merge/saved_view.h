// SPDX-License-Identifier: MIT
// Shows people, or programs, what a run has saved of a diverged node: changes of rows by table, and
// what was logged as statements.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/merge/saved_file.h"

namespace ha {

class SavedView {
 public:
  explicit SavedView(SavedFile file) : file_(std::move(file)) {}
  virtual ~SavedView() = default;

  virtual Result<Done> add_row(const LoggedTable& table, const RowChange& change) = 0;
  virtual Result<Done> add_statement(const SavedStatement& statement) = 0;
  // Tells what there was in all; with `error`, up to where the file was read.
  virtual void end(const SavedTextCounts& counts, const std::string& error) = 0;

 protected:
  SavedFile file_;
};

using Print = std::function<void(std::string_view)>;

// Text by table, the first hundred changes of each.
std::unique_ptr<SavedView> text_view(SavedFile file, Print print);

// One JSON object with all changes in the order of the log.
std::unique_ptr<SavedView> json_view(SavedFile file, Print print);

// Returns the statement as it may be shown, shortened, without passwords.
std::string shown_statement(const SavedStatement& statement);

}  // namespace ha
