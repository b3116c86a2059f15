// SPDX-License-Identifier: MIT
#include "common/mount/mountinfo.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

namespace ha {
namespace {

constexpr char kRoot[] = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n";

// The type of the visible file system that holds a path.
std::string type_at(const MountTable& table, std::string_view path) {
  const Mount* const mount = mount_of(table, path);
  return mount == nullptr ? "none" : mount->type;
}

TEST(MountinfoTest, ReadsALine) {
  const MountTable table = parse_mountinfo(
      "36 27 0:52 /conf /srv/share rw,nosuid master:1 propagate_from:2 - nfs4 nas:/export "
      "rw,vers=4.2,hard\n");
  ASSERT_EQ(table.mounts.size(), 1u);
  const Mount& mount = table.mounts[0];
  EXPECT_EQ(mount.id, 36);
  EXPECT_EQ(mount.parent, 27);
  EXPECT_EQ(mount.root, "/conf");
  EXPECT_EQ(mount.point, "/srv/share");
  EXPECT_EQ(mount.type, "nfs4");
  EXPECT_EQ(mount.source, "nas:/export");
  EXPECT_FALSE(mount.read_only);
  EXPECT_TRUE(mount.follows);
}

TEST(MountinfoTest, OptionalFieldsMayBeMissingAndTheSourceEmpty) {
  const MountTable table = parse_mountinfo(
      "36 27 0:52 / /a rw - tmpfs  rw\n"
      "37 27 0:53 / /b rw - fuse.glusterfs gfs1:/pandora rw\n");
  ASSERT_EQ(table.mounts.size(), 2u);
  EXPECT_EQ(table.mounts[0].source, "");
  EXPECT_EQ(table.mounts[0].type, "tmpfs");
  EXPECT_FALSE(table.mounts[0].follows);
  EXPECT_EQ(table.mounts[1].type, "fuse.glusterfs");
}

TEST(MountinfoTest, ReadOnlyIsTheMountOrItsFileSystem) {
  const auto read_only = [](const std::string& line) {
    return parse_mountinfo(line).mounts.at(0).read_only;
  };
  EXPECT_TRUE(read_only("36 27 0:52 / /a ro,relatime - nfs4 nas:/a rw"));
  EXPECT_TRUE(read_only("36 27 0:52 / /a rw,relatime - ext4 /dev/sdb rw,ro"));
  EXPECT_FALSE(read_only("36 27 0:52 / /a rw,rootcontext=ro - ext4 /dev/sdb rw,errors=remount-ro"));
}

TEST(MountinfoTest, OctalEscapesAreUndone) {
  const MountTable table = parse_mountinfo(
      "36 27 0:52 / /srv/my\\040share\\011\\134\\012\\043 rw - nfs4 nas:/a\\040b rw\n");
  ASSERT_EQ(table.mounts.size(), 1u);
  EXPECT_EQ(table.mounts[0].point, "/srv/my share\t\\\n#");
  EXPECT_EQ(table.mounts[0].source, "nas:/a b");
  EXPECT_EQ(unescape_octal("\\04"), "\\04");
  EXPECT_EQ(unescape_octal("\\048\\"), "\\048\\");
}

TEST(MountinfoTest, MalformedLinesAreCounted) {
  const MountTable table = parse_mountinfo(std::string(kRoot) +
                                           "\n"
                                           "nonsense\n"
                                           "36 27 0:52 / /a rw master:1\n"
                                           "x 27 0:52 / /a rw - nfs4 nas:/a rw\n"
                                           "36 y 0:52 / /a rw - nfs4 nas:/a rw\n"
                                           "36 27 0:52 / a rw - nfs4 nas:/a rw\n"
                                           "36 27 0:52 / /a rw -\n"
                                           "37 27 0:52 / /b rw - nfs4 nas:/b rw");
  EXPECT_EQ(table.mounts.size(), 2u);
  EXPECT_EQ(table.malformed, 6u);
  EXPECT_EQ(type_at(table, "/b"), "nfs4");
}

TEST(MountinfoTest, TheMountThatHoldsAPathIsTheDeepest) {
  const MountTable table = parse_mountinfo(std::string(kRoot) +
                                           "36 27 0:52 / /srv rw - xfs /dev/sdb rw\n"
                                           "37 36 0:53 / /srv/share rw - nfs4 nas:/a rw\n");
  EXPECT_EQ(type_at(table, "/"), "ext4");
  EXPECT_EQ(type_at(table, "/srvx/share"), "ext4");
  EXPECT_EQ(type_at(table, "/srv/sharex"), "xfs");
  EXPECT_EQ(type_at(table, "/srv/share"), "nfs4");
  EXPECT_EQ(type_at(table, "/srv/share/a/b"), "nfs4");
}

TEST(MountinfoTest, OfStackedMountsTheLastIsVisible) {
  const MountTable table = parse_mountinfo(std::string(kRoot) +
                                           "36 27 0:52 / /srv rw - autofs systemd-1 rw\n"
                                           "38 37 0:54 / /srv rw - xfs /dev/sdb rw\n"
                                           "37 36 0:53 / /srv rw - nfs4 nas:/a rw\n");
  EXPECT_EQ(type_at(table, "/srv"), "xfs");
}

TEST(MountinfoTest, WhatLiesBelowALaterMountIsHidden) {
  const MountTable table = parse_mountinfo(std::string(kRoot) +
                                           "36 27 0:52 / /srv/share rw - nfs4 nas:/a rw\n"
                                           "37 27 0:53 / /srv rw - xfs /dev/sdb rw\n");
  EXPECT_EQ(type_at(table, "/srv/share"), "xfs");
}

TEST(MountinfoTest, ATableWithoutTheRootIsThatOfAChroot) {
  const MountTable table = parse_mountinfo("36 35 0:52 / /srv/share rw - nfs4 nas:/a rw\n");
  EXPECT_EQ(type_at(table, "/srv"), "none");
  EXPECT_EQ(type_at(table, "/srv/share/x"), "nfs4");
  EXPECT_EQ(type_at(parse_mountinfo("1 1 0:1 / / rw - rootfs rootfs rw"), "/a"), "rootfs");
}

TEST(MountinfoTest, ATableThatGoesInCirclesEnds) {
  const MountTable table = parse_mountinfo(
      "36 37 0:52 / / rw - nfs4 nas:/a rw\n"
      "37 36 0:53 / / rw - nfs4 nas:/b rw\n"
      "38 38 0:53 / /x rw - nfs4 nas:/c rw\n");
  EXPECT_EQ(type_at(table, "/a"), "none");
  EXPECT_EQ(type_at(table, "/x"), "nfs4");
}

TEST(MountinfoTest, TwoThousandLinesTakeMilliseconds) {
  std::string text = kRoot;
  for (int i = 0; i < 2000; ++i)
    text += fmt::format(
        "{} 27 0:{} / /var/lib/containers/storage/overlay/{:064}/merged rw,relatime shared:{} - "
        "overlay overlay rw,lowerdir=/var/lib/containers/storage/overlay/l/A,upperdir=/b\n",
        100 + i, i, i, i);
  text += "9999 27 0:9 / /srv/share rw - nfs4 nas:/a rw\n";
  const auto start = std::chrono::steady_clock::now();
  const MountTable table = parse_mountinfo(text);
  EXPECT_EQ(type_at(table, "/srv/share/conf"), "nfs4");
  EXPECT_EQ(table.mounts.size(), 2002u);
  EXPECT_EQ(table.malformed, 0u);
  // A hundred times what it takes.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(200));
}

TEST(MountinfoTest, KindsAndFileSystemsThatMayHang) {
  for (const char* type : {"nfs", "nfs4", "cifs", "fuse", "fuse.glusterfs", "fuse.sshfs", "ceph"})
    EXPECT_TRUE(is_shared(type)) << type;
  for (const char* type : {"ext4", "tmpfs", "fuseblk", "autofs", "proc", "nfsd"})
    EXPECT_FALSE(is_shared(type)) << type;
  Mount mount;
  for (const char* type : {"nfs4", "fuse.glusterfs", "autofs", "fuseblk", "something new"}) {
    mount.type = type;
    EXPECT_TRUE(may_hang(mount)) << type;
  }
  for (const char* type : {"ext4", "xfs", "btrfs", "tmpfs", "overlay"}) {
    mount.type = type;
    EXPECT_FALSE(may_hang(mount)) << type;
  }
  EXPECT_EQ(mount_kind("nfs4"), "nfs");
  EXPECT_EQ(mount_kind("fuse.glusterfs"), "glusterfs");
  EXPECT_EQ(mount_kind("glusterfs"), "glusterfs");
  EXPECT_EQ(mount_kind("cifs"), "cifs");
  EXPECT_EQ(mount_kind("smbfs"), "cifs");
}

TEST(FstabTest, TakesNetworkMounts) {
  const auto entries = parse_fstab(
      "# a comment nas:/x /x nfs defaults 0 0\n"
      "\n"
      "UUID=1234 / ext4 errors=remount-ro 0 1\n"
      "nas:/export\t/srv/my\\040share   nfs4\trw,hard,_netdev 0 0\n"
      "nas:/ro /srv/ro nfs ro,nofail\n"
      "nas:/rare /srv/rare nfs noauto,user 0 0\n"
      "gfs1:/pandora /pandora_files glusterfs defaults,_netdev 0 0\n"
      "  //win/share /mnt/win cifs credentials=/root/c 0 0\n"
      "/a:/b /pool mergerfs defaults 0 0\n"
      "/dev/sdb none swap sw 0 0\n"
      "nas:/short /srv/short nfs\n"
      "nas:/none none nfs defaults 0 0\n");
  ASSERT_EQ(entries.size(), 6u);
  EXPECT_EQ(entries[0].source, "nas:/export");
  EXPECT_EQ(entries[0].point, "/srv/my share");
  EXPECT_EQ(entries[0].type, "nfs4");
  EXPECT_FALSE(entries[0].read_only);
  EXPECT_TRUE(entries[1].read_only);
  EXPECT_TRUE(entries[1].at_boot);
  EXPECT_EQ(entries[2].point, "/srv/rare");
  EXPECT_FALSE(entries[2].at_boot);
  EXPECT_EQ(entries[3].point, "/pandora_files");
  EXPECT_EQ(entries[4].source, "//win/share");
  EXPECT_EQ(entries[5].type, "mergerfs");
}

}  // namespace
}  // namespace ha
