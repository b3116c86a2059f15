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
namespace {

// Has a session that waits hold no buffers for records: 34 KiB, and a guard keeps a dozen open.
void release_idle_buffers(void* context) {
  constexpr int kControlMode = 33;              // SSL_CTRL_MODE
  constexpr long kReleaseBuffers = 0x00000010;  // SSL_MODE_RELEASE_BUFFERS
  static const auto control =
      reinterpret_cast<long (*)(void*, int, long, void*)>(dlsym(RTLD_DEFAULT, "SSL_CTX_ctrl"));
  if (control != nullptr) control(context, kControlMode, kReleaseBuffers, nullptr);
}

}  // namespace

// Optimization at link time does not see that the library calls it, hence "used".
extern "C" [[gnu::used]] int SSL_CTX_set_default_verify_paths(void* context) {
  release_idle_buffers(context);
  if (ha::unread) return 1;
  static const auto next =
      reinterpret_cast<int (*)(void*)>(dlsym(RTLD_NEXT, "SSL_CTX_set_default_verify_paths"));
  return next == nullptr ? 0 : next(context);
}
#endif
