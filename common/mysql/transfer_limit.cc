// SPDX-License-Identifier: MIT
#include "common/mysql/transfer_limit.h"

#include <mysql.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef MARIADB_PACKAGE_VERSION_ID
// Exported by the library, declared in a header that is not for its users.
extern "C" int ma_pvio_register_callback(my_bool add,
                                         void (*callback)(int, MYSQL*, const unsigned char*,
                                                          std::size_t));
#endif

namespace ha {

int socket_of(void* mysql) {
#ifdef MARIADB_PACKAGE_VERSION_ID
  return static_cast<int>(mysql_get_socket(static_cast<MYSQL*>(mysql)));
#else
  return static_cast<int>(static_cast<MYSQL*>(mysql)->net.fd);
#endif
}

thread_local TransferLimit* TransferLimit::current_ = nullptr;

TransferLimit::TransferLimit(void* mysql, std::size_t bytes, unsigned seconds)
    : mysql_(mysql), left_(bytes), seconds_(seconds) {
#ifdef MARIADB_PACKAGE_VERSION_ID
  [[maybe_unused]] static const int registered = ma_pvio_register_callback(
      1, [](int written, MYSQL* session, const unsigned char*, std::size_t size) {
        if (written == 0) after_read(session, size);
      });
#endif
  if (seconds != 0) end_ = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  current_ = this;
}

TransferLimit::~TransferLimit() { current_ = nullptr; }

void TransferLimit::check() {
  if (end_ && std::chrono::steady_clock::now() >= *end_) cut(Excess::kTime);
}

void TransferLimit::cut(Excess excess) {
  if (excess_ != Excess::kNone) return;
  excess_ = excess;
  const int fd = socket_of(mysql_);
  shutdown(fd, SHUT_RDWR);
  // What a TCP peer goes on sending would still be read; this throws it away.
  const sockaddr no_peer = {AF_UNSPEC, {}};
  connect(fd, &no_peer, sizeof no_peer);
}

void TransferLimit::after_read(const void* mysql, std::size_t size) {
  TransferLimit* const limit = current_;
  const auto got = static_cast<ssize_t>(size);
  if (got <= 0 || limit == nullptr || limit->mysql_ != mysql) return;
  if (size > limit->left_) return limit->cut(Excess::kBytes);
  limit->left_ -= size;
  limit->check();
}

}  // namespace ha
