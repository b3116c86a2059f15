// SPDX-License-Identifier: MIT
// What both twins of Files have to hold.

#include <gtest/gtest.h>

#include <algorithm>

#include "common/posix_files.h"
#include "tests/fakes/fake_env.h"
#include "tests/fakes/file_size_limit.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

template <class Twin>
class FilesTest : public testing::Test {
 protected:
  std::string path(std::string_view name) const { return directory_.path(name); }

 private:
  TempDirectory directory_;
  Twin twin_;

 protected:
  Files& files_ = twin_;
};

using Twins = testing::Types<PosixFiles, MemoryFiles>;
TYPED_TEST_SUITE(FilesTest, Twins);

TYPED_TEST(FilesTest, WhatIsWrittenIsReadUntilItIsRemoved) {
  const std::string a = this->path("a"), b = this->path("b");
  EXPECT_EQ(this->files_.info(a).kind, FileInfo::Kind::kMissing);
  EXPECT_EQ(this->files_.read(a).error().code, Errc::kMissing);
  EXPECT_EQ(this->files_.open(a).error().text, "cannot read " + a);
  ASSERT_TRUE(this->files_.write_atomic(a, "one\ntwo\n"));
  EXPECT_EQ(this->files_.info(a).kind, FileInfo::Kind::kRegular);
  EXPECT_EQ(this->files_.info(a).size, 8u);
  const auto stream = this->files_.open(a);
  ASSERT_TRUE(stream);
  std::string line;
  std::getline(**stream, line);
  EXPECT_EQ(line, "one");
  ASSERT_TRUE(this->files_.rename(a, b));
  EXPECT_FALSE(this->files_.rename(a, b));
  EXPECT_EQ(*this->files_.read(b), "one\ntwo\n");
  ASSERT_TRUE(this->files_.write_passing(b, "three\n"));
  EXPECT_EQ(*this->files_.read(b), "three\n");
  ASSERT_TRUE(this->files_.remove(b));
  ASSERT_TRUE(this->files_.remove(b));
  EXPECT_EQ(this->files_.info(b).kind, FileInfo::Kind::kMissing);
}

TYPED_TEST(FilesTest, AnAppendedFileGrowsAndIsCut) {
  const std::string path = this->path("a");
  {
    const auto file = this->files_.open_append(path);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->append("one\n"));
    ASSERT_TRUE((*file)->append("torn"));
    ASSERT_TRUE((*file)->truncate(4));
    ASSERT_TRUE((*file)->append("two\n"));
  }
  const auto again = this->files_.open_append(path);
  ASSERT_TRUE((*again)->append("three\n"));
  EXPECT_EQ(*this->files_.read(path), "one\ntwo\nthree\n");
}

TYPED_TEST(FilesTest, ADirectoryIsListedAndRemovedWithAllThatIsInIt) {
  const std::string inner = this->path("inner");
  ASSERT_TRUE(this->files_.make_private_directory(inner));
  ASSERT_TRUE(this->files_.check_private_directory(inner));
  ASSERT_TRUE(this->files_.check_replaceable(inner + "/a"));
  ASSERT_TRUE(this->files_.write_atomic(inner + "/a", "1"));
  ASSERT_TRUE(this->files_.link("/nowhere", inner + "/b"));
  auto names = this->files_.list(inner);
  ASSERT_TRUE(names);
  std::ranges::sort(*names);
  EXPECT_EQ(*names, (std::vector<std::string>{"a", "b"}));
  ASSERT_TRUE(this->files_.remove_all(inner));
  ASSERT_TRUE(this->files_.remove_all(inner));
  EXPECT_EQ(this->files_.info(inner + "/a").kind, FileInfo::Kind::kMissing);
}

TYPED_TEST(FilesTest, ALockIsHeldByOneForAsLongAsItLives) {
  const std::string path = this->path("lock");
  EXPECT_EQ(this->files_.lock_holder(path), "");
  {
    const auto lock = this->files_.lock(path);
    ASSERT_TRUE(lock);
    const auto second = this->files_.lock(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::kRefused);
    EXPECT_EQ(second.error().text, this->files_.lock_holder(path));
    EXPECT_EQ(second.error().text.find("process "), 0u);
  }
  EXPECT_EQ(this->files_.lock_holder(path), "");
  EXPECT_TRUE(this->files_.lock(path));
}

TEST(PosixFilesTest, OfARecordThatFindsTheDiskFullNothingIsLeft) {
  const TempDirectory directory;
  PosixFiles twin;
  Files& files = twin;
  const std::string path = directory.path("a");
  const auto file = files.open_append(path);
  ASSERT_TRUE((*file)->append("one\n"));
  {
    const FileSizeLimit limit(6);
    EXPECT_FALSE((*file)->append("two\n"));
  }
  EXPECT_EQ(*files.read(path), "one\n");
}

TEST(PosixFilesTest, ALinkIsNoFileToBeAppendedToOrLocked) {
  const TempDirectory directory;
  PosixFiles twin;
  Files& files = twin;
  const std::string target = directory.file("target", ""), path = directory.path("link");
  ASSERT_TRUE(files.link(target, path));
  EXPECT_EQ(files.info(path).kind, FileInfo::Kind::kOther);
  EXPECT_FALSE(files.open_append(path));
  EXPECT_EQ(files.lock(path).error().code, Errc::kInternal);
  EXPECT_EQ(files.lock_holder(path), "");
}

TEST(PosixFilesTest, WhereNothingCanBeMadeTheSystemSaysWhy) {
  PosixFiles twin;
  Files& files = twin;
  EXPECT_EQ(files.check_replaceable("/nowhere/a").error().text, "No such file or directory");
  EXPECT_EQ(files.list("/nowhere").error().text, "cannot read /nowhere: No such file or directory");
}

}  // namespace
}  // namespace ha
