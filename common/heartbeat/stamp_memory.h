// SPDX-License-Identifier: MIT
// What earlier runs have seen of local times in the hour that the end of summer time repeats. In
// all other hours nothing is written.

#pragma once

#include <map>
#include <string>

#include "common/mysql/local_stamp.h"
#include "common/result.h"

namespace ha {

class StampMemory {
 public:
  StampMemory() = default;  // remembers nothing

  // Reads what is known of the heartbeat `name` in the directory, which is made if it is not there;
  // what is damaged is not known. Fails when the directory cannot be had, as
  // make_private_directory() does.
  static Result<StampMemory> load(const std::string& directory, const std::string& name);

  // Returns the age of a row's stamp, and remembers it.
  StampAge age_of(const std::string& row, const LocalStamp& stamp);

  // Writes down what was seen, if any stamp had two readings. Fails with the path and the reason.
  Result<Done> save() const;

 private:
  std::string path_ = {};
  std::map<std::string, SeenStamp> known_ = {}, seen_ = {};
};

}  // namespace ha
