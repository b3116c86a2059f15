// SPDX-License-Identifier: MIT
// Everything of the outside world that a failover touches. What decides and what carries out a plan
// gets it as one parameter and calls nothing of the system itself, so that a test or a simulator
// can be the whole world. The system's own twins are put together in common/context/posix_env.h,
// those of the unit tests are in tests/fakes/fake_env.h.
//
// A call that has not ended at its deadline is abandoned: its thread goes on until the program
// leaves by _exit(). So all of these must outlive the program's last word, and all functions may be
// called from several threads at the same time.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <istream>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/address.h"
#include "common/clock.h"
#include "common/deadline.h"
#include "common/files.h"
#include "common/process.h"
#include "common/result.h"
#include "common/workers.h"

namespace ha {

class LoginRelay;
class SqlSession;
class VipHost;
struct MysqlOptions;
struct VipOptions;
enum class LoginTls;

class Connector {
 public:
  virtual ~Connector() = default;

  // Logs in, as connect() of common/mysql/connect.h does and with its errors. Blocks as long as the
  // network does, or until the options' timeouts.
  virtual Result<std::unique_ptr<SqlSession>> connect(const MysqlOptions& options) = 0;
};

class Resolver {
 public:
  virtual ~Resolver() = default;

  // Returns the numeric addresses of a host, empty when its name does not resolve. Blocks as long
  // as the resolver does.
  virtual std::set<std::string> resolve(const std::string& host) = 0;
};

class Network : public Resolver {
 public:
  // True when a TCP connection was accepted or refused before the deadline: that host is there.
  virtual bool reach(const HostPort& place, const Deadline& deadline) = 0;

  // Returns the machine of that name, ours or another, where an address is put or taken away
  // (common/vip/vip_host.h). `vip` and `process` must outlive it.
  virtual std::unique_ptr<VipHost> open_vip_host(const VipOptions& vip, const std::string& host,
                                                 Process& process, const Deadline& deadline) = 0;

  // Listens on a port of this machine's loopback for a tool's logins to `server`
  // (common/execute/tool_login.h).
  virtual Result<std::unique_ptr<LoginRelay>> start_relay(const HostPort& server, LoginTls tls) = 0;
};

struct FileInfo {
  enum class Kind { kMissing, kRegular, kOther };  // kOther: a directory, a link, ...
  Kind kind = Kind::kMissing;
  std::uint64_t size = 0;  // bytes
};

// A file that only grows, and survives a kill at any point.
class AppendFile {
 public:
  virtual ~AppendFile() = default;

  // Appends and waits until it is on disk. After a failure nothing of it is left, or the text says
  // that it could not be repaired.
  virtual Result<Done> append(std::string_view content) = 0;

  // The same, for what is void once the machine was restarted: does not wait for the disk. The next
  // append() waits for it, too.
  virtual Result<Done> append_passing(std::string_view content) { return append(content); }

  // Cuts off what stands after the first `size` bytes.
  virtual Result<Done> truncate(std::uint64_t size) = 0;
};

// Holds a lock for as long as it lives, and no longer than the process does.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Paths are absolute. Errors name the path and the reason. Links are followed only where
// common/open_file.h allows it.
class Files {
 public:
  virtual ~Files() = default;

  virtual FileInfo info(const std::string& path) = 0;

  // Reads a file of at most `most` bytes whole, as read_file() does.
  virtual Result<std::string> read(const std::string& path, std::size_t most = kMaxFileSize) = 0;

  // Opens a file of any size to be read bit by bit. Fails with kMissing: "cannot read PATH".
  virtual Result<std::unique_ptr<std::istream>> open(const std::string& path) = 0;

  // Replaces a file: after a kill there is the old one or the new one, on disk.
  virtual Result<Done> write_atomic(const std::string& path, std::string_view content,
                                    mode_t mode = 0600) = 0;

  // The same, mode 0600, for what is void once the machine was restarted: does not wait for the
  // disk.
  virtual Result<Done> write_passing(const std::string& path, std::string_view content) {
    return write_atomic(path, content);
  }

  // Opens or creates a file, mode 0600, to append to it. Its name is on disk then.
  virtual Result<std::unique_ptr<AppendFile>> open_append(const std::string& path) = 0;

  virtual Result<Done> rename(const std::string& from, const std::string& to) = 0;

  // Removes a file; not being there is success.
  virtual Result<Done> remove(const std::string& path) = 0;

  // Removes a file or a directory with all that is in it; not being there is success.
  virtual Result<Done> remove_all(const std::string& path) = 0;

  // Makes a link at `path` to `target`.
  virtual Result<Done> link(const std::string& target, const std::string& path) = 0;

  // Returns the names in a directory, in any order.
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;

  // As the functions of the same names in common/files.h.
  virtual Result<Done> make_private_directory(const std::string& path) = 0;
  virtual Result<Done> check_private_directory(const std::string& path) = 0;

  // Fails when we may not make or replace what is at `path`, with the system's words for it alone.
  virtual Result<Done> check_replaceable(const std::string& path) = 0;

  // Returns the name of the user as whom we run.
  virtual std::string user() = 0;

  // Takes the lock of a file, which is created, and leaves there which process has it. Does not
  // wait: fails with kRefused and the process that holds it ("process 7 of this host").
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;

  // Returns the process that holds the lock of a file, empty when it is free or there is no such
  // file.
  virtual std::string lock_holder(const std::string& path) = 0;
};

// What reading servers needs of the world.
struct ProbeEnv {
  Clock& clock;
  Connector& connector;
  Resolver& resolver;
  Workers& workers;
};

struct Env : ProbeEnv {
  Env(Clock& a_clock, Connector& a_connector, Process& a_process, Files& some_files,
      Network& a_network, Workers& some_workers)
      : ProbeEnv{a_clock, a_connector, a_network, some_workers},
        process(a_process),
        files(some_files),
        network(a_network) {}

  Process& process;
  Files& files;
  Network& network;
};

}  // namespace ha
