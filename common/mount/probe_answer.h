// SPDX-License-Identifier: MIT
// What a probe of a directory came to.

#pragma once

#include <cstdint>
#include <string>

namespace ha {

enum class TouchStep { kOpen, kStat, kUsage, kList, kCreate, kWrite, kReadBack, kRemove };

// What was found: of a fixed size, because it travels through a pipe.
struct TouchRecord {
  bool finished = false;              // false: more was to come
  TouchStep step = TouchStep::kOpen;  // the one that failed
  int error = 0;                      // its errno; 0: none failed
  bool wrong_data = false;            // something else was read than had been written

  bool has_owner = false;
  std::uint32_t uid = 0, gid = 0, mode = 0;

  // False: the file system does not tell, or not what can be.
  bool has_usage = false, has_inodes = false;
  bool no_space = false, no_inode = false;  // nothing is left for ordinary users
  double used_percent = 0;                  // over 100 where the reserve for root is in use
  double used_of_all_percent = 0;           // the reserve counts as free
  double inodes_used_percent = 0;
  bool wrote = false;       // the write test could make a file and fill it
  bool privileged = false;  // as root, for whom there may be a reserve

  std::uint32_t entries = 0;  // in the directory, at most kMaxEntries

  double seconds = 0;  // that all of it took
};

inline constexpr std::uint32_t kMaxEntries = 100;

struct ProbeAnswer {
  enum class End {
    kAnswered,
    kHangs,       // nothing by the deadline
    kOlderHangs,  // so does the probe of an earlier run: there was no new one
    kImpossible,  // no process could be made, or it died
  };
  End end = End::kHangs;
  TouchRecord record = {};  // of a hanging one: what it told before
  double waited_s = 0;      // since the probe, or the older one, was started
  std::string error = {};   // why it was impossible
};

}  // namespace ha
