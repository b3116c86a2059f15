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

TEST(PrivilegesTest, WhatIsTakenAwayAgain) {
  FakeSession session("9.4.0");
  session.answer("SHOW GRANTS",
                 rows_of({Fields{{"Grants for x@%", "GRANT SELECT ON *.* TO `x`@`%`"}},
                          Fields{{"Grants for x@%", "REVOKE SELECT ON `shop`.* FROM `x`@`%`"}}}));
  EXPECT_EQ(*read_revokes(session),
            std::vector<std::string>{"REVOKE SELECT ON `shop`.* FROM `x`@`%`"});
}

TEST(PrivilegesTest, WhatACopierLacks) {
  using List = std::vector<std::string>;
  using enum CopyPart;
  const auto missing = [](const char* version, const Words& words, std::vector<CopyPart> parts) {
    return missing_to_copy(parse_version(version), words, parts);
  };
  const std::vector<CopyPart> all = {kRead,   kDumped,   kCloned,  kReplaced,
                                     kLoaded, kReceives, kInstalls};
  for (const char* const version : {"9.4.0", "5.7.44", "10.11.6-MariaDB-1", "10.4.1-MariaDB"})
    EXPECT_EQ(missing(version, {"ALL PRIVILEGES"}, all), List{}) << version;
  EXPECT_EQ(missing("9.4.0", {"PROCESS"}, {kRead}), (List{"SELECT", "REPLICATION CLIENT"}));
  EXPECT_EQ(missing("9.4.0", {"SELECT", "PROCESS", "REPLICATION CLIENT"}, {kRead, kCloned}),
            List{"BACKUP_ADMIN"});
  EXPECT_EQ(missing("9.4.0", {"SELECT", "EVENT"}, {kDumped}),
            (List{"SHOW VIEW", "TRIGGER", "RELOAD", "LOCK TABLES"}));
  EXPECT_EQ(missing("9.4.0", {}, {kReceives, kInstalls}),
            (List{"SYSTEM_VARIABLES_ADMIN", "CLONE_ADMIN", "INSERT"}));
  const Words most = {"SELECT", "EVENT", "RELOAD", "CREATE", "DROP"};
  const auto with = [&most](Words more) {
    more.insert(most.begin(), most.end());
    return more;
  };
  EXPECT_EQ(missing("5.7.44", with({"REPLICATION CLIENT"}), {kReplaced}), List{"SUPER"});
  EXPECT_EQ(missing("8.0.36", with({"REPLICATION CLIENT", "SUPER", "SET_USER_ID"}), {kReplaced}),
            List{});
  EXPECT_EQ(missing("10.11.6-MariaDB-1", with({"SUPER"}), {kReplaced}),
            (List{"REPLICATION SLAVE ADMIN", "BINLOG ADMIN", "SET USER", "READ_ONLY ADMIN"}));
  EXPECT_EQ(missing("10.4.1-MariaDB", with({}), {kReplaced}), List{"SUPER"});
}

}  // namespace
}  // namespace ha
