// SPDX-License-Identifier: MIT
#include "common/engine/role_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace ha {
namespace {

const RoleRecord kTakenOver{Role::kActive,
                            {EngineFlag::kServiceChecks, EngineFlag::kNotifications},
                            true,
                            1714557600,
                            {EngineFlag::kNotifications},
                            "root"};

class RoleStoreTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(parent_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(parent_); }
  std::string directory() const { return parent_ + "/state"; }
  Result<RoleStore> open(const std::string& engine) const {
    return RoleStore::open(directory(), engine);
  }

 private:
  std::string parent_ = testing::TempDir() + "role.XXXXXX";
};

TEST_F(RoleStoreTest, WhatWasSavedIsLoadedByTheNextHandler) {
  {
    const auto store = open("/rw/nagios.cmd");
    ASSERT_TRUE(store);
    EXPECT_EQ(store->load()->role, Role::kStandby);
    ASSERT_TRUE(store->save(kTakenOver));
  }
  const auto record = open("/rw/nagios.cmd")->load();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->role, Role::kActive);
  EXPECT_EQ(record->changed, kTakenOver.changed);
  EXPECT_TRUE(record->started);
  EXPECT_EQ(record->commands_at, 1714557600);
  EXPECT_EQ(record->sent, kTakenOver.sent);
  EXPECT_EQ(record->by_hand, "root");
  EXPECT_EQ(peek_role_record(directory(), "/rw/nagios.cmd")->role, Role::kActive);
  EXPECT_EQ(open("/other.cmd")->load()->role, Role::kStandby);
}

TEST_F(RoleStoreTest, FilesAreForTheOwnerAlone) {
  const auto store = open("/rw/nagios.cmd");
  ASSERT_TRUE(store->save(kTakenOver));
  for (const auto& entry : std::filesystem::directory_iterator(directory())) {
    struct stat info = {};
    ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << entry.path();
  }
}

TEST_F(RoleStoreTest, ARecordThatDoesNotNameTheOpenCommandsMayMeanAll) {
  const auto record = parse_role_record(
      "{\"role\":\"standby\",\"changed\":[],\"started\":false,\"commands_at\":5}");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->sent.size(), 3u);
}

TEST_F(RoleStoreTest, ADamagedRecordIsNotGuessed) {
  const auto store = open("/rw/nagios.cmd");
  std::ofstream(path_of_engine(directory(), "/rw/nagios.cmd") + ".json") << "{";
  EXPECT_EQ(store->load().error().code, Errc::kBadData);
  for (const std::string_view text :
       {"", "[]", "{}", "{\"role\":\"king\",\"changed\":[]}", "{\"role\":\"active\"}",
        "{\"role\":\"active\",\"changed\":[\"coffee\"]}", "{\"role\":\"active\",\"changed\":[1]}"})
    EXPECT_FALSE(parse_role_record(text)) << text;
}

}  // namespace
}  // namespace ha
