// SPDX-License-Identifier: MIT
// What the gluster command prints with --xml, made into plain structs (cli/src/cli-xml-output.c and
// heal/src/glfs-heal.c of GlusterFS). Success is what <opRet> says: the exit code is 0 after many a
// failure. Pure.
//
// All parsers fail alike: kRefused with gluster's own words when <opRet> is not 0, kUnreachable
// when glusterd gave the command no answer, kBadData, naming it, for what is not understood.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace ha {

struct GlusterVolume {
  std::string state;                     // "Started", "Stopped", "Created"
  std::string type;                      // "Distributed-Replicate"
  std::vector<std::string> bricks = {};  // HOST:/PATH, one set of copies after the other
  std::size_t replicas = 1;
  std::size_t disperse = 0;      // bricks of a set that is no set of replicas; 0: it is one
  std::size_t redundancy = 0;    // how many of them may be missing
  std::string quorum_type = {};  // cluster.quorum-type; empty: not set
  std::size_t quorum_count = 0;

  // Bricks that hold the same data: so many stand together in `bricks`.
  std::size_t set_size() const { return disperse > 0 ? disperse : replicas; }
};

// True for each brick (HOST:/PATH) that is online. Those of unreachable peers are missing, so that
// only volume info tells how many there are.
using BrickStates = std::map<std::string, bool>;

struct GlusterPeer {
  std::string host;
  bool connected = false;
  bool in_cluster = false;
  std::string state;  // "Peer in Cluster", "Peer Rejected"
};

struct HealCounts {
  std::int64_t entries = 0;  // all that are not the same on every brick
  std::int64_t split_brain = 0;
};

// By brick. One that could not be asked is missing.
using HealState = std::map<std::string, HealCounts>;

Result<GlusterVolume> parse_volume_info(std::string_view output);
Result<BrickStates> parse_volume_status(std::string_view output);
Result<std::vector<GlusterPeer>> parse_peer_status(std::string_view output);  // without ourselves
Result<HealState> parse_heal_summary(std::string_view output);

// True for the refusal to work beside another transaction, here or at a peer: it passes.
bool is_busy(std::string_view output);

}  // namespace ha
