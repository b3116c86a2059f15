// SPDX-License-Identifier: MIT
// Faults on the side of a program under test, preloaded into it; the program knows nothing of them.
//   KILL_AT=N KILL_WHEN=before|after   it ends, as in a power cut, at the N-th time that it appends
//   to
//                                      a file: before, when what it did not sync is lost, or after
//   REFUSED_PORT=N                     nobody listens at this port any more, as far as it can tell
//   UNASKED_PORT=N                     this machine has no port left to connect to this one from
//   IPV6_OFF=1                         each host has an IPv6 address too, to be tried last, and
//                                      this machine has none
//   CLOCK_AHEAD=N                      the wall clock shows so many seconds more
//   NO_SOCKETS=1                       this machine has no descriptor left for one more socket
//   NO_CHILDREN=1                      this machine has no process or thread left for one more
//   MEMORY_ENDS_AT=N                   no memory is had from the N-th call on that asks for any
//   WATCHDOG_FIFO=1                    a FIFO is a watchdog, to which the timeout is written as a
//   byte

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace {

int number(const char* variable) {
  const char* const value = getenv(variable);
  return value == nullptr ? -1 : atoi(value);
}

template <class Function>
Function original(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

namespace {

off_t on_disk = 0;  // the program syncs one file only

bool appends_to(int fd) {
  struct stat status = {};
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (fcntl(fd, F_GETFL) & O_APPEND) != 0;
}

}  // namespace

extern "C" ssize_t write(int fd, const void* content, size_t size) {
  static int calls = 0;
  const auto really = original<ssize_t (*)(int, const void*, size_t)>("write");
  if (getenv("KILL_AT") == nullptr || !appends_to(fd) || ++calls != number("KILL_AT"))
    return really(fd, content, size);
  if (strcmp(getenv("KILL_WHEN"), "before") == 0) {
    if (ftruncate(fd, on_disk) != 0) abort();
  } else if (really(fd, content, size) < 0) {
    abort();
  }
  raise(SIGKILL);
  return -1;
}

extern "C" int fdatasync(int fd) {
  const int result = original<int (*)(int)>("fdatasync")(fd);
  struct stat status = {};
  if (fstat(fd, &status) == 0) on_disk = status.st_size;
  return result;
}

extern "C" int clock_gettime(clockid_t clock, timespec* time) {
  const int result = original<int (*)(clockid_t, timespec*)>("clock_gettime")(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME && getenv("CLOCK_AHEAD") != nullptr)
    time->tv_sec += number("CLOCK_AHEAD");
  return result;
}

extern "C" void* __libc_malloc(size_t size);
extern "C" void* __libc_calloc(size_t count, size_t size);
extern "C" void* __libc_realloc(void* memory, size_t size);

namespace {

bool has_memory() {
  static const int end = number("MEMORY_ENDS_AT");
  static std::atomic<int> calls = 0;
  if (end < 0 || ++calls < end) return true;
  errno = ENOMEM;
  return false;
}

}  // namespace

extern "C" void* malloc(size_t size) { return has_memory() ? __libc_malloc(size) : nullptr; }

extern "C" void* calloc(size_t count, size_t size) {
  return has_memory() ? __libc_calloc(count, size) : nullptr;
}

extern "C" void* realloc(void* memory, size_t size) {
  return has_memory() ? __libc_realloc(memory, size) : nullptr;
}

extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  if (request != WDIOC_SETTIMEOUT || getenv("WATCHDOG_FIFO") == nullptr)
    return original<int (*)(int, unsigned long, void*)>("ioctl")(fd, request, argument);
  const char seconds = static_cast<char>(*static_cast<int*>(argument));
  return write(fd, &seconds, 1) == 1 ? 0 : -1;
}

extern "C" pid_t fork() {
  if (getenv("NO_CHILDREN") == nullptr) return original<pid_t (*)()>("fork")();
  errno = EAGAIN;
  return -1;
}

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* how, void* (*run)(void*),
                              void* argument) {
  if (getenv("NO_CHILDREN") != nullptr) return EAGAIN;
  return original<decltype(&pthread_create)>("pthread_create")(thread, how, run, argument);
}

extern "C" int posix_spawnp(pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions,
                            const posix_spawnattr_t* how, char* const argv[], char* const env[]) {
  if (getenv("NO_CHILDREN") != nullptr) return EAGAIN;
  return original<decltype(&posix_spawnp)>("posix_spawnp")(pid, file, actions, how, argv, env);
}

extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  const int result = original<decltype(&getaddrinfo)>("getaddrinfo")(host, service, hints, found);
  if (result != 0 || getenv("IPV6_OFF") == nullptr) return result;
  struct Entry {
    addrinfo info;
    sockaddr_in6 address;
  };
  auto* const last = static_cast<Entry*>(malloc(sizeof(Entry)));  // freeaddrinfo() frees each
  if (last == nullptr) return EAI_MEMORY;
  last->info = **found;
  last->info.ai_family = AF_INET6;
  last->info.ai_addrlen = sizeof last->address;
  last->info.ai_addr = reinterpret_cast<sockaddr*>(&last->address);
  last->info.ai_canonname = nullptr;
  last->info.ai_next = nullptr;
  last->address = {};
  last->address.sin6_family = AF_INET6;
  last->address.sin6_addr = in6addr_loopback;
  last->address.sin6_port = htons(static_cast<uint16_t>(service == nullptr ? 0 : atoi(service)));
  addrinfo* end = *found;
  while (end->ai_next != nullptr) end = end->ai_next;
  end->ai_next = &last->info;
  return result;
}

extern "C" int socket(int domain, int type, int protocol) noexcept {
  if (getenv("NO_SOCKETS") != nullptr && (domain == AF_INET || domain == AF_INET6)) {
    errno = EMFILE;
    return -1;
  }
  return original<int (*)(int, int, int)>("socket")(domain, type, protocol);
}

extern "C" int connect(int fd, const sockaddr* address, socklen_t size) {
  if (address->sa_family == AF_INET) {
    sockaddr_in ipv4;
    memcpy(&ipv4, address, sizeof ipv4);
    if (ntohs(ipv4.sin_port) == number("REFUSED_PORT")) {
      errno = ECONNREFUSED;
      return -1;
    }
    if (ntohs(ipv4.sin_port) == number("UNASKED_PORT")) {
      errno = EADDRNOTAVAIL;
      return -1;
    }
  }
  if (address->sa_family == AF_INET6 && getenv("IPV6_OFF") != nullptr) {
    errno = EADDRNOTAVAIL;
    return -1;
  }
  return original<int (*)(int, const sockaddr*, socklen_t)>("connect")(fd, address, size);
}
