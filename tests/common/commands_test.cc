// SPDX-License-Identifier: MIT
#include "common/commands.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

TEST(CommandsTest, OptionsFollowTheWordsOfTheCommand) {
  const CommandWords words = {"", "--cluster c.conf", ""};
  const struct {
    const char *text, *completed;
  } cases[] = {
      {"", ""},
      {"no command", "no command"},
      {"run: mysql_ha resync db1", "run: mysql_ha resync db1 --cluster c.conf"},
      {"run: mysql_ha resync db1; then look",
       "run: mysql_ha resync db1 --cluster c.conf; then look"},
      {"run mysql_ha rejoin db1.example.com, please",
       "run mysql_ha rejoin db1.example.com --cluster c.conf, please"},
      {"mysql_ha journal ack 20261125T082824.500-12.",
       "mysql_ha journal ack 20261125T082824.500-12 --cluster c.conf."},
      {"mysql_ha journal show 7 tells", "mysql_ha journal show 7 --cluster c.conf tells"},
      {"(see mysql_ha journal)", "(see mysql_ha journal --cluster c.conf)"},
      {"see: mysql_ha plan", "see: mysql_ha plan --cluster c.conf"},
      {"mysql_ha switchover --to db2", "mysql_ha switchover --to db2 --cluster c.conf"},
      {"run: mysql_ha failover --allow-loss",
       "run: mysql_ha failover --allow-loss --cluster c.conf"},
      {"mysql_ha failover --assume-replica db3 --allow-loss, else",
       "mysql_ha failover --assume-replica db3 --allow-loss --cluster c.conf, else"},
      {"run: mysql_ha repair --winner db2", "run: mysql_ha repair --winner db2 --cluster c.conf"},
      {"mysql_ha failover, --allow-loss", "mysql_ha failover --cluster c.conf, --allow-loss"},
      {"mysql_ha resync db1: mysql_ha rejoin db1",
       "mysql_ha resync db1 --cluster c.conf: mysql_ha rejoin db1 --cluster c.conf"},
      {"mysql_ha: refused", "mysql_ha: refused"},
      {"mysql_ha reads this", "mysql_ha reads this"},
      {"mysql_ha plan --cluster c.conf", "mysql_ha plan --cluster c.conf"},
      {"/usr/sbin/mysql_ha plan", "/usr/sbin/mysql_ha plan"},
      {"mysql_ha resync", "mysql_ha resync"},
  };
  for (const auto& c : cases) EXPECT_EQ(complete_commands(c.text, words), c.completed);
}

TEST(CommandsTest, AnotherUserIsNamedOnce) {
  const CommandWords words = {"runuser -u nagios -- ", "-o", "mysql_ha failover -o"};
  EXPECT_EQ(complete_commands("run: mysql_ha plan", words),
            "run: runuser -u nagios -- mysql_ha plan -o");
  EXPECT_EQ(complete_commands("run: runuser -u db -- mysql_ha plan", words),
            "run: runuser -u db -- mysql_ha plan -o");
  EXPECT_EQ(complete_commands("run: runuser -u db -- {this command}", words),
            "run: runuser -u db -- mysql_ha failover -o");
}

TEST(CommandsTest, AnotherModeOfThisProgramHasItsOptions) {
  EXPECT_EQ(complete_commands("to end that, run: {this program} --end (or {this program} --go)",
                              {"runuser -u nagios -- ", "-o x", "/h --state OK -o x", "/h"}),
            "to end that, run: runuser -u nagios -- /h -o x --end (or runuser -u nagios -- /h -o x "
            "--go)");
  EXPECT_EQ(complete_commands("run: {this program} --end", {"", "", "", "/h"}), "run: /h --end");
}

TEST(CommandsTest, ATextThatTellsACommandIsKnown) {
  for (const char* const text : {"see: mysql_ha status", "run: mysql_ha rejoin db1", "run: reboot",
                                 "run there: START SLAVE", "{this command}"})
    EXPECT_TRUE(names_command(text)) << text;
  for (const char* const text : {"", "mysql_ha: refused", "mysql_ha resync", "it runs"})
    EXPECT_FALSE(names_command(text)) << text;
}

TEST(CommandsTest, WithoutWordsATextStaysAsItIs) {
  EXPECT_EQ(complete_commands("run: mysql_ha plan", {}), "run: mysql_ha plan");
}

}  // namespace
}  // namespace ha
