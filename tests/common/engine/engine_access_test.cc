// SPDX-License-Identifier: MIT
#include "common/engine/engine_access.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/posix_process.h"
#include "tests/fakes/child.h"
#include "tests/fakes/deadline_in.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

class LocalEngineTest : public testing::Test {
 protected:
  // As an engine writes it: a new file in the old one's place.
  void write(int pid) {
    const std::string written = directory_.file(
        "new", fmt::format("info {{\n\tcreated=1\n\t}}\n\nprogramstatus {{\n\tnagios_pid={}\n"
                           "\tenable_notifications=1\n\t}}\n",
                           pid));
    std::filesystem::rename(written, path_);
  }

  EngineView probe() { return engine_.probe(Role::kActive, deadline_in(5)); }

  TempDirectory directory_;
  std::string path_ = directory_.path("status.dat");
  PosixProcess process_;
  LocalEngine engine_{{path_}, process_};
};

TEST_F(LocalEngineTest, ASecondDaemonIsSoughtOnceForEachStatusFile) {
  const std::vector<std::string> words = {"nagios", "-f", directory_.file("nagios.cfg", "")};
  const Child daemon("tail", words);
  write(daemon.pid());
  EXPECT_EQ(probe().trouble, "");
  const Child second("tail", words);
  EXPECT_EQ(probe().trouble, "") << "the file is the same, and so is the answer";
  write(daemon.pid());
  for (int probes = 0; probes < 2; ++probes) {
    const EngineView view = probe();
    EXPECT_NE(view.trouble.find("run on the same configuration"), std::string::npos)
        << view.trouble;
    EXPECT_EQ(view.created, std::nullopt) << "whose flags are they?";
  }
}

}  // namespace
}  // namespace ha
