// SPDX-License-Identifier: MIT
#include "common/lock_file.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

TEST(LockFileTest, OneAtATimeHasTheLock) {
  const TempDirectory directory;
  const std::string path = directory.path("lock");
  EXPECT_FALSE(is_locked(path)) << "there is no such file";
  std::optional<LockFile> first = std::move(*LockFile::open(path));
  const auto second = LockFile::open(path);
  EXPECT_TRUE(first->take());
  EXPECT_TRUE(first->take()) << "it has it";
  EXPECT_FALSE(second->take());
  EXPECT_TRUE(is_locked(path));
  first.reset();
  EXPECT_FALSE(is_locked(path));
  EXPECT_TRUE(second->take());
}

TEST(LockFileTest, ALinkIsNotFollowed) {
  const TempDirectory directory;
  std::filesystem::create_symlink(directory.file("target", ""), directory.path("link"));
  const auto file = LockFile::open(directory.path("link"));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Errc::kInternal);
  EXPECT_TRUE(file.error().text.starts_with("cannot open " + directory.path("link") + ": "));
  EXPECT_FALSE(is_locked(directory.path("link")));
}

}  // namespace
}  // namespace ha
