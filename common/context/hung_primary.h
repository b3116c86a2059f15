// SPDX-License-Identifier: MIT
// Since when a primary that answers no query hangs, over several looks of one run or of runs after
// each other: an engine often gives its handler less time than that takes.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/env.h"
#include "common/moment.h"
#include "common/mysql/topology.h"
#include "common/result.h"

namespace ha {

struct HungPrimary {
  std::string name = {};
  Moment since = {}, last = {};                      // the first and the last look that found it so
  std::map<std::string, std::string> received = {};  // from it, by "NODE CHANNEL": how far

  // Returns for how long it was seen to hang, in seconds.
  double seconds() const { return age_of(since, last).value_or(0); }
};

// Returns what is known after a look, `now`, that found `name` hanging. The time begins anew when a
// replica has received an event since, or none has looked for long. A node that cannot be read
// tells nothing: its last word counts on. Pure.
HungPrimary observe_hung(const std::optional<HungPrimary>& earlier, const std::string& name,
                         const Topology& topology, const Moment& now);

// Keeps it as DIRECTORY/hung-primary.json, 0600. read_hung() takes whatever is wrong with that file
// for nothing known: the time then begins anew.
std::optional<HungPrimary> read_hung(Files& files, const std::string& directory);
Result<Done> write_hung(Files& files, const std::string& directory, const HungPrimary& hung);
Result<Done> forget_hung(Files& files, const std::string& directory);

// Converts it to one line of JSON and back; nullopt for anything else.
std::string hung_to_json(const HungPrimary& hung);
std::optional<HungPrimary> parse_hung(std::string_view json);

}  // namespace ha
