// SPDX-License-Identifier: MIT
// The system's CA certificates: a login that verifies none does not read them.
//
// MariaDB's client library reads all of them for each login by TLS that has no CA of its own, under
// a lock, and none of its options keeps it from that. So system_cas.cc has a function of the name of
// OpenSSL's SSL_CTX_set_default_verify_paths, which the dynamic linker gives to the library instead.

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
