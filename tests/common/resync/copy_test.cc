// SPDX-License-Identifier: MIT
// Copying a server by each method, from the first statement to the last: db2 is replaced by a copy
// of db1, which is the primary.
#include "common/resync/copy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "common/text.h"
#include "tests/fakes/copying.h"

namespace ha {
namespace {

struct Way {
  Flavour flavour;
  CopyMethod method;
  const char* name;
};

const Way kWays[] = {{Flavour::kMysql, CopyMethod::kDump, "MySQL by a dump"},
                     {Flavour::kMariadb, CopyMethod::kDump, "MariaDB by a dump"},
                     {Flavour::kMysql, CopyMethod::kCommand, "MySQL by a command"},
                     {Flavour::kMariadb, CopyMethod::kCommand, "MariaDB by a command"},
                     {Flavour::kMysql, CopyMethod::kClone, "MySQL by the clone plugin"}};

TEST(CopyServerTest, ReplacesAllThatItHas) {
  for (const Way& way : kWays) {
    Copying one(way.flavour, way.method);
    const auto copied = one.copy();
    ASSERT_TRUE(copied) << way.name << ": " << copied.error().text;
    EXPECT_EQ(copied->position, (BinlogPosition{"binlog.000009", 400})) << way.name;
    EXPECT_EQ(copied->warnings, std::vector<std::string>()) << way.name;
    EXPECT_EQ(one.begun, 1) << way.name;
    one.expect_whole(way.name);
    EXPECT_EQ(one.target.count("SUM(c) AS total"), 1) << way.name;
  }
}

TEST(CopyServerTest, ADumpIsLoadedWithoutWhatIsAboutItsServer) {
  Copying mysql(Flavour::kMysql, CopyMethod::kDump);
  ASSERT_TRUE(mysql.copy());
  EXPECT_EQ(mysql.target.count("DROP DATABASE `shop`"), 1);
  EXPECT_EQ(mysql.target.count("INSERT INTO `a` VALUES (1),(2)"), 1);
  EXPECT_EQ(mysql.target.count("CHANGE "), 0);
  EXPECT_EQ(mysql.target.count("@@GLOBAL.GTID_PURGED"), 0);
  EXPECT_EQ(mysql.target.count("SET GLOBAL gtid_purged='" + uuid_of(1) + ":1-100'"), 1);
  Copying mariadb(Flavour::kMariadb, CopyMethod::kDump);
  ASSERT_TRUE(mariadb.copy());
  EXPECT_EQ(mariadb.target.count("SET GLOBAL gtid_slave_pos='0-1-100'"), 1);
  EXPECT_EQ(mariadb.target.count("SET GLOBAL gtid_binlog_state='0-1-100'"), 1);
}

// Whatever fails: the node is as it was, or the copy is whole, or the error says that it is not.
TEST(CopyServerTest, AStatementThatFailsLeavesNothingHalfUnsaid) {
  for (const Way& way : kWays)
    for (const bool at_source : {false, true}) {
      Copying whole(way.flavour, way.method);
      ASSERT_TRUE(whole.copy());
      const std::size_t all = (at_source ? whole.source : whole.target).asked.size();
      for (std::size_t number = 1; number <= all; ++number) {
        Copying one(way.flavour, way.method);
        FakeServer& failing = at_source ? one.source : one.target;
        failing.fails_at = number;
        const auto copied = one.copy();
        const std::string what = std::string(way.name) + ": " + failing.asked[number - 1];
        if (copied) {
          one.expect_whole(what);
          continue;
        }
        if (one.begun == 0) {
          one.expect_untouched(what);
          continue;
        }
        EXPECT_NE(copied.error().text.find("no complete copy"), std::string::npos)
            << what << ": " << copied.error().text;
        EXPECT_TRUE(one.world.files.files.contains(one.record)) << what;
      }
    }
}

TEST(CopyServerTest, ACopyThatIsNotEqualIsNone) {
  const struct {
    const char *fragment, *value, *want;
  } cases[] = {{"COUNT(*) FROM `shop`.`a`", "1", "`shop`.`a`"},
               {"COUNT(*) FROM `shop`.`a`", "3", "`shop`.`a`"}};
  for (const auto& c : cases) {
    Copying one(Flavour::kMysql, CopyMethod::kDump);
    one.target.answer(c.fragment, c.value);
    const auto copied = one.copy();
    ASSERT_FALSE(copied) << c.value;
    EXPECT_NE(copied.error().text.find(c.want), std::string::npos) << copied.error().text;
    EXPECT_TRUE(one.target.half_copied);
  }
  Copying other(Flavour::kMysql, CopyMethod::kDump);
  other.target.answer("SUM(c) AS total",
                      rows_of({{{"rows_", "2"}, {"known", "2"}, {"total", "78"}}}));
  const auto copied = other.copy();
  ASSERT_FALSE(copied);
  EXPECT_NE(copied.error().text.find("other contents"), std::string::npos) << copied.error().text;
}

TEST(CopyServerTest, WhatCannotBeComparedIsAWarning) {
  Copying one(Flavour::kMysql, CopyMethod::kDump);
  one.resync.verify = Verify::kFull;
  one.target.answer("SUM(c) AS total",
                    rows_of({{{"rows_", "2"}, {"known", "1"}, {"total", "77"}}}));
  const auto copied = one.copy();
  ASSERT_TRUE(copied) << copied.error().text;
  ASSERT_EQ(copied->warnings.size(), 1u);
  EXPECT_NE(copied->warnings[0].find("`shop`.`a`"), std::string::npos);
}

TEST(CopyServerTest, WithoutVerifyNoRowIsCounted) {
  Copying one(Flavour::kMysql, CopyMethod::kDump);
  one.resync.verify = Verify::kNone;
  ASSERT_TRUE(one.copy());
  EXPECT_EQ(one.source.count("COUNT(*) FROM `shop`.`a`"), 0);
  EXPECT_EQ(one.target.count("COUNT(*) FROM `shop`.`a`"), 0);
}

TEST(CopyServerTest, EndsWhenItsTimeIsOver) {
  for (const CopyMethod method : {CopyMethod::kDump, CopyMethod::kCommand}) {
    Copying late(Flavour::kMysql, method);
    late.resync.timeout_s = 100;
    late.takes_s = 101;
    const auto copied = late.copy();
    ASSERT_FALSE(copied);
    EXPECT_NE(copied.error().text.find("--copy-timeout"), std::string::npos);
    EXPECT_EQ(late.begun, method == CopyMethod::kCommand ? 1 : 0);
    Copying stopped(Flavour::kMysql, method);
    stopped.world.clock.stop = true;
    EXPECT_FALSE(stopped.copy());
  }
}

TEST(CopyServerTest, ReportsHowFarItIsAndKeepsItsConnectionsAlive) {
  Copying one(Flavour::kMysql, CopyMethod::kDump);
  one.takes_s = 70;
  ASSERT_TRUE(one.copy());
  EXPECT_EQ(one.source.count("DO 0"), 2);  // one of them guards the primary
  EXPECT_EQ(one.target.count("DO 0"), 1);
  EXPECT_TRUE(std::ranges::any_of(one.said, [](const std::string& line) {
    return line.starts_with("dumped ");
  })) << join(one.said, "\n");
}

// What takes long is reported while it goes on, and ended when it is to end.
TEST(CopyServerTest, WatchesWhatTheServersDo) {
  const std::pair<CopyMethod, const char*> cases[] = {{CopyMethod::kDump, "loaded "},
                                                      {CopyMethod::kClone, "cloned "},
                                                      {CopyMethod::kClone, "counted the rows"}};
  for (const auto& [method, words] : cases) {
    Copying slow(Flavour::kMysql, method);
    slow.workers.late = 4;
    ASSERT_TRUE(slow.copy());
    EXPECT_NE(join(slow.said, "\n").find(words), std::string::npos) << join(slow.said, "\n");
    Copying late(Flavour::kMysql, method);
    late.workers.late = 4;
    late.resync.timeout_s = 5;
    const auto copied = late.copy();
    ASSERT_FALSE(copied);
    EXPECT_NE(copied.error().text.find("--copy-timeout"), std::string::npos);
    // The server would go on without us.
    EXPECT_EQ(late.target.count("KILL 7"), method == CopyMethod::kClone ? 1 : 0);
  }
}

TEST(CopyServerTest, TablesOfOtherEnginesAreToldAndCounted) {
  Copying one(Flavour::kMysql, CopyMethod::kDump);
  one.source.answer("SUM(data_length) AS bytes",
                    rows_of({{{"bytes", "1"}, {"foreigners", "2"}, {"versioned", "0"}}}));
  ASSERT_TRUE(one.copy());
  EXPECT_NE(join(one.said, "\n").find("2 tables are not InnoDB tables"), std::string::npos);
  const auto& argv = one.world.programs.ran.at(0).argv;
  EXPECT_NE(std::ranges::find(argv, "--lock-all-tables"), argv.end());
}

TEST(CopyServerTest, AProgramThatFailsIsNamed) {
  const struct {
    CopyMethod method;
    const char* program;
  } cases[] = {{CopyMethod::kDump, "mysqldump"}, {CopyMethod::kCommand, "/copy"}};
  for (const auto& c : cases) {
    Copying failing(Flavour::kMysql, c.method);
    failing.world.programs.programs[c.program] = [](const Command&) {
      return ProcessOutcome{ProcessOutcome::End::kExited, 2, "no room", 1};
    };
    const auto copied = failing.copy();
    ASSERT_FALSE(copied);
    EXPECT_NE(copied.error().text.find("exited with 2: no room"), std::string::npos)
        << copied.error().text;
    Copying missing(Flavour::kMysql, c.method);
    missing.world.programs.programs.clear();
    EXPECT_EQ(missing.copy().error().code, Errc::kMissing);
  }
}

TEST(CopyServerTest, ADumpThatIsNotWholeTouchesNothing) {
  Copying one(Flavour::kMysql, CopyMethod::kDump);
  one.world.programs.programs["mysqldump"] = [&](const Command& command) {
    const std::string dump = dump_of(Flavour::kMysql);
    one.world.files.files[command.output_file] = dump.substr(0, dump.size() - 20);
    return ProcessOutcome{};
  };
  EXPECT_EQ(one.copy().error().code, Errc::kBadData);
  one.expect_untouched("a torn dump");
  EXPECT_EQ(one.world.files.files.size(), 0u);
}

TEST(CopyServerTest, ACommandMayNotLetTheServerWork) {
  Copying works(Flavour::kMysql, CopyMethod::kCommand);
  works.world.programs.programs["/copy"] = [&](const Command& command) {
    works.target.half_copied = false;
    works.target.events_run = true;
    works.world.files.files[command.output_file] = "binlog.000009 400 " + uuid_of(1) + ":1-100\n";
    return ProcessOutcome{};
  };
  const auto copied = works.copy();
  ASSERT_FALSE(copied);
  EXPECT_NE(copied.error().text.find("event"), std::string::npos) << copied.error().text;
  Copying idle(Flavour::kMysql, CopyMethod::kCommand);
  idle.world.programs.programs["/copy"] = [&](const Command& command) {
    idle.world.files.files[command.output_file] = "binlog.000009 400 " + uuid_of(1) + ":1-100\n";
    return ProcessOutcome{};
  };
  EXPECT_NE(idle.copy().error().text.find("has not replaced"), std::string::npos);
}

TEST(CopyServerTest, OfTwoCopiersOneIsAtWork) {
  Copying one(Flavour::kMysql, CopyMethod::kDump);
  one.target.answer("GET_LOCK('monitoring-plugins-ha:copy'", "0");
  ASSERT_FALSE(one.copy());
  one.expect_untouched("a lock that is held");
  // What a killed one has left at work is ended.
  Copying left(Flavour::kMysql, CopyMethod::kDump);
  left.target.answer("IS_USED_LOCK('monitoring-plugins-ha:copy:work'", "42");
  ASSERT_TRUE(left.copy());
  EXPECT_EQ(left.target.count("KILL 42"), 1);
}

// Only a lock that another session has means that it is at work.
TEST(CopyServerTest, AnEarlierStatementThatIsStillAtWorkIsTold) {
  for (const bool held : {true, false}) {
    Copying one(Flavour::kMysql, CopyMethod::kDump);
    const std::string lock = "GET_LOCK('monitoring-plugins-ha:copy:work'";
    if (held)
      one.target.answer(lock, "0");
    else
      one.target.fail(lock);
    const auto copied = one.copy();
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().text.find("still at work") != std::string::npos, held)
        << copied.error().text;
  }
}

TEST(CopyServerTest, ANodeThatHasChangedMeanwhileIsLeftAlone) {
  const std::pair<const char*, std::function<void(Copying&)>> cases[] = {
      {"it accepts writes", [](Copying& one) { one.target.read_only = false; }},
      {"it is no replica any more", [](Copying& one) { one.target.channel.reset(); }},
      {"it has written", [](Copying& one) { one.target.executed += "," + uuid_of(2) + ":1"; }},
  };
  for (const auto& [what, change] : cases) {
    Copying one(Flavour::kMysql, CopyMethod::kDump);
    change(one);
    EXPECT_FALSE(one.copy()) << what;
    EXPECT_EQ(one.begun, 0) << what;
    EXPECT_FALSE(one.target.half_copied) << what;
  }
  Copying discards(Flavour::kMysql, CopyMethod::kDump);
  discards.resync.extra_transactions = ExtraTransactions::kDiscard;
  discards.target.executed += "," + uuid_of(2) + ":1";
  EXPECT_TRUE(discards.copy());
}

TEST(CopyServerTest, WithoutNumbersTheEndOfTheBinlogTells) {
  for (const std::uint64_t offset : {400u, 500u}) {
    Copying one(Flavour::kMysql, CopyMethod::kDump);
    one.task.to = writer(2);
    one.task.to.facts->read_only = true;
    for (Node* const node : {&one.task.from, &one.task.to, &one.task.primary}) {
      node->facts->history = {};
      node->facts->binlog = BinlogPosition{"binlog.000009", 400};
    }
    one.source.executed = one.target.executed = "";
    one.target.channel.reset();
    one.target.binlog.offset = offset;
    EXPECT_EQ(one.copy().has_value(), offset == 400) << offset;
  }
}

TEST(CopyServerTest, ClonesFromNoServerThatItCannotKnow) {
  Copying one(Flavour::kMysql, CopyMethod::kClone);
  one.options.cluster.mysql.user = "";
  EXPECT_EQ(one.copy().error().code, Errc::kUsage);
  one.expect_untouched("no account");
}

TEST(CopyServerTest, InstallsTheClonePluginOnAServerThatIsClosed) {
  Copying one(Flavour::kMysql, CopyMethod::kClone);
  one.target.answer("information_schema.plugins", "0");
  ASSERT_TRUE(one.copy());
  EXPECT_EQ(one.source.count("INSTALL PLUGIN clone"), 0);
  EXPECT_EQ(one.target.count("INSTALL PLUGIN clone"), 1);
  one.expect_whole("installed");
}

TEST(CopyServerTest, ACloneThatFailsIsNoCopy) {
  Copying one(Flavour::kMysql, CopyMethod::kClone);
  one.target.fail("CLONE INSTANCE").answer("SELECT CONCAT(STATE", "Failed no room");
  const auto copied = one.copy();
  ASSERT_FALSE(copied);
  EXPECT_NE(copied.error().text.find("no complete copy"), std::string::npos) << copied.error().text;
}

TEST(CopyServerTest, AServerThatDoesNotComeBackIsNotAwaitedForEver) {
  for (const CopyMethod method : {CopyMethod::kClone, CopyMethod::kCommand}) {
    Copying one(Flavour::kMysql, method);
    const auto die = [&] { one.world.connector.servers.erase("db2"); };
    one.target.answer("CLONE INSTANCE", [&](const std::string&) -> Result<Rows> {
      die();
      return Error{Errc::kUnreachable, "lost connection", 2013};
    });
    one.world.programs.programs["/copy"] = [&](const Command& command) {
      one.world.files.files[command.output_file] = "binlog.000009 400 " + uuid_of(1) + ":1-100\n";
      die();
      return ProcessOutcome{};
    };
    const double begin_s = one.world.clock.time_s;
    EXPECT_FALSE(one.copy());
    EXPECT_GE(one.world.clock.time_s - begin_s, 600);
    EXPECT_LE(one.world.clock.time_s - begin_s, 700);
    EXPECT_TRUE(one.world.files.files.contains(one.record));
  }
}

TEST(CopyServerTest, WhatALastCopyHasLeftIsNotPutBack) {
  Copying one(Flavour::kMysql, CopyMethod::kDump);
  one.target.half_copied = true;
  one.target.fail("CREATE DATABASE");
  const auto copied = one.copy();
  ASSERT_FALSE(copied);
  EXPECT_NE(copied.error().text.find("no complete copy"), std::string::npos) << copied.error().text;
  EXPECT_TRUE(one.target.half_copied);
}

TEST(CheckCopyTest, ChangesNothing) {
  for (const Way& way : kWays) {
    Copying one(way.flavour, way.method);
    const auto checked = one.check();
    EXPECT_TRUE(checked) << way.name << ": " << checked.error().text;
    one.expect_untouched(way.name);
    EXPECT_EQ(one.target.count("GET_LOCK"), 0) << way.name;
  }
}

TEST(CheckCopyTest, NamesWhatTheAccountLacks) {
  const struct {
    bool at_source;
    const char *grant, *want;
  } cases[] = {
      {true, "GRANT SELECT ON *.* TO `m`@`%`", "run there: GRANT "},
      {false, "GRANT SELECT ON *.* TO `m`@`%`", "run there: GRANT "},
  };
  for (const auto& c : cases) {
    Copying one(Flavour::kMysql, CopyMethod::kDump);
    (c.at_source ? one.source : one.target)
        .answer("SHOW GRANTS", one_cell(c.grant))
        .answer("CURRENT_USER", one_cell("m@%"));
    const auto checked = one.check();
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, Errc::kAccessDenied);
    EXPECT_NE(checked.error().text.find(c.want), std::string::npos) << checked.error().text;
  }
  Copying one(Flavour::kMysql, CopyMethod::kDump);
  one.source.answer("SHOW GRANTS", Rows{{"g"},
                                        {{"GRANT ALL PRIVILEGES ON *.* TO `m`@`%`"},
                                         {"REVOKE SELECT ON `x`.* FROM `m`"}}});
  EXPECT_EQ(one.check().error().code, Errc::kAccessDenied);
}

TEST(CheckCopyTest, AskesWhetherACloneVerifiesCertificates) {
  for (const char* const files : {"0", "1"}) {
    Copying one(Flavour::kMysql, CopyMethod::kClone);
    one.options.cluster.mysql.tls_mode = TlsMode::kVerifyCa;
    one.target.answer("clone_ssl_ca", files);
    EXPECT_EQ(one.check().has_value(), std::string_view(files) == "1");
  }
}

TEST(RemoveLeftoversTest, DumpsAndPasswordsGoAndTheRestStays) {
  MemoryFiles files;
  for (const char* const name : {"db2.1.copy", "db2.1.copy.cnf", "db2.copying", "run.journal"})
    files.files[std::string("/store/") + name] = "x";
  remove_leftovers_of_copies(files, "/store");
  EXPECT_EQ(files.files.size(), 2u);
  EXPECT_TRUE(files.files.contains("/store/db2.copying"));
  EXPECT_TRUE(files.files.contains("/store/run.journal"));
}

}  // namespace
}  // namespace ha
