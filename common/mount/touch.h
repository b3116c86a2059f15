// SPDX-License-Identifier: MIT
// Touches a directory, which may hang for ever: only ever called in a child process
// (common/mount/probe.h).

#pragma once

#include <sys/statvfs.h>

#include <functional>
#include <string>

#include "common/mount/probe_answer.h"

namespace ha {

// Takes what statvfs() tells into the record, as df counts: what only root may fill is neither used
// nor free. File systems that have no blocks or no inodes to speak of say 0, -1, or that more are
// free than there are; more may be used than ordinary users may have, which is a negative f_bavail.
void take_usage(const struct statvfs& info, TouchRecord& record);

// Opens the directory, asks for its owner and the usage of its file system, lists it and, if so
// wanted, creates, writes, syncs, reads back and removes a file in it. Hands the record to `report`
// before the writing and at the end. Files that killed probes of this machine left behind are
// removed on the way.
void touch(const std::string& path, bool write_test,
           const std::function<void(const TouchRecord&)>& report);

}  // namespace ha
