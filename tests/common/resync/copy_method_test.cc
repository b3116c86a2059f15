// SPDX-License-Identifier: MIT
// How a server is copied: tables of what is known of it.
#include "common/resync/copy_method.h"

#include <gtest/gtest.h>

#include <functional>

namespace ha {
namespace {

Version mysql(int major, int minor, int patch) {
  Version version;
  version.flavour = Flavour::kMysql;
  version.major = major;
  version.minor = minor;
  version.patch = patch;
  return version;
}

Version mariadb(int major, int minor) {
  Version version = mysql(major, minor, 1);
  version.flavour = Flavour::kMariadb;
  return version;
}

// db1 is copied to db2.
CopyFacts both(const Version& version) {
  return {.from = "db1",
          .to = "db2",
          .from_host = "10.0.0.1",
          .from_version = version,
          .to_version = version,
          .clone_verifies = true};
}

struct Clone {
  const char* what;
  std::function<void(CopyFacts&)> spoil;
  const char* why;  // part of it; empty: it can be used
};

const Clone kClones[] = {
    {"two servers of one release", [](CopyFacts&) {}, ""},
    {"too old", [](CopyFacts& f) { f.from_version = f.to_version = mysql(8, 0, 16); },
     "8.0.17 or later"},
    {"MariaDB", [](CopyFacts& f) { f.from_version = f.to_version = mariadb(11, 4); },
     "two servers of one release of MySQL"},
    {"another patch before 8.0.37", [](CopyFacts& f) { f.from_version = mysql(8, 0, 36); },
     "one release"},
    {"another patch since 8.0.37", [](CopyFacts& f) { f.from_version = mysql(8, 0, 41); }, ""},
    {"an IPv6 address", [](CopyFacts& f) { f.from_host = "fe80::1"; }, "no IPv6 address"},
    {"tables of another engine", [](CopyFacts& f) { f.foreign_tables = 3; },
     "3 tables of db1 are not InnoDB tables"},
    {"TLS that verifies nothing", [](CopyFacts& f) { f.tls = TlsMode::kRequired; }, ""},
    {"TLS that verifies the CA", [](CopyFacts& f) { f.tls = TlsMode::kVerifyCa; }, ""},
    {"TLS that verifies the CA, which the target does not",
     [](CopyFacts& f) {
       f.tls = TlsMode::kVerifyCa;
       f.clone_verifies = false;
     },
     "db2 would not check the certificate of db1; set clone_ssl_ca on db2"},
    {"TLS that verifies the name", [](CopyFacts& f) { f.tls = TlsMode::kVerifyIdentity; },
     "CLONE does not check the server's name"},
};

TEST(CopyMethodTest, TheClonePluginIsRefusedWithTheReason) {
  for (const Clone& one : kClones) {
    CopyFacts facts = both(mysql(8, 0, 40));
    one.spoil(facts);
    const std::string why = why_no_clone(facts);
    EXPECT_EQ(why.empty(), *one.why == '\0') << one.what << ": " << why;
    EXPECT_NE(why.find(one.why), why.npos) << one.what << ": " << why;
  }
}

struct Choice {
  const char* what;
  CopyFacts facts;
  CopyMethod asked;
  bool has_command;
  std::optional<CopyMethod> chosen;  // nullopt: it fails
  const char* error = "";            // part of it
};

CopyFacts with_history(const Version& version) {
  CopyFacts facts = both(version);
  facts.versioned_tables = 2;
  return facts;
}

CopyFacts upgrade() {
  CopyFacts facts = both(mysql(8, 4, 3));
  facts.to_version = mysql(9, 1, 0);
  facts.to_version.text = "9.1.0";
  return facts;
}

const Choice kChoices[] = {
    {"MySQL clones", both(mysql(8, 4, 3)), CopyMethod::kAuto, false, CopyMethod::kClone},
    {"MariaDB is dumped", both(mariadb(11, 4)), CopyMethod::kAuto, false, CopyMethod::kDump},
    {"a command that was given is run", both(mysql(8, 4, 3)), CopyMethod::kAuto, true,
     CopyMethod::kCommand},
    {"a dump although it could clone", both(mysql(8, 4, 3)), CopyMethod::kDump, false,
     CopyMethod::kDump},
    {"a clone that cannot be", both(mariadb(11, 4)), CopyMethod::kClone, false, std::nullopt,
     "two servers of one release of MySQL"},
    {"no command", both(mysql(8, 4, 3)), CopyMethod::kCommand, false, std::nullopt,
     "give --copy-command"},
    {"another series", upgrade(), CopyMethod::kAuto, false, std::nullopt,
     "a server 9.1.0 cannot take over"},
    {"a history that a dump leaves out", with_history(mariadb(10, 6)), CopyMethod::kAuto, false,
     std::nullopt, "2 tables are system-versioned"},
    {"a history that a dump takes along", with_history(mariadb(10, 11)), CopyMethod::kAuto, false,
     CopyMethod::kDump},
    {"a history that a command copies", with_history(mariadb(10, 6)), CopyMethod::kAuto, true,
     CopyMethod::kCommand},
};

TEST(CopyMethodTest, TheMethodIsTheBestThatCanBeUsed) {
  for (const Choice& one : kChoices) {
    ResyncOptions resync{.method = one.asked};
    if (one.has_command) resync.copy_command = {"copy"};
    const auto chosen = choose_method(one.facts, resync);
    ASSERT_EQ(chosen.has_value(), one.chosen.has_value()) << one.what;
    if (chosen)
      EXPECT_EQ(*chosen, *one.chosen) << one.what;
    else
      EXPECT_NE(chosen.error().text.find(one.error), std::string::npos)
          << one.what << ": " << chosen.error().text;
  }
}

}  // namespace
}  // namespace ha
