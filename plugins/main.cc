// SPDX-License-Identifier: MIT
// The main of every binary: lets nothing but an exit code out. Secrets are hidden from the process
// list before anything is read (common/cli/arguments.h).

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

// A user who starts us with capabilities or another user's rights, as setcap and setuid give them,
// sets nothing through the environment. No variable names code that the MySQL client library would
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
int print_last(std::string_view line) {
  [[maybe_unused]] const auto written = write(STDOUT_FILENO, line.data(), line.size());
  return static_cast<int>(ha::State::kUnknown);
}

// Memory for the last words of a program that has no other left.
std::atomic<void*> reserve = nullptr;

// The first want of memory sets it free, and what is still to be printed gets it.
// Several threads may be in want at the same time.
void use_reserve() {
  std::set_new_handler(nullptr);
  std::free(reserve.exchange(nullptr));
  throw std::bad_alloc();
}

// An exception that is not caught, such as in a thread of a library, must not end us by abort().
[[noreturn]] void give_up() { _exit(print_last("UNKNOWN - internal error\n")); }

// Before anything of ours or of a library runs, for that may fail already.
[[gnu::constructor(101)]] void prepare_to_give_up() { std::set_terminate(give_up); }

int run(ha::Clock& clock, int argc, char** argv) {
  try {
    reserve = std::malloc(1u << 16);
    std::set_new_handler(use_reserve);
    distrust_environment();
    const ha::Arguments arguments(argc, argv);
    forbid_cores();
    reset_signals();
    try {
      return ha::plugin_main(clock, arguments);
    } catch (const std::bad_alloc&) {
      return ha::report_internal_error(HA_BINARY, arguments.words(), "out of memory");
    } catch (const std::system_error& error) {  // no thread is left
      return ha::report_internal_error(HA_BINARY, arguments.words(),
                                       std::string(error.what()) + ha::kOwnWant);
    } catch (const std::exception& error) {
      return ha::report_internal_error(HA_BINARY, arguments.words(), error.what());
    }
  } catch (const std::bad_alloc&) {
    return print_last("UNKNOWN - out of memory (an error of this machine)\n");
  } catch (...) {
    return print_last("UNKNOWN - internal error\n");
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
