// SPDX-License-Identifier: MIT
#include "common/ini.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

// Entries as "section/key=value", for comparison.
std::vector<std::string> parsed(std::string_view text) {
  const auto entries = parse_ini(text, "x.ini");
  if (!entries) return {"error: " + entries.error().text};
  std::vector<std::string> lines;
  for (const IniEntry& e : *entries) lines.push_back(e.section + "/" + e.key + "=" + e.value);
  return lines;
}

TEST(IniTest, ReadsWhatTheMonitoringPluginsLibraryReads) {
  EXPECT_EQ(parsed("root=1\n"
                   "[section]\n"
                   "one=two\n"
                   "  this = Your Mother! \n"
                   "blank=\n"
                   "; comment\n"
                   "# comment\n"
                   "\n"
                   "[ Section Two ]\r\n"
                   "something else=blah\r\n"
                   "password=a;b#c=d \"e\"\n"
                   "[section]\n"
                   "again=yes"),
            (std::vector<std::string>{"/root=1", "section/one=two", "section/this=Your Mother!",
                                      "section/blank=", "Section Two/something else=blah",
                                      "Section Two/password=a;b#c=d \"e\"", "section/again=yes"}));
}

TEST(IniTest, NamesTheLineThatItDoesNotUnderstandButNotItsContent) {
  const struct {
    const char* text;
    const char* want;
  } cases[] = {
      {"a=1\nsecret", "error: x.ini line 2: expected key=value"},
      {"=1", "error: x.ini line 1: expected a key before '='"},
      {"[a\n", "error: x.ini line 1: a section must end with ']'"},
  };
  for (const auto& c : cases) EXPECT_EQ(parsed(c.text), std::vector<std::string>{c.want});
}

TEST(IniTest, AnEmptyFileHasNoEntries) { EXPECT_TRUE(parsed("").empty()); }

TEST(IniTest, TheEnvironmentNamesTheDefaultFile) {
  const TempDirectory directory;
  const std::string path = directory.file("plugins.ini", "");
  setenv("NAGIOS_CONFIG_PATH", ("/nonexistent:" + directory.path("")).c_str(), 1);
  EXPECT_EQ(default_extra_opts_file(), directory.path("") + "/plugins.ini");
  setenv("MP_CONFIG_FILE", "/nonexistent.ini", 1);
  EXPECT_EQ(default_extra_opts_file(), "/nonexistent.ini");
  unsetenv("MP_CONFIG_FILE");
  unsetenv("NAGIOS_CONFIG_PATH");
}

}  // namespace
}  // namespace ha
