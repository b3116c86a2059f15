// SPDX-License-Identifier: MIT
// The processes of this machine, as /proc shows them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ha {

// Returns the ids of all processes, in the words of /proc.
std::vector<std::string> process_ids();

// False when /proc hides processes of others from us (hidepid, ProtectProc=) or is not there: that
// a process is not seen proves nothing then.
bool all_processes_are_seen();

// Reads one of the files in a process's directory; empty when the process is gone.
std::string process_file(const std::string& id, const char* name);

// Returns the fields of a process's `stat` that follow its name: the state first (field 3 of
// proc(5)). None when the process is gone.
std::vector<std::string> process_stat(const std::string& id);

// Returns when a process was started, in clock ticks since the boot; nothing when it is gone, or is
// only the rest of one that has ended (a zombie).
std::optional<std::uint64_t> started_at(const std::string& id);

// True for a process that exists and is no zombie.
bool is_running(const std::string& id);

}  // namespace ha
