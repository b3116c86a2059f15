// SPDX-License-Identifier: MIT
#include "common/address.h"

#include <gtest/gtest.h>

#include "common/resolve.h"

namespace ha {
namespace {

TEST(AddressTest, ParsesHostsWithAndWithoutPort) {
  const struct {
    const char* text;
    const char* host;
    unsigned port;
    const char* printed;
  } cases[] = {
      {"db1", "db1", 0, "db1"},
      {"db1:3307", "db1", 3307, "db1:3307"},
      {"10.0.0.1:1", "10.0.0.1", 1, "10.0.0.1:1"},
      {"::1", "::1", 0, "[::1]"},
      {"[::1]", "::1", 0, "[::1]"},
      {"[::1]:65535", "::1", 65535, "[::1]:65535"},
      {"fe80::1%eth0", "fe80::1%eth0", 0, "[fe80::1%eth0]"},
  };
  for (const auto& c : cases) {
    const auto address = parse_host_port(c.text);
    ASSERT_TRUE(address) << c.text;
    EXPECT_EQ(address->host, c.host) << c.text;
    EXPECT_EQ(address->port, c.port) << c.text;
    EXPECT_EQ(format_host_port(*address), c.printed);
  }
}

TEST(AddressTest, RejectsTheRest) {
  for (const char* text :
       {"", ":3306", "db1:", "db1:0", "db1:65536", "db1:-1", "db1:x", "db1:3306:1", "a:b:c", "[]",
        "[::1", "[::1]x", "[::1]:", "[::1]:0", "a b", "/run/x.sock", "db1/x:1", "::1]"})
    EXPECT_FALSE(parse_host_port(text)) << text;
}

TEST(AddressTest, SaysWhatIsAccepted) {
  EXPECT_EQ(parse_host_port("db1:x|").error().text,
            "'db1:x ' is not HOST[:PORT] (an IPv6 address with a port stands in brackets)");
}

TEST(AddressTest, NamesOfOneHostAreTheSameHost) {
  EXPECT_TRUE(same_host("db1.invalid", "DB1.invalid"));
  EXPECT_TRUE(same_host("127.0.0.1", "127.0.0.1"));
  EXPECT_TRUE(same_host("::1", "0:0:0:0:0:0:0:1"));
  EXPECT_FALSE(same_host("127.0.0.1", "127.0.0.2"));
}

}  // namespace
}  // namespace ha
