// SPDX-License-Identifier: MIT
#include "common/vip/local_address.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

std::vector<std::string> printed(const std::vector<LocalAddress>& addresses) {
  constexpr const char* kStates[] = {"", " tentative", " duplicate"};
  std::vector<std::string> texts;
  for (const LocalAddress& entry : addresses)
    texts.push_back(entry.interface + " " + entry.address + "/" + std::to_string(entry.prefix) +
                    kStates[static_cast<std::size_t>(entry.state)]);
  return texts;
}

// As iproute2 6.1 prints them.
constexpr char kIpOutput[] =
    "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n"
    "2: eth0    inet 192.0.2.11/24 brd 192.0.2.255 scope global eth0\\       valid_lft forever\n"
    "2: eth0    inet 192.0.2.10/32 scope global secondary eth0:1\\       valid_lft forever\n"
    "3: eth1.7    inet6 2001:db8::10/64 scope global dadfailed tentative \\       valid_lft\n"
    "3: eth1.7    inet6 2001:db8::11/64 scope global tentative \\       valid_lft forever\n"
    "4: tun0    inet 10.8.0.1 peer 10.8.0.2/32 scope global tun0\\       valid_lft forever\n";

TEST(LocalAddressTest, ReadsWhatIpPrints) {
  EXPECT_EQ(printed(parse_ip_addresses(kIpOutput)),
            (std::vector<std::string>{"lo 127.0.0.1/8", "eth0 192.0.2.11/24", "eth0 192.0.2.10/32",
                                      "eth1.7 2001:db8::10/64 duplicate",
                                      "eth1.7 2001:db8::11/64 tentative", "tun0 10.8.0.1/32"}));
}

TEST(LocalAddressTest, PassesOverWhatItDoesNotKnow) {
  for (const char* text :
       {"", "\n\n", "2: eth0", "2: eth0 inet", "2: eth0 link 02:00:5e:10:00:01/48",
        "2: eth0 inet db1/24", "2: eth0 inet 192.0.2.1/33", "2: eth0 inet 192.0.2.1/-1",
        "2: eth0 inet6 2001:db8::1/129", "2: eth0 inet 192.0.2.1/x",
        "Warning: Permanently added 'db2' (ED25519) to the list of known hosts."})
    EXPECT_EQ(printed(parse_ip_addresses(text)), std::vector<std::string>{}) << text;
}

TEST(LocalAddressTest, FindsAnAddressTheUsableOneFirst) {
  const std::vector<LocalAddress> addresses = {
      {"eth0", "192.0.2.1", 24},
      {"eth0", "2001:db8::1", 64, AddressState::kDuplicate},
      {"eth1", "2001:db8::1", 64}};
  EXPECT_EQ(find_address(addresses, "192.0.2.1")->interface, "eth0");
  EXPECT_EQ(find_address(addresses, "2001:db8::1")->interface, "eth1");
  EXPECT_FALSE(find_address(addresses, "192.0.2.10"));
}

TEST(LocalAddressTest, FindsOurOwnOnEthernetFirst) {
  Interfaces ours;
  ours.addresses = {{"lo", "192.0.2.10", 32}, {"eth0", "192.0.2.10", 24}, {"lo", "192.0.2.11", 32}};
  ours.ethernet = {{"eth0", 2}};
  EXPECT_EQ(find_own(ours, "192.0.2.10")->interface, "eth0");
  EXPECT_EQ(find_own(ours, "192.0.2.11")->interface, "lo");
  EXPECT_FALSE(find_own(ours, "192.0.2.12"));
  EXPECT_FALSE(answers_for_others("lo", "2001:db8::1"));
}

TEST(LocalAddressTest, FindsTheNetworkOfAnAddress) {
  const std::vector<LocalAddress> addresses = {
      {"eth0", "10.0.0.1", 8},        {"eth1", "10.1.0.1", 16},    {"eth2", "10.1.1.10", 32},
      {"eth3", "10.1.1.10", 24},      {"eth4", "2001:db8::1", 64}, {"eth5", "192.0.2.129", 25},
      {"eth6", "2001:db8:0:1::1", 56}};
  const struct {
    const char* address;
    std::optional<std::string> want;
  } cases[] = {{"10.2.0.1", "eth0"},          {"10.1.9.9", "eth1"},         {"10.1.1.11", "eth3"},
               {"10.1.1.10", "eth1"},  // itself is no network
               {"2001:db8::10", "eth4"},      {"2001:db8:0:ff::1", "eth6"}, {"192.0.2.128", "eth5"},
               {"192.0.2.127", std::nullopt}, {"172.16.0.1", std::nullopt}};
  for (const auto& c : cases) EXPECT_EQ(find_network(addresses, c.address), c.want) << c.address;
}

TEST(LocalAddressTest, OursHaveLoopback) {
  const auto interfaces = read_interfaces();
  ASSERT_TRUE(interfaces);
  const auto loopback = find_address(interfaces->addresses, "127.0.0.1");
  ASSERT_TRUE(loopback);
  EXPECT_EQ(loopback->interface, "lo");
  EXPECT_EQ(loopback->prefix, 8u);
  for (const EthernetInterface& ethernet : interfaces->ethernet) EXPECT_NE(ethernet.name, "lo");
}

}  // namespace
}  // namespace ha
