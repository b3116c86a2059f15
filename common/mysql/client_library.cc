// SPDX-License-Identifier: MIT
#include "common/mysql/client_library.h"

#include <mysql.h>

#include "common/mysql/login_plugins.h"
#include "common/mysql/openssl_start.h"

namespace ha {

bool start_client_library() {
  static const bool started = [] {
    const OpensslPutOff put_off;
    return mysql_library_init(0, nullptr, nullptr) == 0 && install_login_plugins();
  }();
  return started;
}

}  // namespace ha
