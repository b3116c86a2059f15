// SPDX-License-Identifier: MIT
#include "common/vip/neighbour_packets.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace ha {
namespace {

constexpr Mac kOwn = {0x02, 0, 0, 0, 0, 0x01}, kOther = {0x02, 0, 0, 0, 0, 0x02};

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

TEST(NeighbourPacketsTest, AnArpProbeNamesNoSender) {
  const NeighbourPacket packet = ask_packet("192.0.2.10", kOwn, "");
  EXPECT_EQ(packet.protocol, 0x0806);
  EXPECT_EQ(format_mac(packet.to), "ff:ff:ff:ff:ff:ff");
  EXPECT_EQ(hex(packet.bytes),
            "0001"
            "0800"
            "06"
            "04"
            "0001"
            "020000000001"
            "00000000"
            "000000000000"
            "c000020a");
}

TEST(NeighbourPacketsTest, AnArpAnnouncementIsARequestForItself) {
  EXPECT_EQ(hex(announce_packet("192.0.2.10", kOwn).bytes),
            "0001080006040001"
            "020000000001"
            "c000020a"
            "000000000000"
            "c000020a");
}

TEST(NeighbourPacketsTest, ASolicitationGoesToTheGroupOfTheAddress) {
  const NeighbourPacket packet = ask_packet("2001:db8::12:3456", kOwn, "fe80::1");
  EXPECT_EQ(packet.protocol, 0x86DD);
  EXPECT_EQ(format_mac(packet.to), "33:33:ff:12:34:56");
  EXPECT_EQ(hex(packet.bytes),
            "60000000"
            "0020"
            "3a"
            "ff"
            "fe800000000000000000000000000001"
            "ff0200000000000000000001ff123456"
            "8700e292"
            "00000000"
            "20010db8000000000000000000123456"
            "0101020000000001");
}

TEST(NeighbourPacketsTest, AnAdvertisementOverridesAndGoesToAll) {
  const NeighbourPacket packet = announce_packet("2001:db8::10", kOwn);
  EXPECT_EQ(format_mac(packet.to), "33:33:00:00:00:01");
  EXPECT_EQ(hex(packet.bytes),
            "60000000"
            "0020"
            "3a"
            "ff"
            "20010db8000000000000000000000010"
            "ff020000000000000000000000000001"
            "8800f90c"
            "20000000"
            "20010db8000000000000000000000010"
            "0201020000000001");
}

TEST(NeighbourPacketsTest, AMachineThatSendsFromTheAddressClaimsIt) {
  const std::string announcement = announce_packet("192.0.2.10", kOther).bytes;
  std::string reply = announcement;
  reply[7] = 2;
  EXPECT_EQ(claimed_by("192.0.2.10", announcement, kOwn), kOther);
  EXPECT_EQ(claimed_by("192.0.2.10", reply, kOwn), kOther);
  EXPECT_EQ(claimed_by("192.0.2.10", reply + std::string(18, '\0'), kOwn), kOther);  // padded
  EXPECT_EQ(claimed_by("192.0.2.11", reply, kOwn), std::nullopt);
  EXPECT_EQ(claimed_by("192.0.2.10", ask_packet("192.0.2.10", kOther, "").bytes, kOwn),
            std::nullopt);
}

TEST(NeighbourPacketsTest, AnAdvertisementClaimsItsTarget) {
  const std::string packet = announce_packet("2001:db8::10", kOther).bytes;
  EXPECT_EQ(claimed_by("2001:db8::10", packet, kOwn), kOther);
  EXPECT_EQ(claimed_by("2001:db8::11", packet, kOwn), std::nullopt);
  // Without the option the sender counts.
  EXPECT_EQ(claimed_by("2001:db8::10", packet.substr(0, 64), kOwn), kOwn);
  // Behind another option.
  EXPECT_EQ(
      claimed_by("2001:db8::10",
                 packet.substr(0, 64) + std::string("\x0e\1\0\0\0\0\0\0", 8) + packet.substr(64),
                 kOwn),
      kOther);
  EXPECT_EQ(claimed_by("2001:db8::10", ask_packet("2001:db8::10", kOther, "fe80::1").bytes, kOwn),
            std::nullopt);
}

TEST(NeighbourPacketsTest, TornAndForgedPacketsClaimNothing) {
  const std::string arp = announce_packet("192.0.2.10", kOther).bytes;
  const std::string neighbour = announce_packet("2001:db8::10", kOther).bytes;
  for (std::size_t size = 0; size < arp.size(); ++size)
    EXPECT_EQ(claimed_by("192.0.2.10", arp.substr(0, size), kOwn), std::nullopt) << size;
  for (std::size_t size = 0; size < 64; ++size)
    EXPECT_EQ(claimed_by("2001:db8::10", neighbour.substr(0, size), kOwn), std::nullopt) << size;
  for (const std::size_t place : {0u, 2u, 4u, 5u}) {  // another kind of address
    std::string other = arp;
    other[place] = 9;
    EXPECT_EQ(claimed_by("192.0.2.10", other, kOwn), std::nullopt) << place;
  }
  for (const std::size_t place : {6u, 7u, 40u, 41u}) {  // from afar, or of another type
    std::string other = neighbour;
    other[place] = 64;
    EXPECT_EQ(claimed_by("2001:db8::10", other, kOwn), std::nullopt) << place;
  }
  std::string endless = neighbour;
  endless[64] = 14;
  endless[65] = 0;  // an option without a length
  EXPECT_EQ(claimed_by("2001:db8::10", endless, kOwn), std::nullopt);
  std::string nobody = arp;
  nobody.replace(8, 6, 6, '\0');
  EXPECT_EQ(claimed_by("192.0.2.10", nobody, kOwn), std::nullopt);
}

}  // namespace
}  // namespace ha
