// SPDX-License-Identifier: MIT
#include "common/mysql/client_library.h"

#include <dlfcn.h>
#include <mysql.h>

#include <cstdint>

namespace ha {

namespace {

// True in the thread that starts the library, for as long as it does.
thread_local bool starting = false;

}  // namespace

bool start_client_library() {
  static const bool started = [] {
    starting = true;
    const int error = mysql_library_init(0, nullptr, nullptr);
    starting = false;
    return error == 0;
  }();
  return started;
}

}  // namespace ha

#ifdef MARIADB_PACKAGE_VERSION_ID
// Stands before OpenSSL's function of this name, which MariaDB's library calls when it starts: a
// sixth of what a look at three servers costs, for nothing where no TLS is used. OpenSSL calls it
// itself, and reads its configuration, as soon as a server is to be spoken to by TLS. Optimization
// at link time does not see these calls, hence "used".
extern "C" [[gnu::used]] int OPENSSL_init_ssl(std::uint64_t options, const void* settings) {
  if (ha::starting) return 1;
  static const auto next =
      reinterpret_cast<int (*)(std::uint64_t, const void*)>(dlsym(RTLD_NEXT, "OPENSSL_init_ssl"));
  return next == nullptr ? 0 : next(options, settings);
}
#endif
