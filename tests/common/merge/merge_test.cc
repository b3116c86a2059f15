// SPDX-License-Identifier: MIT
// A merge as a whole, over servers in memory. What real servers make of the statements is in
// tests/live/merge_test.py.
#include "common/merge/merge.h"

#include <gtest/gtest.h>

#include <random>

#include "common/merge/merge_journal.h"
#include "tests/fakes/merging.h"

namespace ha {
namespace {

bool names(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

// Rows of a few contents, so that many are on both sides, once or several times.
void fill(Merging& merging, unsigned seed, int rows) {
  std::mt19937 random(seed);
  const auto draw = [&](int most) {
    return static_cast<int>(random() % static_cast<unsigned>(most));
  };
  for (MergedServer* const server : {&merging.loser, &merging.winner})
    for (int i = 0; i < rows; ++i)
      server->items.emplace_back(995 + draw(20), std::string(1, static_cast<char>('a' + draw(3))));
}

TEST(MergeTest, BringsEachMissingRowOnce) {
  Merging merging;
  fill(merging, 1, 200);
  const auto wanted = merging.wanted();
  const auto theirs = merging.loser.items;
  for (int times = 0; times < 3; ++times) {
    const FailoverOutcome outcome = merging.run();
    EXPECT_EQ(outcome.end, FailoverEnd::kDone) << outcome.text;
    EXPECT_EQ(merging.winner.tally(), wanted) << times;
    EXPECT_EQ(names(outcome.text, "merge done: 0 rows"), times > 0) << outcome.text;
  }
  EXPECT_EQ(merging.loser.items, theirs);
  EXPECT_EQ(merging.loser.count("INSERT INTO"), 0);
  EXPECT_EQ(merging.loser.count("SET SESSION TRANSACTION READ ONLY"), 3 * 4);
}

TEST(MergeTest, CountingInsertsNothing) {
  Merging merging;
  fill(merging, 2, 100);
  const auto before = merging.winner.items;
  merging.merge.dry_run = true;
  const FailoverOutcome counted = merging.run();
  EXPECT_EQ(counted.end, FailoverEnd::kDone) << counted.text;
  EXPECT_EQ(merging.winner.items, before);
  EXPECT_EQ(merging.winner.count("INSERT INTO"), 0);
  EXPECT_FALSE(names(join(merging.winner.asked, ";"), "GET_LOCK"));
  merging.merge.dry_run = false;
  const FailoverOutcome done = merging.run();
  const auto rows_in = [](const std::string& text) { return text.substr(text.find(": ") + 2, 5); };
  EXPECT_EQ(rows_in(counted.text), rows_in(done.text));
}

// More rows than a span has, and more of one time than a span has.
TEST(MergeTest, ManyRowsComeInSpans) {
  Merging merging;
  for (int i = 0; i < 5600; ++i) {
    merging.loser.items.emplace_back(1000 + i % 700, std::to_string(i));
    merging.loser.items.emplace_back(1800, std::to_string(i % 5300));
    if (i % 3 == 0) merging.winner.items.emplace_back(1800, std::to_string(i));
  }
  const auto wanted = merging.wanted();
  const FailoverOutcome outcome = merging.run();
  EXPECT_EQ(outcome.end, FailoverEnd::kDone) << outcome.text;
  EXPECT_EQ(merging.winner.tally(), wanted);
  EXPECT_GE(merging.winner.count("COMMIT"), 4);
}

// Whatever statement is the last one of a merge that dies, the next one completes it; whether all
// rows of the loser are read at once, as they are short, or by their digests.
TEST(MergeTest, IsCompletedAfterAFailureAnywhere) {
  struct Case {
    const char *type, *bytes;
  };
  for (const auto& [type, bytes] :
       {Case{"varchar", ""}, {"longtext", "8388608"}, {"longtext", "8388609"}})
    for (const bool of_winner : {true, false})
      for (std::size_t n = 1;; ++n) {
        Merging merging;
        merging.loser.tell_note(type);
        merging.winner.tell_note(type);
        merging.loser.answer("SELECT IFNULL(SUM(", bytes);
        fill(merging, 3, 60);
        const auto wanted = merging.wanted();
        MergedServer& server = of_winner ? merging.winner : merging.loser;
        server.fails_at = n;
        const FailoverOutcome broken = merging.run();
        if (server.asked.size() < n) {
          EXPECT_GT(n, 20u);
          break;
        }
        server.fails_at = 0;
        const FailoverOutcome outcome = merging.run();
        EXPECT_EQ(merging.loser.count(",256) IN (") > 0, std::string_view(bytes) == "8388609");
        EXPECT_EQ(outcome.end, FailoverEnd::kDone) << outcome.text;
        ASSERT_EQ(merging.winner.tally(), wanted) << n << ": " << broken.text;
      }
}

TEST(MergeTest, ACommitWithoutAnAnswerIsNoneThatIsDoneTwice) {
  Merging merging;
  fill(merging, 4, 60);
  const auto wanted = merging.wanted();
  merging.winner.answers_commits = false;
  const FailoverOutcome lost = merging.run();
  EXPECT_EQ(lost.end, FailoverEnd::kRefused);
  EXPECT_TRUE(names(lost.text, "to do the rest, run: {this command}")) << lost.text;
  merging.winner.answers_commits = true;
  EXPECT_EQ(merging.run().end, FailoverEnd::kDone);
  EXPECT_EQ(merging.winner.tally(), wanted);
}

TEST(MergeTest, RowsWithoutAParentAreKeptInAFile) {
  Merging merging;
  merging.loser.items = {{1001, "a"}, {1002, "b"}, {1002, "b"}, {1003, "c"}};
  merging.winner.parentless = 1002;
  const FailoverOutcome outcome = merging.run();
  EXPECT_EQ(outcome.end, FailoverEnd::kWarnings);
  const std::string path = "/state/mysql.merge/" + outcome.run_id + ".extra.sql";
  EXPECT_EQ(outcome.text, "merge done: 2 rows of db1 added to db2, 2 left out and kept in " + path);
  EXPECT_EQ(merging.winner.items.size(), 2u);
  const std::string row = "INSERT INTO `shop`.`item` (`at`, `note`) VALUES (1002, 'b');\n";
  EXPECT_TRUE(
      merging.world.files.files[path].ends_with("-- shop.owner has no number = 1002\n" + row + row))
      << merging.world.files.files[path];
}

// Questions fit into what the server takes: those about all numbers at once, and those about rows,
// where the numbers come back in another form.
TEST(MergeTest, ParentsAreAskedForInSmallStatements) {
  for (const bool by_numbers : {true, false}) {
    Merging merging;
    if (!by_numbers) merging.winner.answer("SELECT DISTINCT `number`", Rows{});
    merging.winner.answer("SELECT @@SESSION.max_allowed_packet", "3000");
    for (int at = 1000; at < 1300; ++at) merging.loser.items.emplace_back(at, "a");
    merging.winner.parentless = 1150;
    const FailoverOutcome outcome = merging.run();
    EXPECT_TRUE(names(outcome.text, "299 rows of db1 added to db2, 1 left out")) << outcome.text;
    EXPECT_GT(merging.winner.count("SELECT DISTINCT `number`"), 0);
    EXPECT_EQ(merging.winner.count("SELECT EXISTS(") > 5, !by_numbers);
    for (const std::string& sql : merging.winner.asked) EXPECT_LT(sql.size(), 3000u);
  }
}

// Of which a file may have many.
TEST(MergeTest, LongRowsAreKeptWholeInPieces) {
  Merging merging;
  for (int i = 0; i < 30; ++i)
    merging.loser.items.emplace_back(1002, std::string(100'000, static_cast<char>('a' + i % 26)));
  merging.winner.parentless = 1002;
  const FailoverOutcome outcome = merging.run();
  EXPECT_TRUE(names(outcome.text, "0 rows of db1 added to db2, 30 left out")) << outcome.text;
  const std::string& text =
      merging.world.files.files["/state/mysql.merge/" + outcome.run_id + ".extra.sql"];
  std::size_t rows = 0;
  for (std::size_t at = 0; (at = text.find("INSERT INTO", at)) != text.npos; ++at) ++rows;
  EXPECT_EQ(rows, 30u);
}

TEST(MergeTest, AFullDiskEndsItBeforeTheSpanIsCommitted) {
  Merging merging;
  merging.loser.items = {{1001, "a"}, {1002, "b"}};
  merging.winner.parentless = 1002;
  merging.winner.answer("SELECT EXISTS(", [&](const std::string&) -> Result<Rows> {
    merging.world.files.full = true;
    return Rows{{"x"}, {{"0"}}};
  });
  const FailoverOutcome outcome = merging.run();
  EXPECT_EQ(outcome.end, FailoverEnd::kRefused);
  EXPECT_TRUE(names(outcome.text, "No space left on device")) << outcome.text;
  EXPECT_TRUE(merging.winner.items.empty());
}

TEST(MergeTest, AKeyThatIsTakenIsFoundRowByRow) {
  Merging merging;
  merging.loser.items = {{1001, "a"}, {1002, "b"}};
  merging.winner.insert_error = 1062;
  // Together, then the first one alone.
  merging.winner.answer("INSERT INTO",
                        [&, tries = 0](const std::string& sql) mutable -> Result<Rows> {
                          if (++tries <= 2)
                            return Error{Errc::kBadData, "db2: Duplicate entry", 1062};
                          merging.winner.items.emplace_back(1002, "b");
                          EXPECT_TRUE(names(sql, "(1002, 'b')")) << sql;
                          return Rows{};
                        });
  const FailoverOutcome outcome = merging.run();
  EXPECT_EQ(outcome.end, FailoverEnd::kWarnings) << outcome.text;
  EXPECT_TRUE(names(outcome.text, "1 rows of db1 added to db2, 1 left out")) << outcome.text;
  EXPECT_TRUE(names(join(outcome.details, ";"), "1 whose key is taken"));
}

// CHECK, a partition that is lacking, SIGNAL.
TEST(MergeTest, ARowThatTheServerRefusesIsKept) {
  for (const unsigned number : {3819u, 4025u, 1526u, 1644u}) {
    Merging merging;
    merging.loser.items = {{1001, "a"}, {1002, "b"}};
    merging.winner.answer("INSERT INTO", [&](const std::string& sql) -> Result<Rows> {
      if (names(sql, "(1001, 'a')")) return Error{Errc::kBadData, "db2: not this row", number};
      merging.winner.items.emplace_back(1002, "b");
      return Rows{};
    });
    const FailoverOutcome outcome = merging.run();
    EXPECT_EQ(outcome.end, FailoverEnd::kWarnings) << outcome.text;
    EXPECT_TRUE(names(outcome.text, "1 rows of db1 added to db2, 1 left out")) << outcome.text;
    EXPECT_TRUE(names(join(outcome.details, ";"), "1 refused by db2"));
    const std::string path = "/state/mysql.merge/" + outcome.run_id + ".extra.sql";
    EXPECT_TRUE(names(merging.world.files.files[path], "-- db2: not this row\n"));
  }
}

// Each row but the last one of time is the child of the one after it.
TEST(MergeTest, ParentsInTheTableItselfMayComeLater) {
  Merging merging;
  for (MergedServer* const server : {&merging.loser, &merging.winner})
    server->answer("FROM information_schema.key_column_usage", rows_of({{{"name", "fk"},
                                                                         {"own", "at"},
                                                                         {"db", "shop"},
                                                                         {"parent", "item"},
                                                                         {"parent_key", "at"}}}));
  for (long long at = 1001; at <= 1005; ++at) merging.loser.items.emplace_back(at, "a");
  merging.loser.items.emplace_back(1900, "no parent");
  merging.winner.answer("INSERT INTO", [&](const std::string& sql) -> Result<Rows> {
    const long long at = std::stoll(sql.substr(sql.find("VALUES (") + 8));
    const auto has = [&](long long wanted) {
      return std::ranges::count(merging.winner.items, wanted, &MergedServer::Item::first) > 0;
    };
    if (names(sql, "),(") || (at != 1005 && !has(at + 1)))
      return Error{Errc::kBadData, "db2: a foreign key constraint fails", 1452};
    merging.winner.items.emplace_back(at, "a");
    return Rows{};
  });
  const FailoverOutcome outcome = merging.run();
  EXPECT_EQ(outcome.end, FailoverEnd::kWarnings) << outcome.text;
  EXPECT_EQ(merging.winner.items.size(), 5u);
  EXPECT_TRUE(names(join(outcome.details, ";"), "1 without a parent, 0 whose key is taken"));
}

TEST(MergeTest, ADeadlockIsTriedAgain) {
  Merging merging;
  merging.loser.items = {{1001, "a"}};
  merging.winner.insert_error = 1213;
  EXPECT_EQ(merging.run().end, FailoverEnd::kDone);
  EXPECT_EQ(merging.winner.items.size(), 1u);
  EXPECT_EQ(merging.winner.count("ROLLBACK"), 1);
}

// The first attempt finds a key that is taken; after that, a row alone deadlocks each time.
TEST(MergeTest, DeadlocksEndItInTheEnd) {
  for (const int key_error_at : {1, 5}) {
    Merging merging;
    merging.loser.items = {{1001, "a"}};
    merging.winner.answer(
        "INSERT INTO", [&, tries = 0](const std::string&) mutable -> Result<Rows> {
          if (++tries > 50) merging.world.clock.stop = true;
          return Error{Errc::kBadData, "db2: refused", tries == key_error_at ? 1062u : 1213u};
        });
    EXPECT_EQ(merging.run().end, FailoverEnd::kRefused);
    EXPECT_FALSE(merging.world.clock.stop) << key_error_at;
  }
}

TEST(MergeTest, WhatIsOtherThanItShouldBeIsNotCommitted) {
  Merging merging;
  merging.loser.items = {{1001, "a"}};
  merging.winner.trigger = [](MergedServer::Item& item) { item.second += "!"; };
  const FailoverOutcome outcome = merging.run();
  EXPECT_EQ(outcome.end, FailoverEnd::kRefused);
  EXPECT_TRUE(
      names(outcome.text, "after they were inserted; 0 rows were added and stay; to do the rest"))
      << outcome.text;
  EXPECT_TRUE(merging.winner.items.empty());
  merging.winner.answer("FROM information_schema.triggers", rows_of({{{"name", "shout"}}}));
  EXPECT_TRUE(names(merging.run().text, "; triggers may change them: shout"));
}

TEST(MergeTest, AWinnerThatWasClosedMeanwhileGetsNothing) {
  Merging merging;
  merging.loser.items = {{1001, "a"}};
  merging.winner.trigger = [&](MergedServer::Item&) { merging.winner.read_only = true; };
  const FailoverOutcome outcome = merging.run();
  EXPECT_TRUE(names(outcome.text, "db2 has been made read-only meanwhile")) << outcome.text;
  EXPECT_TRUE(merging.winner.items.empty());
}

TEST(MergeTest, AnswersThatLeadNowhereEndIt) {
  struct Case {
    const char *statement, *answer, *want;
  };
  const Case kCases[] = {
      {" AS time_ FROM", "999", "a time of shop.item is not where it was asked for: 999"},
      {" AS time_ FROM", "2000", "not where it was asked for"},
      {" AS time_ FROM", "1500", "not where it was asked for"},
      {"SELECT COUNT(*) FROM", "-1", "counts no rows but -1"},
      {"SELECT COUNT(*) FROM", "9223372036854775807", "counts no rows but 9223372036854775807"},
      {"SELECT COUNT(*) FROM", "many", "counts no rows but many"},
  };
  for (const Case& c : kCases) {
    Merging merging;
    // Enough of one time to be counted.
    for (int i = 0; i < 5001; ++i) merging.loser.items.emplace_back(1001, std::to_string(i));
    const bool counts = std::string_view(c.statement).starts_with("SELECT");
    merging.loser.answer(c.statement, counts ? one_cell(c.answer) : Rows{{"time_"}, {{c.answer}}});
    const FailoverOutcome outcome = merging.run();
    EXPECT_EQ(outcome.end, FailoverEnd::kRefused);
    EXPECT_TRUE(names(outcome.text, c.want)) << outcome.text;
  }
}

TEST(MergeTest, AStopIsHeeded) {
  Merging merging;
  merging.loser.items = {{1001, "a"}};
  merging.world.clock.stop = true;
  EXPECT_TRUE(names(merging.run().text, "asked to stop"));
  EXPECT_TRUE(merging.winner.items.empty());
}

TEST(MergeTest, RefusalsChangeNothing) {
  struct Case {
    std::function<void(Merging&)> spoil;
    const char* want;
  };
  const Case kCases[] = {
      {[](Merging& m) { std::swap(m.merge.since, m.merge.until); }, "--until @1000 is not after"},
      {[](Merging& m) { m.merge.until = m.merge.since; }, "is not after"},
      {[](Merging& m) { m.winner.read_only = true; }, "db2 is read-only"},
      {[](Merging& m) { m.world.connector.servers.erase("db1"); }, "db1 cannot be read"},
      {[](Merging& m) { m.winner.answer("GET_LOCK('monitoring-plugins-ha:merge'", "0"); },
       "another merge is at work on db2"},
      // What a merge that was killed has left there is not at its end yet.
      {[](Merging& m) { m.winner.answer("GET_LOCK('monitoring-plugins-ha:merge:3'", "0"); },
       "another merge is at work on db2"},
      {[](Merging& m) { m.loser.answer("GET_LOCK('monitoring-plugins-ha:copy'", "0"); },
       "db1 is being copied to by a resync"},
      {[](Merging& m) { m.world.files.locked.insert("/state/mysql.merge/lock"); },
       "another merge is at work: process 7"},
      {[](Merging& m) { m.world.files.locked.insert("/state/mysql/lock"); },
       "a change of the cluster is at work: process 7"},
      {[](Merging& m) { m.loser.answer("table_type AS kind", Rows{}); },
       "db1 has no table shop.item"},
      {[](Merging& m) { m.winner.fail("FROM `shop`.`owner` LIMIT 0"); }, "it burns"},
      {[](Merging& m) { m.winner.answer("SELECT @@SESSION.max_allowed_packet", "1000"); },
       "max_allowed_packet of db2 is too small: 1000"},
      {[](Merging& m) { m.winner.answer("FROM information_schema.engines", "NO"); },
       "shop.item on db2 has no transactions (engine InnoDB)"},
      // By the clock on the wall this window ends before it begins.
      {[](Merging& m) {
         for (MergedServer* const server : {&m.loser, &m.winner}) {
           server->tell_columns("datetime", "varchar");
           server->answer("TIMESTAMPDIFF(MICROSECOND,", rows_of({{{"since_", "2026-10-25 02:45:00"},
                                                                  {"until_", "2026-10-25 02:15:00"},
                                                                  {"micros_", "-1800000000"},
                                                                  {"zone_", "Europe/Berlin"}}}));
         }
         m.merge.since = "2026-10-25T02:45+02:00";
         m.merge.until = "2026-10-25T02:15+01:00";
       },
       "the clocks of Europe/Berlin are put back between the ends of the window, which are "
       "2026-10-25 "
       "02:45:00 and 2026-10-25 02:15:00 there; merge two windows"},
  };
  for (const Case& c : kCases) {
    Merging merging;
    merging.loser.items = {{1001, "a"}};
    c.spoil(merging);
    const FailoverOutcome outcome = merging.run();
    EXPECT_EQ(outcome.end, FailoverEnd::kRefused);
    EXPECT_TRUE(outcome.text.starts_with("merge refused: ")) << outcome.text;
    EXPECT_TRUE(names(outcome.text, c.want)) << outcome.text;
    EXPECT_EQ(merging.winner.count("INSERT INTO"), 0) << c.want;
    EXPECT_TRUE(outcome.run_id.empty());
  }
}

TEST(MergeTest, OldJournalsGoButThoseWithRows) {
  Merging merging;
  merging.options.keep_runs = 2;
  merging.loser.items = {{1001, "a"}};
  merging.winner.parentless = 1001;
  const std::string kept = merging.run().run_id;
  merging.winner.parentless.reset();
  for (int i = 0; i < 4; ++i) merging.run();
  const auto store = open_merge_store(merging.world.files, merging.options);
  const auto ids = store->ids();
  ASSERT_EQ(ids->size(), 3u);
  EXPECT_EQ((*ids)[0], kept);
  const auto records = read_merge(merging.world.files, *store, kept);
  ASSERT_TRUE(records);
  EXPECT_EQ(summarize_merge(*records), "merge      db1 -> db2  warnings");
  EXPECT_FALSE(read_merge(merging.world.files, *store, "none"));
}

}  // namespace
}  // namespace ha
