// SPDX-License-Identifier: MIT
// A world in memory: each part of common/env.h, and all of them together. Nothing waits, work is
// done one after the other in its order.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "common/env.h"
#include "common/execute/tool_login.h"
#include "common/mysql/session.h"
#include "common/vip/vip_host.h"

namespace ha {

// A clock that only waits move.
class FakeClock : public Clock {
 public:
  double now_s() const override { return time_s; }
  double monotonic_s() const override { return time_s; }
  bool sleep(double seconds) override {
    time_s += seconds;
    return !stop;
  }
  void pause(double seconds) override { time_s += seconds; }
  bool stopping() override { return stop; }
  Moment moment() const override { return {time_s, time_s, "boot"}; }

  double time_s = 1000;
  bool stop = false;
};

// Servers by host; one that is not here does not answer.
class FakeConnector : public Connector {
 public:
  using Server = std::function<Result<std::unique_ptr<SqlSession>>(const MysqlOptions&)>;

  Result<std::unique_ptr<SqlSession>> connect(const MysqlOptions& options) override {
    const auto server = servers.find(options.host);
    if (server == servers.end())
      return Error{Errc::kUnreachable, "cannot connect to " + options.host, 2002};
    return server->second(options);
  }

  std::map<std::string, Server> servers;
};

// Programs by argv[0]; another one is not there. Records what was run.
class FakePrograms : public Process {
 public:
  Result<ProcessOutcome> run(const Command& command, const Deadline&) override {
    ran.push_back(command);
    const auto program = programs.find(command.argv[0]);
    if (program == programs.end())
      return Error{Errc::kMissing, "cannot run " + command.argv[0] + ": no such file"};
    return program->second(command);
  }

  std::map<std::string, std::function<ProcessOutcome(const Command&)>> programs;
  std::vector<Command> ran;
};

// Files by path. Every directory is there and ours.
class MemoryFiles : public Files {
 public:
  FileInfo info(const std::string& path) override {
    const auto file = files.find(path);
    if (file == files.end()) return {};
    return {FileInfo::Kind::kRegular, file->second.size()};
  }
  Result<std::string> read(const std::string& path, std::size_t) override {
    const auto file = files.find(path);
    if (file == files.end()) return missing("read", path);
    return file->second;
  }
  Result<std::unique_ptr<std::istream>> open(const std::string& path) override {
    const auto content = read(path, 0);
    if (!content) return Error{Errc::kMissing, "cannot read " + path};
    return std::unique_ptr<std::istream>(std::make_unique<std::istringstream>(*content));
  }
  Result<Done> write_atomic(const std::string& path, std::string_view content, mode_t) override {
    if (full) return no_space(path);
    files[path] = content;
    return Done{};
  }
  Result<std::unique_ptr<AppendFile>> open_append(const std::string& path) override {
    files.try_emplace(path);
    return std::unique_ptr<AppendFile>(std::make_unique<Appended>(*this, path));
  }
  Result<Done> rename(const std::string& from, const std::string& to) override {
    auto file = files.extract(from);
    if (file.empty()) return missing("rename", from);
    files[to] = std::move(file.mapped());
    return Done{};
  }
  Result<Done> remove(const std::string& path) override {
    files.erase(path);
    return Done{};
  }
  Result<Done> remove_all(const std::string& path) override {
    std::erase_if(files, [&](const auto& file) {
      return file.first == path || file.first.starts_with(path + "/");
    });
    return Done{};
  }
  Result<Done> link(const std::string& target, const std::string& path) override {
    files[path] = "-> " + target;
    return Done{};
  }
  Result<std::vector<std::string>> list(const std::string& directory) override {
    const std::string above = directory.ends_with('/') ? directory : directory + "/";
    std::set<std::string> names;
    for (const auto& [path, content] : files)
      if (path.starts_with(above)) {
        const std::string rest = path.substr(above.size());
        names.insert(rest.substr(0, rest.find('/')));
      }
    return std::vector<std::string>(names.begin(), names.end());
  }
  Result<Done> make_private_directory(const std::string&) override { return Done{}; }
  Result<Done> check_private_directory(const std::string&) override { return Done{}; }
  Result<Done> check_replaceable(const std::string&) override { return Done{}; }
  std::string user() override { return "nagios"; }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    if (const std::string holder = lock_holder(path); !holder.empty())
      return Error{Errc::kRefused, holder};
    locked.insert(path);
    return std::unique_ptr<FileLock>(std::make_unique<Held>(*this, path));
  }
  std::string lock_holder(const std::string& path) override {
    return locked.contains(path) ? "process 7 of this host" : "";
  }

  std::map<std::string, std::string> files;
  std::set<std::string> locked;
  bool full = false;  // the disk

 private:
  class Appended : public AppendFile {
   public:
    Appended(MemoryFiles& all, std::string path) : all_(all), path_(std::move(path)) {}
    Result<Done> append(std::string_view content) override {
      if (all_.full) return no_space(path_);
      all_.files[path_] += content;
      return Done{};
    }
    Result<Done> truncate(std::uint64_t size) override {
      all_.files[path_].resize(size);
      return Done{};
    }

   private:
    MemoryFiles& all_;
    std::string path_;
  };
  class Held : public FileLock {
   public:
    Held(MemoryFiles& all, std::string path) : all_(all), path_(std::move(path)) {}
    ~Held() override { all_.locked.erase(path_); }

   private:
    MemoryFiles& all_;
    std::string path_;
  };

  static Error missing(const std::string& what, const std::string& path) {
    return {Errc::kMissing, "cannot " + what + " " + path + ": No such file or directory"};
  }
  static Error no_space(const std::string& path) {
    return {Errc::kInternal, "cannot write " + path + ": No space left on device"};
  }
};

// Hosts that are here are reached, by an address that is their name.
class FakeNetwork : public Network {
 public:
  std::set<std::string> resolve(const std::string& host) override { return {host}; }
  bool reach(const HostPort& place, const Deadline&) override { return hosts.contains(place.host); }
  std::unique_ptr<VipHost> open_vip_host(const VipOptions&, const std::string& host, Process&,
                                         const Deadline&) override {
    return machine ? machine(host) : nullptr;
  }
  Result<std::unique_ptr<LoginRelay>> start_relay(const HostPort&, LoginTls tls) override {
    if (!relay) return Error{Errc::kInternal, "no port is left"};
    return relay(tls);
  }

  std::set<std::string> hosts;
  std::function<std::unique_ptr<VipHost>(const std::string& host)> machine;
  std::function<std::unique_ptr<LoginRelay>(LoginTls tls)> relay;
};

class InlineWorkers : public Workers {
 public:
  std::vector<End> for_all(std::size_t count, const Deadline&, Work work) override {
    for (std::size_t i = 0; i < count; ++i) work(i);
    return std::vector(count, End::kDone);
  }
  Result<std::unique_ptr<Job>> start(std::function<void()> work) override {
    work();
    return std::unique_ptr<Job>(std::make_unique<Ended>());
  }

 private:
  class Ended : public Job {
   public:
    bool wait(const Deadline&) override { return true; }
  };
};

struct FakeWorld {
  FakeClock clock;
  FakeConnector connector;
  FakePrograms programs;
  MemoryFiles files;
  FakeNetwork network;
  InlineWorkers workers;
  Env env{clock, connector, programs, files, network, workers};
};

}  // namespace ha
