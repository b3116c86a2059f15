// SPDX-License-Identifier: MIT
#include "common/mysql/openssl_start.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <cstdlib>

#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

// OpenSSL starts once in a process, so this is one test.
TEST(OpensslStartTest, IsPutOffAndNotLost) {
  const TempDirectory directory;
  // OpenSSL does not start with this configuration, so it shows whether it was read.
  const std::string file =
      directory.file("openssl.cnf", "config_diagnostics = 1\nopenssl_conf = missing\n");
  setenv("OPENSSL_CONF", file.c_str(), 1);
  {
    const OpensslPutOff put_off;
    EXPECT_EQ(OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, nullptr), 1);
  }
  EXPECT_EQ(OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, nullptr), 0);
}

}  // namespace
}  // namespace ha
