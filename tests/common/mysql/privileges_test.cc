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

TEST(PrivilegesTest, AnErrorComesThrough) {
  FakeSession session("9.4.0");
  session.answer("SHOW GRANTS", Error{Errc::kUnreachable, "lost"});
  EXPECT_EQ(read_privileges(session).error().text, "lost");
}

}  // namespace
}  // namespace ha
