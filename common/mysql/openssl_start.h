// SPDX-License-Identifier: MIT
// OpenSSL's start, put off until a server is spoken to by TLS.
//
// MariaDB's client library starts OpenSSL and reads its configuration whenever it starts itself, and
// most logins use no TLS. None of its options keeps it from that, and OPENSSL_CONF does not help: a
// configuration that is not read then is never read. So openssl_start.cc has a function of the same
// name as OpenSSL's OPENSSL_init_ssl, which the dynamic linker gives to the library instead. OpenSSL
// calls its own as soon as TLS is used.
//
// It saves 2.3 million instructions of each run without TLS, where a whole check without it needs 15
// (Debian 12). To measure: run check_mysql_replication_threads with --ssl-mode disabled under
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
