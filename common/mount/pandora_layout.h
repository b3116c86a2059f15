// SPDX-License-Identifier: MIT
// The rules for the spool that several Pandora FMS servers share: what lies in data_in/conf,
// collections, md5 and netflow and in the console's attachment is common to all, data_in itself is
// not, because two data servers would race for the same XML file. Pure.

#pragma once

#include <string>
#include <vector>

#include "common/check_result.h"
#include "common/mount/share.h"

namespace ha {

// Where data_in is, seen from the outside.
struct PandoraSpool {
  std::string data_in;  // what the server calls its incomingdir
  Location location;

  bool shared() const;
  // One server's own directory within a share, such as data_in/xml_srv1: sharing it is harmless,
  // and the common directories lie beside it.
  bool own_incoming() const;
};

// Returns the directories that have to be shared: `attachment` too unless it is empty, and an own
// incoming directory.
std::vector<ShareSpec> pandora_shares(const PandoraSpool& spool, const std::string& attachment,
                                      const std::optional<Owner>& owner);

// Judges what no single directory shows: data_in itself, and whether all are shared in the same
// way. One nameless item per finding.
std::vector<Item> judge_pandora(const PandoraSpool& spool, const std::vector<ShareFacts>& shares);

}  // namespace ha
