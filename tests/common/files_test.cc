// SPDX-License-Identifier: MIT
#include "common/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const std::string& path) {
  struct stat info = {};
  return lstat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

std::string content_of(const std::string& path) {
  const auto content = read_file(path);
  return content ? *content : "error: " + content.error().text;
}

TEST(FilesTest, ReadsAFileWhole) {
  const TempDirectory directory;
  EXPECT_EQ(content_of(directory.file("a", std::string(100000, 'x'))), std::string(100000, 'x'));
  EXPECT_EQ(content_of(directory.file("empty", "")), "");
}

TEST(FilesTest, ReadingFailsWithPathAndReason) {
  const TempDirectory directory;
  const auto missing = read_file(directory.path("none"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::kMissing);
  EXPECT_EQ(missing.error().text,
            "cannot read " + directory.path("none") + ": No such file or directory");

  const auto is_directory = read_file(directory.path(""));
  ASSERT_FALSE(is_directory);
  EXPECT_EQ(is_directory.error().code, Errc::kUsage);

  const auto huge = read_file(directory.file("huge", std::string(kMaxFileSize + 1, 'x')));
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, Errc::kUsage);
}

TEST(FilesTest, WritesForTheOwnerAlone) {
  const TempDirectory directory;
  const std::string path = directory.path("state");
  ASSERT_TRUE(write_file_atomic(path, "one"));
  EXPECT_EQ(content_of(path), "one");
  EXPECT_EQ(mode_of(path), 0600u);
}

TEST(FilesTest, ReplacesAFileAndLeavesNothingElse) {
  const TempDirectory directory;
  const std::string path = directory.file("state", "old");
  fs::permissions(path, fs::perms::all);
  ASSERT_TRUE(write_file_atomic(path, "new"));
  EXPECT_EQ(content_of(path), "new");
  EXPECT_EQ(mode_of(path), 0600u);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path("")), {}), 1);
}

TEST(FilesTest, ReplacesALinkInsteadOfWritingThroughIt) {
  const TempDirectory directory;
  const std::string target = directory.file("target", "precious"), path = directory.path("state");
  fs::create_symlink(target, path);
  ASSERT_TRUE(write_file_atomic(path, "new"));
  EXPECT_EQ(content_of(target), "precious");
  EXPECT_FALSE(fs::is_symlink(path));
}

TEST(FilesTest, AFailedWriteNamesThePathAndLeavesNothing) {
  const TempDirectory directory;
  const auto nowhere = write_file_atomic(directory.path("none/state"), "x");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().text,
            "cannot write " + directory.path("none/state") + ": No such file or directory");

  fs::create_directory(directory.path("state"));
  ASSERT_FALSE(write_file_atomic(directory.path("state"), "x"));
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path("")), {}), 1);
}

TEST(FilesTest, MakesAPrivateDirectoryOnce) {
  const TempDirectory directory;
  const std::string path = directory.path("state");
  ASSERT_TRUE(make_private_directory(path));
  EXPECT_EQ(mode_of(path), 0700u);
  EXPECT_TRUE(make_private_directory(path));
}

TEST(FilesTest, RefusesADirectoryThatOthersMayChange) {
  const TempDirectory directory;
  const std::string path = directory.path("state");
  fs::create_directory(path);
  for (const fs::perms writer : {fs::perms::group_write, fs::perms::others_write}) {
    fs::permissions(path, fs::perms::owner_all | writer);
    const auto made = make_private_directory(path);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().text, "other users may write to " + path + "; run: chmod go-w " + path);
  }
}

TEST(FilesTest, RefusesALinkOrAFileInPlaceOfTheDirectory) {
  const TempDirectory directory;
  fs::create_directory(directory.path("real"));
  fs::create_directory_symlink(directory.path("real"), directory.path("link"));
  EXPECT_FALSE(make_private_directory(directory.path("link")));
  EXPECT_FALSE(make_private_directory(directory.file("file", "")));
  EXPECT_FALSE(make_private_directory(directory.path("no/parent")));
}

}  // namespace
}  // namespace ha
