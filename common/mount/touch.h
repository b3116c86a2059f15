// SPDX-License-Identifier: MIT
// Touches a directory, which may hang for ever: only ever called in a child process
// (common/mount/probe.h).

#pragma once

#include <functional>
#include <string>

#include "common/mount/probe_answer.h"

namespace ha {

// Opens the directory, asks for its owner and the usage of its file system, lists it and, if so
// wanted, creates, writes, syncs, reads back and removes a file in it. Hands the record to `tell`
// before the writing and at the end. Files that killed probes of this machine left behind are
// removed on the way.
void touch(const std::string& path, bool write_test,
           const std::function<void(const TouchRecord&)>& tell);

}  // namespace ha
