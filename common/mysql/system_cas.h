// SPDX-License-Identifier: MIT
// The system's CA certificates: a login that verifies none does not read them.
//
// MariaDB's client library reads all of them for each login by TLS that has no CA of its own, under
// a lock, and none of its options keeps it from that. So system_cas.cc has a function of the same
// name as OpenSSL's SSL_CTX_set_default_verify_paths, which the dynamic linker gives to the library
// instead. It also has the sessions of that context hold no buffers while they wait.
//
// A check that logs in by TLS needs 23 million instructions with it and 262 without (a release
// build on Debian 12, 144 certificates). To measure: run check_mysql_replication_threads -t 500 on
// a server with TLS and --connect-timeout=600 under valgrind --tool=callgrind, with and without the
// function.
//
// SSL_CERT_FILE and SSL_CERT_DIR, empty in the environment, save as much, but hold for the whole
// process: logins run in threads, some of which verify and some of which are abandoned, so that no
// moment is safe to set or to undo them; and what we start would inherit them.

#pragma once

namespace ha {

// Decides for the logins that this thread makes while it lives.
class SystemCas {
 public:
  enum class Use { kVerify, kNone };

  explicit SystemCas(Use use);
  ~SystemCas();
  SystemCas(const SystemCas&) = delete;
  SystemCas& operator=(const SystemCas&) = delete;
};

}  // namespace ha
