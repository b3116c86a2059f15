// SPDX-License-Identifier: MIT
#include "common/execute/binlog_dumps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/fakes/fake_env.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

class Names : public FakeNetwork {
 public:
  std::set<std::string> resolve(const std::string& host) override { return addresses[host]; }

  std::map<std::string, std::set<std::string>> addresses = {
      {"db2", {"192.0.2.2", "2001:db8::2"}}, {"db3", {"192.0.2.3"}}, {"db4", {"192.0.2.2"}}};
};

Rows one(const char* value) { return Rows{{"value"}, {{value}}}; }

FakeSession server(const char* greeting, const char* waits) {
  FakeSession session(greeting);
  session.answer("@@GLOBAL.rpl_semi_sync_master_enabled", one(waits))
      .answer("SHOW PROCESSLIST", Rows{{"Id", "User", "Host", "Command", "State"},
                                       {{"1", "app", "192.0.2.2:1000", "Sleep", ""},
                                        {"2", "repl", "192.0.2.2:1001", "Binlog Dump", ""},
                                        {"3", "repl", "2001:db8::2:1002", "Binlog Dump GTID", ""},
                                        {"4", "repl", "db2:1003", "Binlog Dump", ""},
                                        {"5", "repl", "192.0.2.3:1004", "Binlog Dump", ""}}})
      .answer("KILL CONNECTION 4", Error{Errc::kRefused, "Unknown thread id: 4", 1094})
      .answer("KILL CONNECTION", Rows{});
  return session;
}

TEST(BinlogDumpsTest, ThoseToAReplicaThatIsGoneAreEnded) {
  using Ended = std::vector<std::string>;
  const NodeAddress db1{"db1", "db1", 3306}, db2{"db2", "db2", 3306}, db3{"db3", "db3", 3306},
      db4{"db4", "db4", 3307};
  const struct {
    const char* name;
    const char* greeting;
    const char* waits;
    ReplicaAddresses replicas;
    Ended ended;
  } cases[] = {
      {"one is gone", "10.11.19-MariaDB", "1", {{db2}, {db1, db3}}, {"2", "3", "4"}},
      {"all are", "10.11.19-MariaDB", "1", {{db2, db3}, {db1}}, {"2", "3", "4", "5"}},
      {"none is", "10.11.19-MariaDB", "1", {{}, {db1, db2, db3}}, {}},
      {"another one on its host answers", "10.11.19-MariaDB", "1", {{db2}, {db1, db4}}, {"3", "4"}},
      {"without semi-sync", "10.11.19-MariaDB", "0", {{db2}, {db1}}, {}},
      {"MySQL", "8.4.0", "1", {{db2}, {db1}}, {}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    FakeSession session = server(c.greeting, c.waits);
    Names names;
    const auto count = end_binlog_dumps(session, names, c.replicas);
    ASSERT_TRUE(count) << count.error().text;
    Ended ended;
    for (const std::string& sql : session.asked)
      if (sql.starts_with("KILL CONNECTION ")) ended.push_back(sql.substr(16));
    EXPECT_EQ(ended, c.ended);
    EXPECT_EQ(*count, static_cast<int>(std::ranges::count_if(
                          ended, [](const std::string& id) { return id != "4"; })));
  }
}

}  // namespace
}  // namespace ha
