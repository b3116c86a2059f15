// SPDX-License-Identifier: MIT
// OpenSSL's start, put off until a server is spoken to by TLS.
//
// MariaDB's client library starts OpenSSL and reads its configuration whenever it starts itself,
// and most logins use no TLS. None of its options keeps it from that, and OPENSSL_CONF does not
// help: a configuration that is not read then is never read. So openssl_start.cc has a function of
// the same name as OpenSSL's OPENSSL_init_ssl, which the dynamic linker gives to the library
// instead. OpenSSL calls its own as soon as TLS is used.
//
// A check without TLS needs 4.9 million instructions with it and 7.2 without (a release build on
// Debian 12). To measure: run check_mysql_replication_threads on a server without TLS under
// valgrind --tool=callgrind, with and without the function.

#pragma once

namespace ha {

// While it lives, the calls of this thread start nothing.
class OpensslPutOff {
 public:
  OpensslPutOff();
  ~OpensslPutOff();
  OpensslPutOff(const OpensslPutOff&) = delete;
  OpensslPutOff& operator=(const OpensslPutOff&) = delete;
};

}  // namespace ha
