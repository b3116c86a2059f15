// SPDX-License-Identifier: MIT
#include "common/mount/locate.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace ha {
namespace {

const MountTable kTable = parse_mountinfo(
    "27 1 254:0 / / rw - ext4 /dev/vda rw\n"
    "36 27 0:52 / /pandora_files rw - fuse.glusterfs gfs1:/pandora rw\n"
    "37 27 0:53 / /home rw - xfs /dev/sdb rw\n"
    "38 27 0:54 / /net rw - autofs /etc/auto.net rw\n");

// A file system of links that remembers what was touched.
struct Links {
  std::map<std::string, std::string> targets;
  std::vector<std::string> touched = {};

  Location locate(const std::string& path) {
    return ha::locate(kTable, path, [&](const std::string& at) -> std::optional<std::string> {
      touched.push_back(at);
      const auto link = targets.find(at);
      return link == targets.end() ? std::nullopt : std::optional(link->second);
    });
  }
};

std::string where(const Location& location) {
  return (location.mount ? location.mount->type : "none") + " " + location.path;
}

TEST(LocateTest, APlainPath) {
  Links links;
  EXPECT_EQ(where(links.locate("/srv/share")), "ext4 /srv/share");
  EXPECT_EQ(where(links.locate("//srv/./x/../share/")), "ext4 /srv/share");
  EXPECT_EQ(where(links.locate("/")), "ext4 /");
  EXPECT_EQ(where(links.locate("/../..")), "ext4 /");
}

TEST(LocateTest, FollowsLinksIntoAShareWithoutTouchingIt) {
  Links links{{{"/var/spool/conf", "/pandora_files/conf"}, {"/pandora_files/conf", "/wrong"}}};
  EXPECT_EQ(where(links.locate("/var/spool/conf/x")), "fuse.glusterfs /pandora_files/conf/x");
  EXPECT_EQ(links.touched, (std::vector<std::string>{"/var", "/var/spool", "/var/spool/conf"}));
}

TEST(LocateTest, FollowsRelativeAndChainedLinks) {
  Links links{{{"/a", "home/../b"}, {"/b", "../pandora_files"}}};
  EXPECT_EQ(where(links.locate("/a/md5")), "fuse.glusterfs /pandora_files/md5");
  EXPECT_EQ(where(links.locate("/home/x")), "xfs /home/x");
}

TEST(LocateTest, ALoopOfLinksIsTakenAsWritten) {
  Links links{{{"/a", "/a"}}};
  EXPECT_EQ(where(links.locate("/a/b")), "ext4 /a/b");
  EXPECT_LT(links.touched.size(), 100u);
}

TEST(LocateTest, AnAutomountPointIsNotTouched) {
  Links links;
  EXPECT_EQ(where(links.locate("/net/nas/export")), "autofs /net/nas/export");
  EXPECT_EQ(links.touched, std::vector<std::string>{});
}

TEST(LocateTest, MountedMeansAtAPointOrWithinAShare) {
  Links links{{{"/conf", "/pandora_files/conf"}}};
  EXPECT_TRUE(links.locate("/pandora_files").mounted());
  EXPECT_TRUE(links.locate("/pandora_files/deep/er").mounted());
  EXPECT_TRUE(links.locate("/conf").mounted());
  EXPECT_TRUE(links.locate("/home").mounted());
  EXPECT_FALSE(links.locate("/home/share").mounted());
  EXPECT_FALSE(links.locate("/srv").mounted());
}

TEST(LocateTest, ASharedRootIsNoShare) {
  const MountTable diskless = parse_mountinfo("27 1 0:20 / / rw - nfs4 nas:/root rw");
  const auto no_link = [](const std::string&) { return std::nullopt; };
  EXPECT_FALSE(locate(diskless, "/srv/share", no_link).mounted());
  EXPECT_TRUE(locate(diskless, "/", no_link).mounted());
  EXPECT_FALSE(locate(MountTable{}, "/srv/share", no_link).mounted());
}

}  // namespace
}  // namespace ha
