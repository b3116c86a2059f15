// SPDX-License-Identifier: MIT
// The main of every binary: hides secrets first, lets nothing but an exit code out.

#include <signal.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

#include "common/cli.h"
#include "common/machine.h"

namespace {

// A core would hold the password. One byte instead of none, because the kernel takes 1 for "no
// core" even where cores go into a pipe (core(5), fs/coredump.c).
void forbid_cores() {
  rlimit limit = {};
  getrlimit(RLIMIT_CORE, &limit);
  limit.rlim_cur = limit.rlim_max == 0 ? 0 : 1;
  setrlimit(RLIMIT_CORE, &limit);
}

// Whoever starts us with capabilities or another user's rights, as setcap and setuid give them,
// says nothing through the environment. Nobody names code there that the MySQL client library would
// load, ours or that of a program that we start.
void distrust_environment() {
  if (getauxval(AT_SECURE) != 0) {
    clearenv();
    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
  }
  for (const char* name :
       {"MARIADB_PLUGIN_DIR", "LIBMYSQL_PLUGINS", "LIBMYSQL_PLUGIN_DIR",
        "LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN", "MARIADB_TLS_DISABLE_PEER_VERIFICATION"})
    unsetenv(name);
}

// An engine may hand down what it blocks or ignores.
void reset_signals() {
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  sigprocmask(SIG_UNBLOCK, &alarm, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

// Prints a line without asking for memory; returns the exit code.
int say(std::string_view line) {
  constexpr int kUnknown = 3;
  [[maybe_unused]] const auto written = write(STDOUT_FILENO, line.data(), line.size());
  return kUnknown;
}

// Memory for the last words of a program that has no other left.
std::atomic<void*> reserve = nullptr;

// The first want of memory sets it free; whoever asks then gets what is still to be said printed.
// Several threads may be in want at the same time.
void use_reserve() {
  std::set_new_handler(nullptr);
  std::free(reserve.exchange(nullptr));
  throw std::bad_alloc();
}

// An exception that nobody catches, such as in a thread of a library, must not end us by abort().
[[noreturn]] void give_up() { _exit(say("UNKNOWN - internal error\n")); }

// Before anything of ours or of a library runs, for that may fail already.
[[gnu::constructor(101)]] void prepare_to_give_up() { std::set_terminate(give_up); }

int run(ha::Clock& clock, int argc, char** argv) {
  try {
    reserve = std::malloc(1u << 16);
    std::set_new_handler(use_reserve);
    distrust_environment();
    const std::vector<std::string> args = ha::take_arguments(argc, argv);
    forbid_cores();
    reset_signals();
    try {
      return ha::plugin_main(clock, args);
    } catch (const std::bad_alloc&) {
      return ha::report_internal_error(HA_BINARY, args, "out of memory");
    } catch (const std::system_error& error) {  // no thread is left
      return ha::report_internal_error(HA_BINARY, args, std::string(error.what()) + ha::kOwnWant);
    } catch (const std::exception& error) {
      return ha::report_internal_error(HA_BINARY, args, error.what());
    }
  } catch (const std::bad_alloc&) {
    return say("UNKNOWN - out of memory (an error of this machine)\n");
  } catch (...) {
    return say("UNKNOWN - internal error\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  // Here, because what was abandoned still asks it.
  ha::SystemClock clock;
  const int exit_code = run(clock, argc, argv);
  std::fflush(nullptr);
  // Not exit(): the libraries' own cleaning up would run beside whatever was abandoned on purpose,
  // where it may hang or crash after the answer is out, and costs a sixteenth of a run.
  _exit(exit_code);
}
