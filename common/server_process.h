// SPDX-License-Identifier: MIT
// The process of a database server on this machine, told from every other process by its program
// and by the port on which it listens: a file that names it may be old, and ids are given again.

#pragma once

#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "common/open_file.h"
#include "common/process.h"
#include "common/result.h"

namespace ha {

// As Process::find_server().
Result<ServerProcess> find_server_process(int id, unsigned port);

// Tells again and again, which costs little, whether one process is there.
class ProcessWatch {
 public:
  // As Process::is_running(). May be called from several threads.
  bool is_running(const ServerProcess& process);

 private:
  std::mutex mutex_;
  ServerProcess process_ = {};  // that was asked for last
  Descriptor handle_{};  // by which the system knows it, whatever becomes of its id; -1: none
};

// As Process::kill_server().
Result<Done> kill_process(const ServerProcess& process);

// True for the path of a dynamic loader (ld.so(8)), by which a program may be started.
bool is_loader(std::string_view path);

// Returns the program that a loader was told to start, of its words as /proc/ID/cmdline shows them;
// empty: there is none.
std::string find_loaded(std::string_view command_line);

// Returns the inodes of the sockets that listen on a port, of a table as /proc/net/tcp shows it.
std::set<std::string> find_listeners(std::string_view table, unsigned port);

}  // namespace ha
