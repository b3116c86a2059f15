// SPDX-License-Identifier: MIT
#include "common/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>

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

TEST(FilesTest, WritesForOthersToRead) {
  const TempDirectory directory;
  ASSERT_TRUE(write_file_atomic(directory.path("hosts"), "db2", 0644));
  EXPECT_EQ(mode_of(directory.path("hosts")), 0644u);
}

TEST(FilesTest, FollowsTheLinksOfOurOwnDirectories) {
  const TempDirectory directory;
  fs::create_directory(directory.path("real"));
  fs::create_directory_symlink("real", directory.path("link"));
  ASSERT_TRUE(write_file_atomic(directory.path("link/state"), "x"));
  fs::create_symlink("link/../link/state", directory.path("file"));
  EXPECT_EQ(content_of(directory.path("file")), "x");
  fs::create_symlink("loop", directory.path("loop"));
  EXPECT_EQ(content_of(directory.path("loop")),
            "error: cannot read " + directory.path("loop") + ": Too many levels of symbolic links");
}

TEST(FilesTest, ReadsThroughTheKernelsOwnLinks) {
  const TempDirectory directory;
  const int file = open(directory.file("a", "x").c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(content_of("/dev/fd/" + std::to_string(file)), "x");
  close(file);
  EXPECT_NE(content_of("/proc/self/mountinfo"), "");
}

// Another user, who does `mischief` again and again until this ends.
class Attacker {
 public:
  explicit Attacker(const std::function<void()>& mischief) : child_(fork()) {
    if (child_ != 0) return;
    if (setgid(kUser) != 0 || setuid(kUser) != 0) _exit(1);
    for (const pid_t parent = getppid(); getppid() == parent;) mischief();
    _exit(0);
  }
  ~Attacker() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  Attacker(const Attacker&) = delete;
  Attacker& operator=(const Attacker&) = delete;

  static constexpr uid_t kUser = 65534;

 private:
  pid_t child_;
};

// Does the work again and again, for as long as an attack is tried and, on a busy machine, until
// the attacker has had his turn.
void for_a_while(const std::function<void()>& work, const std::function<bool()>& was_attacked) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now(), end = start + std::chrono::milliseconds(500),
             last = start + std::chrono::seconds(30);
  while (Clock::now() < end || (!was_attacked() && Clock::now() < last)) work();
}

class HostileOwnerTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(geteuid(), 0u) << "only root writes into directories of other users";
    fs::permissions(directory_.path(""), static_cast<fs::perms>(0755));
    fs::create_directory(theirs_);
    ASSERT_EQ(chown(theirs_.c_str(), Attacker::kUser, Attacker::kUser), 0);
  }

  const TempDirectory directory_;
  const std::string theirs_ = directory_.path("theirs"), file_ = theirs_ + "/hosts";
};

TEST_F(HostileOwnerTest, CannotHaveAnotherFilesModeChanged) {
  const std::string precious = directory_.file("precious", "secret");
  fs::permissions(precious, static_cast<fs::perms>(0600));
  const Attacker attacker([&] {
    unlink(file_.c_str());
    if (symlink(precious.c_str(), file_.c_str()) != 0) return;
  });
  int attacked = 0;
  for_a_while(
      [&] {
        attacked += fs::is_symlink(file_) ? 1 : 0;
        ASSERT_TRUE(write_file_atomic(file_, "db2", 0644));
      },
      [&] { return attacked > 0; });
  EXPECT_EQ(mode_of(precious), 0600u);
  EXPECT_EQ(content_of(precious), "secret");
}

TEST_F(HostileOwnerTest, CannotLeadUsIntoAnotherDirectory) {
  const std::string ours = directory_.path("ours"), conf = theirs_ + "/conf";
  fs::create_directory(ours);
  const Attacker attacker([&] {
    mkdir(conf.c_str(), 0700);
    rename(conf.c_str(), (theirs_ + "/aside").c_str());
    if (symlink(ours.c_str(), conf.c_str()) != 0) return;
    unlink(conf.c_str());
    rename((theirs_ + "/aside").c_str(), conf.c_str());
  });
  int refused = 0, led = 0;
  for_a_while(
      [&] {
        const auto written = write_file_atomic(conf + "/hosts", "db2");
        if (!written && written.error().text.find("is a link of user nobody") != std::string::npos)
          ++refused;
        led += fs::is_empty(ours) ? 0 : 1;
      },
      [&] { return refused > 0 || led > 0; });
  EXPECT_EQ(led, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(HostileOwnerTest, CannotHaveAnotherFileRead) {
  const std::string precious = directory_.file("precious", "secret");
  ASSERT_EQ(symlink(precious.c_str(), file_.c_str()), 0);
  ASSERT_EQ(lchown(file_.c_str(), Attacker::kUser, Attacker::kUser), 0);
  EXPECT_EQ(content_of(file_),
            "error: cannot read " + file_ + ": " + file_ +
                " is a link of user nobody to what belongs to user root; name the target itself, "
                "or run as root: chown -h root " +
                file_);
  ASSERT_EQ(chown(precious.c_str(), Attacker::kUser, Attacker::kUser), 0);
  EXPECT_EQ(content_of(file_), "secret");
}

TEST_F(HostileOwnerTest, CannotExchangeAPrivateDirectory) {
  const std::string state = theirs_ + "/state";
  const auto made = make_private_directory(state);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text, state +
                                   " lies in a directory of user nobody, so it could be exchanged; "
                                   "choose one whose parents belong to root");
  fs::permissions(directory_.path(""), static_cast<fs::perms>(0777));
  EXPECT_FALSE(make_private_directory(directory_.path("state")));
  fs::permissions(directory_.path(""), static_cast<fs::perms>(01777));
  EXPECT_TRUE(make_private_directory(directory_.path("state")));
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
