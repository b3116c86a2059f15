// SPDX-License-Identifier: MIT
#include "common/mysql/client_library.h"

#include <dlfcn.h>
#include <mysql.h>

#include <cstdint>

#include "common/mysql/login_plugins.h"

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
    return error == 0 && install_login_plugins();
  }();
  return started;
}

}  // namespace ha

#ifdef MARIADB_PACKAGE_VERSION_ID
// These stand before the functions of the same names that MariaDB's library calls when it starts, a
// fifth of what a look at three servers costs. Optimization at link time does not see these calls,
// hence "used".

// Nothing is to be prepared where no TLS is used. OpenSSL calls this itself, and reads its
// configuration, as soon as a server is to be spoken to by TLS.
extern "C" [[gnu::used]] int OPENSSL_init_ssl(std::uint64_t options, const void* settings) {
  if (ha::starting) return 1;
  static const auto next =
      reinterpret_cast<int (*)(std::uint64_t, const void*)>(dlsym(RTLD_NEXT, "OPENSSL_init_ssl"));
  return next == nullptr ? 0 : next(options, settings);
}

// The library would ask for its default port all that nsswitch.conf names. It takes 3306 where
// there is no answer, as our help promises.
extern "C" [[gnu::used]] void* getservbyname(const char* name, const char* protocol) {
  if (ha::starting) return nullptr;
  static const auto next =
      reinterpret_cast<void* (*)(const char*, const char*)>(dlsym(RTLD_NEXT, "getservbyname"));
  return next == nullptr ? nullptr : next(name, protocol);
}
#endif
