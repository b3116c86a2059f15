// SPDX-License-Identifier: MIT
#include "common/mysql/openssl_start.h"

#include <dlfcn.h>
#include <mysql.h>

#include <cstdint>

namespace ha {

namespace {

thread_local bool put_off = false;

}  // namespace

OpensslPutOff::OpensslPutOff() { put_off = true; }

OpensslPutOff::~OpensslPutOff() { put_off = false; }

}  // namespace ha

#ifdef MARIADB_PACKAGE_VERSION_ID
// Optimization at link time does not see that the library calls it, hence "used".
extern "C" [[gnu::used]] int OPENSSL_init_ssl(std::uint64_t options, const void* settings) {
  if (ha::put_off) return 1;
  static const auto next =
      reinterpret_cast<int (*)(std::uint64_t, const void*)>(dlsym(RTLD_NEXT, "OPENSSL_init_ssl"));
  return next == nullptr ? 0 : next(options, settings);
}
#endif
