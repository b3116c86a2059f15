// SPDX-License-Identifier: MIT
#include "common/mount/gluster_xml.h"

#include <fmt/format.h>

#include <pugixml.hpp>

#include "common/text.h"

namespace ha {

namespace {

Error not_understood(std::string_view what, std::string_view value) {
  return {Errc::kBadData,
          fmt::format("gluster's answer is not understood: {} is '{}'", what, shorten(value, 60))};
}

// A count that stands in a child element; unset when it is none, or none that can be.
std::optional<std::size_t> number(const pugi::xml_node& parent, const char* name) {
  constexpr long long kMost = 1'000'000'000'000;
  const auto value = parse_integer(parent.child_value(name));
  if (!value || *value < 0 || *value > kMost) return std::nullopt;
  return static_cast<std::size_t>(*value);
}

// Returns gluster's own words, as a part of a sentence.
std::string quote(std::string_view words) {
  words = trim(words);
  if (words.ends_with('.')) words.remove_suffix(1);
  return shorten(words, 200);
}

// What the command says when it got nothing from glusterd is no XML.
Error explain_text(std::string_view text) {
  if (text.find("Connection failed") != text.npos || text.find("timed out") != text.npos)
    return {Errc::kUnreachable, "glusterd does not answer: " + quote(text)};
  return {Errc::kBadData, fmt::format("gluster's answer is no XML: '{}'", quote(text))};
}

// Reads the document, whose root it returns, when it tells of success. `document` owns the root.
Result<pugi::xml_node> load(std::string_view output, pugi::xml_document& document) {
  const std::size_t start = output.find("<cliOutput");  // warnings may stand before it
  if (start == output.npos) return explain_text(output);
  const auto parsed = document.load_buffer(output.data() + start, output.size() - start,
                                           pugi::parse_default, pugi::encoding_utf8);
  if (!parsed)
    return Error{Errc::kBadData, fmt::format("gluster's XML is cut or damaged at byte {}: {}",
                                             parsed.offset, parsed.description())};
  const pugi::xml_node root = document.child("cliOutput");
  const auto code = parse_integer(root.child_value("opRet"));
  if (!code) return not_understood("opRet", root.child_value("opRet"));
  if (*code == 0) return root;
  const std::string_view reason = root.child_value("opErrstr");
  return Error{Errc::kRefused, reason.empty() ? fmt::format("gluster failed with error {}",
                                                            root.child_value("opErrno"))
                                              : "gluster says: " + quote(reason)};
}

// Returns the name of a brick; gluster 3.3 has no element for it.
std::string brick_name(const pugi::xml_node& brick) {
  const pugi::xml_node name = brick.child("name");
  return std::string(trim(name ? name.child_value() : brick.child_value()));
}

// Takes over a count that old versions leave out; fails when it is there and no number.
Result<Done> take_count(const pugi::xml_node& parent, const char* name, std::size_t& target) {
  if (!parent.child(name)) return Done{};
  const auto value = number(parent, name);
  if (!value) return not_understood(name, parent.child_value(name));
  target = *value;
  return Done{};
}

Result<Done> take_options(const pugi::xml_node& volume, GlusterVolume& info) {
  for (const pugi::xml_node& option : volume.child("options").children("option")) {
    const std::string_view name = option.child_value("name");
    if (name == "cluster.quorum-type") info.quorum_type = option.child_value("value");
    if (name != "cluster.quorum-count") continue;
    if (const auto done = take_count(option, "value", info.quorum_count); !done)
      return not_understood(name, option.child_value("value"));
  }
  return Done{};
}

}  // namespace

Result<GlusterVolume> parse_volume_info(std::string_view output) {
  pugi::xml_document document;
  const auto root = load(output, document);
  if (!root) return root.error();
  const pugi::xml_node volume = root->child("volInfo").child("volumes").child("volume");
  GlusterVolume info{volume.child_value("statusStr"), volume.child_value("typeStr")};
  if (info.state.empty()) return not_understood("statusStr", "");
  for (const pugi::xml_node& brick : volume.child("bricks").children("brick"))
    info.bricks.push_back(brick_name(brick));
  if (info.bricks.empty() || number(volume, "brickCount") != info.bricks.size())
    return not_understood("brickCount", volume.child_value("brickCount"));
  for (const auto& [name, target] : {std::pair{"replicaCount", &info.replicas},
                                     {"disperseCount", &info.disperse},
                                     {"redundancyCount", &info.redundancy}})
    if (const auto done = take_count(volume, name, *target); !done) return done.error();
  const std::size_t size = info.set_size();
  if (size == 0 || info.bricks.size() % size != 0 || info.redundancy >= size)
    return not_understood("the number of copies", std::to_string(size));
  if (const auto done = take_options(volume, info); !done) return done.error();
  return info;
}

Result<BrickStates> parse_volume_status(std::string_view output) {
  pugi::xml_document document;
  const auto root = load(output, document);
  if (!root) return root.error();
  pugi::xml_node volume = root->child("volStatus");
  // Gluster 3.3 has no levels for several volumes.
  if (volume.child("volumes")) volume = volume.child("volumes").child("volume");
  if (!volume.child("volName")) return not_understood("volName", "");
  BrickStates bricks;
  for (const pugi::xml_node& node : volume.children("node")) {
    const std::string_view path = node.child_value("path");
    // Daemons, such as the one that heals, have the name of a host there.
    if (!path.starts_with('/')) continue;
    const std::string_view status = node.child_value("status");
    if (status != "0" && status != "1") return not_understood("a brick's status", status);
    bricks[fmt::format("{}:{}", node.child_value("hostname"), path)] = status == "1";
  }
  return bricks;
}

Result<std::vector<GlusterPeer>> parse_peer_status(std::string_view output) {
  pugi::xml_document document;
  const auto root = load(output, document);
  if (!root) return root.error();
  std::vector<GlusterPeer> peers;
  for (const pugi::xml_node& peer : root->child("peerStatus").children("peer")) {
    const std::string_view connected = peer.child_value("connected");
    if (connected != "0" && connected != "1")
      return not_understood("a peer's connected", connected);
    constexpr std::string_view kInCluster = "3";  // GD_FRIEND_STATE_BEFRIENDED
    peers.push_back({peer.child_value("hostname"), connected == "1",
                     peer.child_value("state") == kInCluster, peer.child_value("stateStr")});
  }
  return peers;
}

Result<HealState> parse_heal_summary(std::string_view output) {
  pugi::xml_document document;
  const auto root = load(output, document);
  if (!root) return root.error();
  HealState bricks;
  for (const pugi::xml_node& brick : root->child("healInfo").child("bricks").children("brick")) {
    const auto entries = number(brick, "totalNumberOfEntries");
    const auto split_brain = number(brick, "numberOfEntriesInSplitBrain");
    // A brick that is down has "-" there, or nothing at all (gluster 10).
    if (entries && split_brain)
      bricks[brick_name(brick)] = {static_cast<std::int64_t>(*entries),
                                   static_cast<std::int64_t>(*split_brain)};
    else if (std::string_view(brick.child_value("status")) == "Connected")
      return not_understood("totalNumberOfEntries", brick.child_value("totalNumberOfEntries"));
  }
  return bricks;
}

bool is_busy(std::string_view output) {
  pugi::xml_document document;
  const auto root = load(output, document);
  if (root || root.error().code != Errc::kRefused) return false;
  const std::string& reason = root.error().text;
  return reason.find("nother transaction") != reason.npos ||
         reason.find("Locking failed") != reason.npos;
}

}  // namespace ha
