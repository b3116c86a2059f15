// SPDX-License-Identifier: MIT
#include "common/http/transfer.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

namespace ha {
namespace {

// What ended before the deadline would be tried again, with no time for an answer.
TEST(TransferTest, ASilentServerIsWaitedForToTheDeadline) {
  ASSERT_TRUE(load_curl());
  const SystemClock clock;
  const int silent = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(silent, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(silent, 50), 0);
  ASSERT_EQ(getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  for (int i = 0; i < 20; ++i) {
    const Deadline deadline = Deadline::after(clock, 0.0029);
    CurlTransfer transfer;
    transfer.set(CURLOPT_URL, url.c_str());
    transfer.limit(deadline);
    EXPECT_EQ(transfer.perform(), CURLE_OPERATION_TIMEDOUT);
    EXPECT_TRUE(deadline.passed());
  }
  close(silent);
}

}  // namespace
}  // namespace ha
