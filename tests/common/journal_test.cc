// SPDX-License-Identifier: MIT
#include "common/journal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/posix_files.h"
#include "tests/fakes/fake_env.h"
#include "tests/fakes/file_size_limit.h"

namespace ha {
namespace {

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    char name[] = "/dev/shm/journal-test-XXXXXX";
    directory_ = mkdtemp(name);
    path_ = directory_ + "/journal";
  }
  ~JournalTest() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& content) { std::ofstream(path_, std::ios::app) << content; }

  std::string directory_, path_;
  PosixFiles files_;
};

TEST_F(JournalTest, WhatWasAppendedIsThereAfterReopening) {
  {
    auto journal = Journal::open(files_, path_);
    ASSERT_TRUE(journal);
    EXPECT_TRUE(journal->append({{"event", "step"}, {"output", "a \"b\"\nc\xff"}}));
    EXPECT_TRUE(journal->append({{"event", "done"}}));
  }
  const auto journal = Journal::open(files_, path_);
  ASSERT_TRUE(journal);
  ASSERT_EQ(journal->records().size(), 2u);
  EXPECT_EQ(journal_value(journal->records()[0], "output"), "a \"b\"\nc\xEF\xBF\xBD");
  EXPECT_EQ(journal_value(journal->records()[1], "event"), "done");
  EXPECT_EQ(journal_value(journal->records()[1], "absent"), "");
}

TEST_F(JournalTest, OnlyItsOwnerReadsIt) {
  ASSERT_TRUE(Journal::open(files_, path_));
  struct stat info = {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
}

TEST_F(JournalTest, AReaderLeavesALineThatIsBeingWritten) {
  write("{\"event\":\"one\"}\n{\"event\":\"tw");
  const auto records = Journal::read(files_, path_);
  ASSERT_TRUE(records);
  EXPECT_EQ(records->size(), 1u);
  write("o\"}\n");
  EXPECT_EQ(Journal::read(files_, path_)->size(), 2u);
  EXPECT_FALSE(Journal::read(files_, path_ + "-absent"));
}

TEST_F(JournalTest, ATornLastLineIsCutOff) {
  write("{\"event\":\"one\"}\n{\"event\":\"tw");
  auto journal = Journal::open(files_, path_);
  ASSERT_TRUE(journal);
  EXPECT_EQ(journal->records().size(), 1u);
  EXPECT_TRUE(journal->append({{"event", "three"}}));
  const auto again = Journal::open(files_, path_);
  ASSERT_TRUE(again);
  ASSERT_EQ(again->records().size(), 2u);
  EXPECT_EQ(journal_value(again->records()[1], "event"), "three");
}

TEST_F(JournalTest, ADamagedLineInTheMiddleIsAnError) {
  write("{\"event\":\"one\"}\nrubbish\n{\"event\":\"two\"}\n");
  const auto journal = Journal::open(files_, path_);
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().text, path_ + " is damaged: rubbish");
}

TEST_F(JournalTest, ASymbolicLinkIsNotFollowed) {
  std::filesystem::create_symlink(directory_ + "/elsewhere", path_);
  EXPECT_FALSE(Journal::open(files_, path_));
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/elsewhere"));
}

TEST_F(JournalTest, AFullDiskFailsTheAppendAndKeepsTheFileWhole) {
  auto journal = Journal::open(files_, path_);
  ASSERT_TRUE(journal);
  ASSERT_TRUE(journal->append({{"event", "one"}}));
  const auto size = std::filesystem::file_size(path_);
  {
    const FileSizeLimit limit(size + 5);
    const auto appended = journal->append({{"event", "two"}});
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().text, "cannot write " + path_ + ": File too large");
  }
  EXPECT_EQ(std::filesystem::file_size(path_), size);
  EXPECT_EQ(journal->records().size(), 1u);
  EXPECT_TRUE(journal->append({{"event", "three"}}));
}

TEST_F(JournalTest, WhatPassesIsReadAsWell) {
  auto journal = Journal::open(files_, path_);
  ASSERT_TRUE(journal->append_passing({{{"event", "one"}}, {{"event", "two"}}}));
  EXPECT_EQ(Journal::read(files_, path_)->size(), 2u);
  {
    const FileSizeLimit limit(std::filesystem::file_size(path_) + 5);
    EXPECT_FALSE(journal->append_passing({{{"event", "three"}}}));
  }
  ASSERT_TRUE(journal->append({{"event", "four"}}));
  EXPECT_EQ(journal->records().size(), 3u);
  EXPECT_EQ(Journal::read(files_, path_)->size(), 3u);
}

TEST_F(JournalTest, RewritingReplacesTheStory) {
  auto journal = Journal::open(files_, path_);
  ASSERT_TRUE(journal);
  ASSERT_TRUE(journal->append({{"event", "one"}}));
  ASSERT_TRUE(journal->rewrite({{{"event", "two"}}}));
  ASSERT_TRUE(journal->append({{"event", "three"}}));
  const auto again = Journal::open(files_, path_);
  ASSERT_TRUE(again);
  ASSERT_EQ(again->records().size(), 2u);
  EXPECT_EQ(journal_value(again->records()[0], "event"), "two");
  EXPECT_EQ(journal_value(again->records()[1], "event"), "three");
}

// A machine that has one descriptor.
class OneDescriptor : public MemoryFiles {
 public:
  Result<std::unique_ptr<AppendFile>> open_append(const std::string& path) override {
    if (opened_++ > 0) return Error{Errc::kInternal, "cannot open " + path};
    return MemoryFiles::open_append(path);
  }

 private:
  int opened_ = 0;
};

TEST(ReplacedJournalTest, WhatIsNotOpenAgainTakesNoRecords) {
  OneDescriptor files;
  auto journal = Journal::open(files, "/journal");
  ASSERT_TRUE(journal);
  EXPECT_FALSE(journal->rewrite({{{"event", "one"}}}));
  EXPECT_EQ(journal->append({{"event", "two"}}).error().text,
            "cannot write /journal: it is not open");
  EXPECT_EQ(Journal::read(files, "/journal")->size(), 1u);
}

}  // namespace
}  // namespace ha
