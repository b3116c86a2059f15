// SPDX-License-Identifier: MIT
#include "common/mount/share.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace ha {
namespace {

// A healthy NFS share that was asked for nothing in particular.
ShareFacts healthy() {
  ShareFacts facts{{"/srv/share"},
                   {Mount{36, 27, "/", "/srv/share", "nfs4", "nas:/export"}, "/srv/share"}};
  TouchRecord record;
  record.finished = true;
  record.has_owner = record.has_usage = record.has_inodes = true;
  record.uid = 500;
  record.gid = 48;
  record.mode = 02770;
  record.used_percent = 41.24;
  record.inodes_used_percent = 3;
  record.entries = 7;
  record.seconds = 0.003;
  facts.answer = ProbeAnswer{ProbeAnswer::End::kAnswered, record};
  facts.owner = "pandora:apache";
  return facts;
}

// The same directory without its mount.
ShareFacts unmounted(std::uint32_t entries) {
  ShareFacts facts = healthy();
  facts.location.mount = Mount{27, 1, "/", "/", "ext4", "/dev/vda"};
  facts.answer->record.entries = entries;
  return facts;
}

ShareFacts failed(TouchStep step, int error) {
  ShareFacts facts = healthy();
  facts.answer->record.step = step;
  facts.answer->record.error = error;
  return facts;
}

std::string causes(const Item& item) { return std::get<std::string>(item.facts.at(0).second); }

std::string text(const ShareFacts& facts, const ShareLimits& limits = {}) {
  return judge_share(facts, limits).text;
}

void expect(const ShareFacts& facts, State state, const std::string& cause,
            const ShareLimits& limits = {}) {
  const Item item = judge_share(facts, limits);
  EXPECT_EQ(state_name(item.state), state_name(state)) << item.text;
  EXPECT_EQ(causes(item), cause) << item.text;
}

TEST(ShareTest, AHealthyShare) {
  const Item item = judge_share(healthy(), {});
  EXPECT_EQ(item.state, State::kOk);
  EXPECT_EQ(item.name, "/srv/share");
  EXPECT_EQ(item.text, "/srv/share (nas:/export, nfs4): answers, 41% used");
  ASSERT_EQ(item.metrics.size(), 2u);
  EXPECT_EQ(item.metrics[0].label, "latency");
  EXPECT_EQ(item.metrics[0].value, 0.003);
  EXPECT_EQ(item.metrics[1].label, "used");
  EXPECT_EQ(item.metrics[1].value, 41.24);
}

TEST(ShareTest, NotMountedAndWhatWouldBeHidden) {
  expect(unmounted(0), State::kCritical, "not_mounted");
  EXPECT_EQ(text(unmounted(0)), "/srv/share: not mounted, only a directory on /dev/vda (ext4)");
  EXPECT_EQ(text(unmounted(3)),
            "/srv/share: not mounted, only a directory on /dev/vda (ext4); 3 files or directories "
            "lie in it, which the share would hide");
  EXPECT_NE(text(unmounted(1)).find("; 1 file or directory lies in it"), std::string::npos);
  EXPECT_NE(text(unmounted(kMaxEntries)).find("100 or more files"), std::string::npos);
  const Item item = judge_share(unmounted(3), {});
  EXPECT_EQ(item.metrics[0].value, std::nullopt);
  EXPECT_EQ(item.metrics[1].value, std::nullopt);
}

TEST(ShareTest, NotMountedAndMissingOrUnreadable) {
  ShareFacts facts = unmounted(0);
  facts.answer->record.error = ENOENT;
  expect(facts, State::kCritical, "not_mounted");
  EXPECT_EQ(text(facts), "/srv/share: not mounted, there is no such directory on /dev/vda (ext4)");
  facts.answer->record.error = EACCES;
  expect(facts, State::kUnknown, "not_mounted");
  facts = unmounted(0);
  facts.malformed_lines = 2;
  expect(facts, State::kUnknown, "not_mounted");
  facts = unmounted(0);
  facts.location = {{}, "/srv/share"};
  expect(facts, State::kCritical, "not_mounted");
}

TEST(ShareTest, ALinkThatLeadsToNoShareSaysWhere) {
  ShareFacts facts = unmounted(1);
  facts.location.path = "/pandora_files/conf";
  EXPECT_NE(text(facts).find("not mounted, leads to /pandora_files/conf"), std::string::npos);
}

TEST(ShareTest, TypesAndSources) {
  struct Case {
    const char* type;
    const char* source;
    const char* seen_type;
    const char* seen_source;
    const char* cause;
  };
  const Case cases[] = {
      {"nfs", "", "nfs4", "nas:/export", ""},
      {"nfs", "", "nfs", "nas:/export", ""},
      {"nfs", "", "fuse.glusterfs", "nas:/export", "wrong_type"},
      {"glusterfs", "", "fuse.glusterfs", "gfs1:/pandora", ""},
      {"", "nas:/export", "nfs4", "nas:/export", ""},
      {"", "nas:/export/", "nfs4", "nas:/export", ""},
      {"", "nas:/export", "nfs4", "nas:/other", "wrong_source"},
      {"", "nas:/", "nfs4", "nas:/", ""},
      {"", "nas:/", "nfs4", "nas:/x", "wrong_source"},
      {"", "nas:/export", "nfs4", "old:/export", "wrong_source"},
      {"", "gfs1:pandora", "fuse.glusterfs", "gfs1:/pandora", ""},
      {"", "[fd00::1]:/export", "nfs4", "[fd00::1]:/export", ""},
      {"", "//win/share", "cifs", "//win/share", ""},
      {"nfs", "nas:/export", "tmpfs", "none", "wrong_type,wrong_source"},
      {"glusterfs", "gfs1,gfs2:/pandora", "fuse.glusterfs", "gfs1:/pandora", ""},
      {"glusterfs", "gfs1,gfs2:pandora", "fuse.glusterfs", "gfs2:/pandora", ""},
      {"glusterfs", "gfs1,gfs2:/pandora", "fuse.glusterfs", "gfs3:/pandora", "wrong_source"},
      {"glusterfs", "gfs1,gfs2:/pandora", "fuse.glusterfs", "gfs1:/other", "wrong_source"},
      {"nfs", "a,b:/export", "nfs4", "a:/export", "wrong_source"},
      {"cifs", "\\\\WIN\\Share", "cifs", "//win/share", ""},
      {"cifs", "//win/share", "cifs", "//win/other", "wrong_source"},
      {"fuse", "", "fuse", "/a", ""},
      {"fuse", "", "fuse.mergerfs", "a:b", ""},
      {"fuse", "", "fuseblk", "/dev/sdb", ""},
      {"fuse", "", "ext4", "/dev/sdb", "wrong_type"},
  };
  for (const Case& test : cases) {
    ShareFacts facts = healthy();
    facts.spec.type = test.type;
    facts.spec.source = test.source;
    facts.location.mount->type = test.seen_type;
    facts.location.mount->source = test.seen_source;
    SCOPED_TRACE(std::string(test.seen_type) + " " + test.seen_source);
    expect(facts, test.cause[0] == '\0' ? State::kOk : State::kCritical, test.cause);
  }
}

TEST(ShareTest, ABindMountHasTwoNames) {
  ShareFacts facts = healthy();
  facts.location.mount->root = "/conf";
  facts.spec.source = "nas:/export/conf";
  expect(facts, State::kOk, "");
  facts.spec.source = "nas:/export";
  expect(facts, State::kOk, "");
  facts.spec.source = "nas:/export/md5";
  expect(facts, State::kCritical, "wrong_source");
}

TEST(ShareTest, ABindMountOfADeletedDirectoryIsToldSo) {
  ShareFacts facts = healthy();
  facts.location.mount->root = "/conf//deleted";
  facts.spec.source = "nas:/export";
  expect(facts, State::kCritical, "deleted");
  EXPECT_NE(text(facts).find("was deleted: unmount and mount again"), std::string::npos);
}

TEST(ShareTest, ALocalFileSystemIsNoShare) {
  ShareFacts facts = healthy();
  facts.location.mount->type = "xfs";
  expect(facts, State::kOk, "");
  facts.spec.must_be_shared = true;
  expect(facts, State::kCritical, "wrong_type");
}

TEST(ShareTest, ReadOnly) {
  ShareFacts facts = healthy();
  facts.location.mount->read_only = true;
  expect(facts, State::kCritical, "read_only");
  facts.spec.may_be_read_only = true;
  expect(facts, State::kOk, "");
}

TEST(ShareTest, AnAutomountPointIsLeftAlone) {
  ShareFacts facts = healthy();
  facts.location.mount->type = "autofs";
  facts.answer.reset();
  expect(facts, State::kUnknown, "automount");
}

TEST(ShareTest, HangingTakesTheStateOfTheTimeout) {
  ShareFacts facts = healthy();
  facts.answer = ProbeAnswer{ProbeAnswer::End::kHangs, {}, 9.8};
  expect(facts, State::kCritical, "hung");
  EXPECT_EQ(text(facts), "/srv/share (nas:/export, nfs4): hangs: no answer within 9.8s");
  ShareLimits limits;
  limits.hung = State::kUnknown;
  expect(facts, State::kUnknown, "hung", limits);
  facts.answer = ProbeAnswer{ProbeAnswer::End::kOlderHangs, {}, 725};
  expect(facts, State::kUnknown, "hung", limits);
  EXPECT_EQ(text(facts),
            "/srv/share (nas:/export, nfs4): hangs: a probe that was started 12m 05s ago has not "
            "ended, so there was no new one");
}

TEST(ShareTest, AHangingWriteTestStillTellsTheRest) {
  ShareFacts facts = healthy();
  facts.answer->end = ProbeAnswer::End::kHangs;
  facts.answer->record.finished = false;
  facts.answer->waited_s = 2;
  facts.spec.mode = 0755;
  expect(facts, State::kCritical, "hung,wrong_mode");
  const Item item = judge_share(facts, {});
  EXPECT_NE(item.text.find("answers, but the write test hangs"), std::string::npos);
  EXPECT_EQ(item.metrics[0].value, std::nullopt);
  EXPECT_EQ(item.metrics[1].value, 41.24);
}

TEST(ShareTest, ErrorsAreToldApart) {
  struct Case {
    TouchStep step;
    int error;
    State state;
    const char* cause;
    const char* words;
  };
  const Case cases[] = {
      {TouchStep::kUsage, ESTALE, State::kCritical, "stale", "Stale file handle (ESTALE)"},
      {TouchStep::kOpen, ENOTCONN, State::kCritical, "not_connected", "FUSE"},
      {TouchStep::kList, EIO, State::kCritical, "io_error", "cannot be listed: Input/output"},
      {TouchStep::kCreate, EROFS, State::kCritical, "read_only", "cannot take a new file"},
      {TouchStep::kWrite, ENOSPC, State::kCritical, "full", "cannot be written: No space"},
      {TouchStep::kWrite, EDQUOT, State::kCritical, "full", "Disk quota exceeded"},
      {TouchStep::kOpen, ENOENT, State::kCritical, "missing", "No such file or directory"},
      {TouchStep::kOpen, EACCES, State::kUnknown, "denied", "this user may not"},
      {TouchStep::kCreate, EACCES, State::kUnknown, "denied", "cannot take a new file"},
      {TouchStep::kOpen, ETIMEDOUT, State::kCritical, "error", "Connection timed out"},
      {TouchStep::kReadBack, EHOSTDOWN, State::kCritical, "error", "cannot be read back"},
  };
  for (const Case& test : cases) {
    const ShareFacts facts = failed(test.step, test.error);
    expect(facts, test.state, test.cause);
    EXPECT_NE(text(facts).find(test.words), std::string::npos) << text(facts);
    EXPECT_EQ(judge_share(facts, {}).metrics[0].value, std::nullopt);
  }
}

TEST(ShareTest, OtherDataThanWritten) {
  ShareFacts facts = healthy();
  facts.answer->record.wrong_data = true;
  expect(facts, State::kCritical, "wrong_data");
}

TEST(ShareTest, OwnerAndMode) {
  ShareFacts facts = healthy();
  facts.spec.owner = Owner{"pandora:apache", 500, 48};
  facts.spec.mode = 0770;
  expect(facts, State::kOk, "");
  facts.spec.mode = 02770;
  expect(facts, State::kOk, "");
  facts.spec.mode = 01770;
  expect(facts, State::kCritical, "wrong_mode");
  facts.spec.mode = 0755;
  EXPECT_NE(text(facts).find("the mode is 770 instead of 755"), std::string::npos);
  facts.spec.mode.reset();
  facts.spec.owner->gid = 33;
  expect(facts, State::kCritical, "wrong_owner");
  facts.spec.owner->gid.reset();
  expect(facts, State::kOk, "");
  facts.spec.owner->uid = 0;
  facts.spec.owner->text = "root:root";
  EXPECT_NE(text(facts).find("the owner is pandora:apache instead of root:root"),
            std::string::npos);
  facts.answer->record.has_owner = false;
  expect(facts, State::kOk, "");
}

TEST(ShareTest, UsageOfSpaceAndInodes) {
  ShareLimits limits;
  limits.usage = {Range{0, 80}, Range{0, 90}};
  ShareFacts facts = healthy();
  expect(facts, State::kOk, "", limits);
  facts.answer->record.used_percent = 85;
  expect(facts, State::kWarning, "usage", limits);
  facts.answer->record.used_percent = 95;
  expect(facts, State::kCritical, "usage", limits);
  facts.answer->record.used_percent = 10;
  facts.answer->record.inodes_used_percent = 95;
  expect(facts, State::kCritical, "usage", limits);
  EXPECT_NE(text(facts, limits).find("95.0% of the inodes used"), std::string::npos);
}

TEST(ShareTest, FullNeedsNoThreshold) {
  ShareFacts facts = healthy();
  facts.answer->record.no_space = true;
  expect(facts, State::kCritical, "full");
  EXPECT_NE(text(facts).find("no space is left"), std::string::npos);
  facts.answer->record.no_space = false;
  facts.answer->record.no_inode = true;
  EXPECT_NE(text(facts).find("no inode is left"), std::string::npos);
  facts.spec.may_be_read_only = facts.location.mount->read_only = true;
  expect(facts, State::kOk, "");
}

TEST(ShareTest, AWriteTestThatSucceedsRefutesFullness) {
  ShareLimits limits;
  limits.usage = {Range{0, 80}, Range{0, 90}};
  ShareFacts facts = healthy();
  TouchRecord& record = facts.answer->record;
  record.no_inode = true;
  record.inodes_used_percent = 100;
  expect(facts, State::kCritical, "full,usage", limits);
  record.wrote = true;
  expect(facts, State::kOk, "", limits);
  record.no_inode = false;
  record.inodes_used_percent = 95;
  expect(facts, State::kCritical, "usage", limits);

  record.inodes_used_percent = 3;
  record.no_space = true;
  record.used_percent = 100;
  record.used_of_all_percent = 41.24;
  expect(facts, State::kOk, "", limits);
  EXPECT_EQ(text(facts, limits), "/srv/share (nas:/export, nfs4): answers, 41% used");
  EXPECT_EQ(judge_share(facts, limits).metrics[1].value, 41.24);
  record.privileged = true;
  expect(facts, State::kCritical, "full,usage", limits);
}

TEST(ShareTest, AWriteTestThatSucceedsRefutesNoLimit) {
  ShareLimits limits;
  limits.usage = {Range{0, 80}, Range{0, 90}};
  ShareFacts facts = healthy();
  TouchRecord& record = facts.answer->record;
  record.wrote = record.no_space = true;
  record.used_percent = 100;
  record.used_of_all_percent = 95;
  expect(facts, State::kCritical, "usage", limits);
  EXPECT_NE(text(facts, limits).find("95.0% used"), std::string::npos);
  record.used_of_all_percent = 85;
  expect(facts, State::kWarning, "usage", limits);
  expect(facts, State::kOk, "");
}

TEST(ShareTest, AFileSystemWithoutBlocksHasNoUsage) {
  ShareFacts facts = healthy();
  facts.answer->record.has_usage = false;
  facts.answer->record.used_percent = 0;
  EXPECT_EQ(judge_share(facts, {}).metrics[1].value, std::nullopt);
  EXPECT_EQ(text(facts), "/srv/share (nas:/export, nfs4): answers");
}

TEST(ShareTest, SlowAnswers) {
  ShareLimits limits;
  limits.latency = {Range{0, 1}, Range{0, 5}};
  ShareFacts facts = healthy();
  facts.answer->record.seconds = 2.5;
  expect(facts, State::kWarning, "slow", limits);
  EXPECT_NE(text(facts, limits).find("took 2.5s"), std::string::npos);
}

TEST(ShareTest, AProbeThatCouldNotBeMade) {
  ShareFacts facts = healthy();
  facts.answer = ProbeAnswer{ProbeAnswer::End::kImpossible, {}, 0, "Cannot allocate memory"};
  expect(facts, State::kUnknown, "not_probed");
}

}  // namespace
}  // namespace ha
