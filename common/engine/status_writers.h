// SPDX-License-Identifier: MIT
// Which processes write one status file. Two daemons on the same configuration write it in turns:
// each look finds a sound file, and each command reaches one of them.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace ha {

class StatusWriters {
 public:
  // Takes in what an earlier run has written by text(); lines that are not understood are dropped.
  void load(std::string_view text);

  // Notes the process that the file names, if it lives on this machine.
  void add(std::int64_t pid);

  // Says that another living process has written the file too, or runs on the same configuration as
  // the one that was added last; empty when none does. Only a process of the same program and user
  // counts: a file from another machine names numbers that belong to any processes of this one.
  std::string conflict() const;

  // Returns those that live, for the next run.
  std::string text() const;

 private:
  std::map<std::string, std::uint64_t> started_ = {};  // process id to its start, in clock ticks
  std::string last_ = {};
};

}  // namespace ha
