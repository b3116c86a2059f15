// SPDX-License-Identifier: MIT
// Asks mounts whether they are alive, by child processes that can be given up: a dead NFS server
// holds the process that touches its mount in the kernel, where no signal and no timer ends the
// wait. One child per mount, all at the same time; what has not answered by the deadline is killed
// and left to die when it can.
//
// At most one such child per mount exists, however many runs there are: the child holds a lock
// file named after the mount's id. Where no file can be kept it is looked for among the processes,
// by its name.

#pragma once

#include <string>
#include <vector>

#include "common/deadline.h"
#include "common/mount/probe_answer.h"

namespace ha {

struct ProbeTarget {
  int mount_id = 0;  // what hangs together is probed by one child, in this order
  std::string path;
  bool write_test = false;
};

// Probes all targets; the answers are in the targets' order. `state_directory` belongs to us alone
// and is local; empty: there is none.
std::vector<ProbeAnswer> probe_mounts(const std::vector<ProbeTarget>& targets,
                                      const std::string& state_directory, const Deadline& deadline);

}  // namespace ha
