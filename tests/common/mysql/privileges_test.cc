// SPDX-License-Identifier: MIT
#include "common/mysql/privileges.h"

#include <gtest/gtest.h>

#include "tests/builders.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

using Words = std::set<std::string>;

Words privileges(const std::vector<std::string>& grants) {
  std::vector<Fields> rows;
  for (const std::string& grant : grants) rows.push_back({{"Grants for x@%", grant}});
  FakeSession session("9.4.0");
  session.answer("SHOW GRANTS", rows_of(rows));
  return *read_privileges(session);
}

TEST(PrivilegesTest, ReadsThoseOnEverything) {
  EXPECT_EQ(privileges({"GRANT USAGE ON *.* TO `x`@`%`"}), Words{"USAGE"});
  EXPECT_EQ(privileges({"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `x`@`%`",
                        "GRANT BACKUP_ADMIN,CLONE_ADMIN ON *.* TO `x`@`%` WITH GRANT OPTION",
                        "GRANT SELECT ON `shop`.* TO `x`@`%`", "GRANT `role`@`%` TO `x`@`%`"}),
            (Words{"REPLICATION SLAVE", "REPLICATION CLIENT", "BACKUP_ADMIN", "CLONE_ADMIN"}));
}

TEST(PrivilegesTest, AllHoldsEach) {
  EXPECT_TRUE(
      holds(privileges({"GRANT ALL PRIVILEGES ON *.* TO 'x'@'%' IDENTIFIED BY PASSWORD 'y'"}),
            kReplicationPrivilege));
  EXPECT_FALSE(
      holds(privileges({"GRANT ALL PRIVILEGES ON `shop`.* TO 'x'@'%'"}), kReplicationPrivilege));
}

TEST(PrivilegesTest, OneIsNotAnotherThatBeginsAlike) {
  EXPECT_FALSE(holds({"REPLICATION SLAVE ADMIN"}, kReplicationPrivilege));
  EXPECT_TRUE(holds({"REPLICATION SLAVE"}, kReplicationPrivilege));
}

TEST(PrivilegesTest, WhatAManagerLacks) {
  ServerFacts mysql{parse_version("9.4.0")}, old{parse_version("5.7.44")},
      mariadb{parse_version("10.11.6-MariaDB-1")};
  const Words of_mysql = {"REPLICATION_SLAVE_ADMIN",
                          "SYSTEM_VARIABLES_ADMIN",
                          "CONNECTION_ADMIN",
                          "SYSTEM_USER",
                          "RELOAD",
                          "PROCESS"};
  const Words of_mariadb = {"BINLOG MONITOR",  "REPLICATION SLAVE ADMIN",
                            "READ_ONLY ADMIN", "CONNECTION ADMIN",
                            "RELOAD",          "PROCESS"};
  using List = std::vector<std::string>;
  EXPECT_EQ(missing_to_manage(mysql, of_mysql), List{});
  EXPECT_EQ(missing_to_manage(mysql, {"ALL PRIVILEGES"}), List{});
  EXPECT_EQ(missing_to_manage(mysql, {"SUPER", "RELOAD"}), (List{"SYSTEM_USER", "PROCESS"}));
  EXPECT_EQ(missing_to_manage(mysql, {"RELOAD", "PROCESS"}),
            (List{"REPLICATION_SLAVE_ADMIN", "SYSTEM_VARIABLES_ADMIN", "CONNECTION_ADMIN",
                  "SYSTEM_USER"}));
  EXPECT_EQ(missing_to_manage(old, {"PROCESS"}), (List{"SUPER", "RELOAD"}));
  EXPECT_EQ(missing_to_manage(old, {"SUPER", "PROCESS", "RELOAD"}), List{});
  EXPECT_EQ(missing_to_manage(mariadb, of_mariadb), List{});
  EXPECT_EQ(missing_to_manage(mariadb, {"SUPER", "RELOAD", "PROCESS"}), List{"READ_ONLY ADMIN"});
  mariadb.semi_sync.source_enabled = true;
  EXPECT_EQ(missing_to_manage(mariadb, of_mariadb), List{"REPLICATION MASTER ADMIN"});
}

TEST(PrivilegesTest, AnErrorComesThrough) {
  FakeSession session("9.4.0");
  session.answer("SHOW GRANTS", Error{Errc::kUnreachable, "lost"});
  EXPECT_EQ(read_privileges(session).error().text, "lost");
}

}  // namespace
}  // namespace ha
