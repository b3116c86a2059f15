// SPDX-License-Identifier: MIT
#include "common/mysql/system_cas.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <cstdlib>
#include <memory>
#include <thread>

#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

constexpr char kCa[] = R"(-----BEGIN CERTIFICATE-----
MIIBbzCCARWgAwIBAgIUbH6W8PMxHRaQMDa08JZvvydmiUAwCgYIKoZIzj0EAwIw
DTELMAkGA1UEAwwCY2EwHhcNMjYxMTMwMDE1OTA3WhcNMzYxMTI3MDE1OTA3WjAN
MQswCQYDVQQDDAJjYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABC5n3hormSMT
LKtmytrIroDm+3qCldWu1IkTJBtdUlMSDTqEZq7mMIHNiz21+3lvjqN8vkLaWozp
Fr0I3FWxZIujUzBRMB0GA1UdDgQWBBR+4dcJTuXpUmsAGRhyqxb0QR/NdjAfBgNV
HSMEGDAWgBR+4dcJTuXpUmsAGRhyqxb0QR/NdjAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0gAMEUCIBLkLU+Y4rzzB8amUBLfuC/NmB2bLg6V2r+GZ+dhEPF6
AiEA/VlCNixcsmV8g0HC9Zy401BsHDDq66CU17g8O8wSUqI=
-----END CERTIFICATE-----
)";

class SystemCasTest : public testing::Test {
 protected:
  SystemCasTest() { setenv("SSL_CERT_FILE", directory_.file("ca.pem", kCa).c_str(), 1); }
  ~SystemCasTest() override { unsetenv("SSL_CERT_FILE"); }

  // Returns how many certificates OpenSSL read when it was asked for the system's.
  static int read_cas() {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
    EXPECT_EQ(SSL_CTX_set_default_verify_paths(context.get()), 1);
    return sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(context.get())));
  }

 private:
  TempDirectory directory_;
};

TEST_F(SystemCasTest, AreReadWhereTheyMatter) {
  EXPECT_EQ(read_cas(), 1);
  const SystemCas cas(SystemCas::Use::kVerify);
  EXPECT_EQ(read_cas(), 1);
}

TEST_F(SystemCasTest, AreNotReadWhereNothingIsVerified) {
  {
    const SystemCas cas(SystemCas::Use::kNone);
    EXPECT_EQ(read_cas(), 0);
  }
  EXPECT_EQ(read_cas(), 1) << "only while it lives";
}

TEST_F(SystemCasTest, EachThreadDecidesForItself) {
  const SystemCas cas(SystemCas::Use::kNone);
  int elsewhere = 0;
  std::thread([&] { elsewhere = read_cas(); }).join();
  EXPECT_EQ(elsewhere, 1);
}

}  // namespace
}  // namespace ha
