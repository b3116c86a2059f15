// SPDX-License-Identifier: MIT
#include "common/mount/share_spec.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

std::string error_of(std::string_view text) {
  const auto spec = parse_share(text);
  return spec ? "none" : spec.error().text;
}

TEST(ShareSpecTest, APathAlone) {
  const auto spec = parse_share("/srv/my share/");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->path, "/srv/my share");
  EXPECT_EQ(spec->type, "");
  EXPECT_FALSE(spec->owner);
  EXPECT_FALSE(spec->mode);
  EXPECT_EQ(parse_share("/")->path, "/");
}

TEST(ShareSpecTest, AllKeys) {
  const auto spec =
      parse_share("/srv/a\\,b,type=nfs,source=nas:/export,owner=root:daemon,mode=2770");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->path, "/srv/a,b");
  EXPECT_EQ(spec->type, "nfs");
  EXPECT_EQ(spec->source, "nas:/export");
  EXPECT_EQ(spec->owner->text, "root:daemon");
  EXPECT_EQ(spec->owner->uid, 0u);
  EXPECT_EQ(spec->owner->gid, find_group("daemon"));
  EXPECT_EQ(spec->mode, 02770u);
  EXPECT_EQ(parse_share("/a,type=any")->type, "");
  EXPECT_EQ(parse_share("/a,mode=0770")->mode, 0770u);
}

TEST(ShareSpecTest, NumbersStandForUsersAndGroups) {
  const auto spec = parse_share("/a,owner=4711:4712");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->owner->uid, 4711u);
  EXPECT_EQ(spec->owner->gid, 4712u);
  EXPECT_EQ(owner_text(4711, 4712), "4711:4712");
  EXPECT_EQ(owner_text(0, 0), "root:root");
}

TEST(ShareSpecTest, ErrorsNameTheValueAndWhatIsAccepted) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "accepted: PATH"},
      {"srv/share", "accepted: PATH"},
      {"/a,type", "accepted: nfs, glusterfs, any"},
      {"/a,type=xfs", "accepted: nfs, glusterfs, any"},
      {"/a,nonsense=1", "accepted: PATH"},
      {"/a,,type=nfs", "accepted: PATH"},
      {"/a,source=", "accepted: PATH"},
      {"/a,owner=root", "accepted: USER:GROUP"},
      {"/a,owner=root:root:root", "accepted: USER:GROUP"},
      {"/a,owner=no-such-user:root", "no user 'no-such-user'"},
      {"/a,owner=root:no-such-group", "no group 'no-such-group'"},
      {"/a,owner=:root", "no user ''"},
      {"/a,owner=-1:root", "no user '-1'"},
      {"/a,owner=4294967295:root", "no user '4294967295'"},
      {"/a,mode=", "octal"},
      {"/a,mode=8", "octal"},
      {"/a,mode=rwx", "octal"},
      {"/a,mode=17777", "octal"},
      {"/a,mode=000770", "octal"},
  };
  for (const auto& [text, words] : cases) {
    EXPECT_NE(error_of(text).find(words), std::string::npos) << text << ": " << error_of(text);
  }
  EXPECT_NE(error_of("/a,type=xfs").find("'type=xfs'"), std::string::npos);
}

TEST(ShareSpecTest, WhatFstabDemands) {
  const ShareSpec nfs = to_spec({"nas:/export", "/srv/share/", "nfs4", true});
  EXPECT_EQ(nfs.path, "/srv/share");
  EXPECT_EQ(nfs.type, "nfs");
  EXPECT_EQ(nfs.source, "nas:/export");
  EXPECT_TRUE(nfs.may_be_read_only);
  const struct {
    const char *source, *type, *wanted_type, *wanted_source;
  } cases[] = {
      {"gfs1:/v", "glusterfs", "glusterfs", "gfs1:/v"},
      {"gfs1:/v", "fuse.glusterfs", "glusterfs", "gfs1:/v"},
      {"//win/share", "smb3", "cifs", "//win/share"},
      {"user@host:/d", "fuse.sshfs", "sshfs", "user@host:/d"},
      {"user@host:/d", "sshfs", "sshfs", "user@host:/d"},
      {"share", "virtiofs", "virtiofs", "share"},
      // The helper tells the kernel something else.
      {"sshfs#user@host:/", "fuse", "fuse", ""},
      {"/a:/b", "fuse.mergerfs", "fuse", ""},
      {"/a:/b", "mergerfs", "fuse", ""},
      {"/a", "fuse.bindfs", "fuse", ""},
      {"bucket", "fuse.s3fs", "fuse", ""},
      {"none", "fuse.ceph", "fuse", ""},
      {"https://dav/x", "davfs", "fuse", ""},
      // Names become addresses or devices.
      {"mon1,mon2:6789:/", "ceph", "ceph", ""},
      {"mgs@tcp:/fs", "lustre", "lustre", ""},
      {"UUID=1234", "ocfs2", "ocfs2", ""},
      {"LABEL=shared", "gfs2", "gfs2", ""},
      {"PARTUUID=12", "gfs2", "gfs2", ""},
      {"/dev/vg/lv", "gfs2", "gfs2", ""},
  };
  for (const auto& c : cases) {
    const ShareSpec spec = to_spec({c.source, "/s", c.type});
    EXPECT_EQ(spec.type, c.wanted_type) << c.source;
    EXPECT_EQ(spec.source, c.wanted_source) << c.source;
  }
}

TEST(ShareSpecTest, SeveralDemandsOnOneDirectory) {
  ShareSpec spec = *parse_share("/srv/share,mode=750");
  complete(spec, to_spec({"nas:/export", "/srv/share/", "nfs", true}));
  ShareSpec rules{"/srv/share"};
  rules.owner = Owner{"pandora:apache", 500, 48};
  rules.mode = 0770;
  rules.must_be_shared = true;
  complete(spec, rules);
  EXPECT_EQ(spec.type, "nfs");
  EXPECT_EQ(spec.source, "nas:/export");
  EXPECT_EQ(spec.owner->text, "pandora:apache");
  EXPECT_EQ(spec.mode, 0750u);
  EXPECT_TRUE(spec.must_be_shared);
  EXPECT_TRUE(spec.may_be_read_only);
}

}  // namespace
}  // namespace ha
