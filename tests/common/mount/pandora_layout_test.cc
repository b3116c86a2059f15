// SPDX-License-Identifier: MIT
#include "common/mount/pandora_layout.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

const Mount kRoot{27, 1, "/", "/", "ext4", "/dev/vda"};
const Mount kShare{36, 27, "/", "/pandora_files", "fuse.glusterfs", "gfs1:/pandora"};

PandoraSpool local() {
  return {"/var/spool/pandora/data_in", {kRoot, "/var/spool/pandora/data_in"}};
}

// data_in within a share, whose mount point is given.
PandoraSpool shared(const std::string& data_in, const std::string& point) {
  Mount mount = kShare;
  mount.point = point;
  return {data_in, {mount, data_in}};
}

std::vector<std::string> paths(const std::vector<ShareSpec>& specs) {
  std::vector<std::string> list;
  for (const ShareSpec& spec : specs) list.push_back(spec.path);
  return list;
}

ShareFacts share_on(const Mount& mount) {
  ShareFacts facts{{"/conf"}, {mount, mount.point}};
  facts.spec.must_be_shared = true;
  return facts;
}

TEST(PandoraLayoutTest, FourDirectoriesAndTheAttachmentAreShared) {
  const auto shares = pandora_shares(local(), "/var/www/attachment", {});
  EXPECT_EQ(paths(shares),
            (std::vector<std::string>{
                "/var/spool/pandora/data_in/conf", "/var/spool/pandora/data_in/collections",
                "/var/spool/pandora/data_in/md5", "/var/spool/pandora/data_in/netflow",
                "/var/www/attachment"}));
  for (const ShareSpec& share : shares) {
    EXPECT_TRUE(share.must_be_shared);
    EXPECT_FALSE(share.owner);
    EXPECT_FALSE(share.mode);
  }
  EXPECT_EQ(pandora_shares(local(), "", {}).size(), 4u);
}

TEST(PandoraLayoutTest, OwnerAndModeWhereThereIsAUserPandora) {
  for (const ShareSpec& share : pandora_shares(local(), "/a", Owner{"pandora:apache", 500, 48})) {
    EXPECT_EQ(share.owner->text, "pandora:apache");
    EXPECT_EQ(share.mode, 0770u);
  }
}

TEST(PandoraLayoutTest, DataInMayBeLocalButNotShared) {
  EXPECT_TRUE(judge_pandora(local(), {}).empty());
  PandoraSpool ram_disk = local();
  ram_disk.location.mount = Mount{40, 27, "/", "/var/spool/pandora/data_in", "tmpfs", "tmpfs"};
  EXPECT_TRUE(judge_pandora(ram_disk, {}).empty());

  for (const PandoraSpool& spool :
       {shared("/var/spool/pandora/data_in", "/var/spool/pandora/data_in"),
        shared("/pandora_files/data_in", "/pandora_files"),
        shared("/pandora_files", "/pandora_files")}) {
    const auto findings = judge_pandora(spool, {});
    ASSERT_EQ(findings.size(), 1u) << spool.data_in;
    EXPECT_EQ(findings[0].state, State::kCritical);
    EXPECT_TRUE(findings[0].text.starts_with(spool.data_in + " itself is shared"));
  }
}

TEST(PandoraLayoutTest, AnOwnIncomingDirectoryMayBeShared) {
  const PandoraSpool spool = shared("/spool/data_in/xml_srv1", "/spool/data_in");
  EXPECT_TRUE(judge_pandora(spool, {}).empty());
  EXPECT_EQ(paths(pandora_shares(spool, "", {})),
            (std::vector<std::string>{"/spool/data_in/conf", "/spool/data_in/collections",
                                      "/spool/data_in/md5", "/spool/data_in/netflow",
                                      "/spool/data_in/xml_srv1"}));
}

TEST(PandoraLayoutTest, AllAreSharedInTheSameWay) {
  Mount nfs = kShare;
  nfs.type = "nfs4";
  EXPECT_TRUE(judge_pandora(local(), {share_on(kShare), share_on(kShare)}).empty());
  const auto findings = judge_pandora(local(), {share_on(kShare), share_on(nfs), share_on(kRoot)});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].state, State::kWarning);
  EXPECT_EQ(findings[0].text, "the directories are shared in different ways: glusterfs, nfs");
  ShareFacts other = share_on(nfs);
  other.spec.must_be_shared = false;
  EXPECT_TRUE(judge_pandora(local(), {share_on(kShare), other}).empty());
}

}  // namespace
}  // namespace ha
