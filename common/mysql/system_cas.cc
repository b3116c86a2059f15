// SPDX-License-Identifier: MIT
#include "common/mysql/system_cas.h"

#include <dlfcn.h>
#include <mysql.h>

namespace ha {

namespace {

thread_local bool unread = false;

}  // namespace

SystemCas::SystemCas(Use use) { unread = use == Use::kNone; }

SystemCas::~SystemCas() { unread = false; }

}  // namespace ha

#ifdef MARIADB_PACKAGE_VERSION_ID
// Optimization at link time does not see that the library calls it, hence "used".
extern "C" [[gnu::used]] int SSL_CTX_set_default_verify_paths(void* context) {
  if (ha::unread) return 1;
  static const auto next =
      reinterpret_cast<int (*)(void*)>(dlsym(RTLD_NEXT, "SSL_CTX_set_default_verify_paths"));
  return next == nullptr ? 0 : next(context);
}
#endif
