// SPDX-License-Identifier: MIT
// Texts end with what to type next: "mysql_ha journal ack 7". Code that decides knows no command
// line, so the code that prints the text completes it, and a reader can copy all of it. Pure.

#pragma once

#include <string>
#include <string_view>

namespace ha {

// Stands in a text for the command line that is running.
inline constexpr char kThisCommand[] = "{this command}";

// Stands in a text for the program that is running, with what it was given except the reason of
// this run; the option that follows is what is wanted.
inline constexpr char kThisProgram[] = "{this program}";

struct CommandWords {
  std::string prefix = {};   // goes before mysql_ha: "runuser -u nagios -- "
  std::string options = {};  // go after its words: "--cluster /etc/cluster.conf"
  std::string whole = {};    // the command line that is running
  std::string program = {};  // its first word, quoted
};

// Returns `text` with each command of mysql_ha in it, kThisCommand and kThisProgram, made complete;
// one that is complete stays as it is.
std::string complete_commands(std::string_view text, const CommandWords& words);

// True when a text names a command to type: of mysql_ha, the one that is running, or after "run:".
bool names_command(std::string_view text);

}  // namespace ha
