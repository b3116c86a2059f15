// SPDX-License-Identifier: MIT
#include "common/execute/binlog_events.h"

#include <gtest/gtest.h>

#include <set>

#include "common/text.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

TEST(CountAfterTest, CountsTransactionsFromAPositionOn) {
  const auto events = [](std::vector<std::string> types) {
    Rows rows{{"Event_type"}, {}};
    for (std::string& type : types) rows.cells.push_back({std::move(type)});
    return rows;
  };
  FakeSession session("10.11.6-MariaDB");
  session.answer("SHOW BINARY LOGS", Rows{{"Log_name"}, {{"b.000001"}, {"b.000002"}, {"b.000003"}}})
      .answer("IN 'b.000002' FROM 400", events({"Gtid", "Query", "Xid", "Rotate"}))
      .answer("IN 'b.000003' FROM 4",
              events({"Format_desc", "Gtid_list", "Previous_gtids", "Anonymous_Gtid", "Query"}));
  const auto count = count_after(session, {"b.000002", 400});
  ASSERT_TRUE(count);
  EXPECT_EQ(*count, std::optional<std::uint64_t>(2));
  EXPECT_EQ(*count_after(session, {"b.000009", 4}), std::nullopt);
}

}  // namespace
}  // namespace ha
