// SPDX-License-Identifier: MIT
#include "common/mount/pandora_layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

bool PandoraSpool::shared() const {
  return location.mount && location.mounted() && is_shared(location.mount->type);
}

bool PandoraSpool::own_incoming() const {
  return shared() && location.path != location.mount->point && !location.path.ends_with("/data_in");
}

std::vector<ShareSpec> pandora_shares(const PandoraSpool& spool, const std::string& attachment,
                                      const std::optional<Owner>& owner) {
  const std::string parent =
      spool.own_incoming() ? spool.data_in.substr(0, spool.data_in.rfind('/')) : spool.data_in;
  std::vector<ShareSpec> shares;
  for (const char* name : {"conf", "collections", "md5", "netflow"})
    shares.push_back({parent + "/" + name});
  if (!attachment.empty()) shares.push_back({attachment});
  if (spool.own_incoming()) shares.push_back({spool.data_in});
  for (ShareSpec& share : shares) {
    share.must_be_shared = true;
    share.owner = owner;
    if (owner) share.mode = 0770;
  }
  return shares;
}

std::vector<Item> judge_pandora(const PandoraSpool& spool, const std::vector<ShareFacts>& shares) {
  std::vector<Item> findings;
  if (spool.shared() && !spool.own_incoming())
    findings.push_back(
        {"", State::kCritical,
         fmt::format("{} itself is shared ({}, {}): data servers would race for the same files, "
                     "give each its own incomingdir",
                     spool.data_in, spool.location.mount->source, spool.location.mount->type)});
  std::vector<std::string> kinds;
  for (const ShareFacts& share : shares) {
    const Location& location = share.location;
    if (!share.spec.must_be_shared || !location.mounted() || !is_shared(location.mount->type))
      continue;
    const std::string kind = mount_kind(location.mount->type);
    if (std::ranges::find(kinds, kind) == kinds.end()) kinds.push_back(kind);
  }
  if (kinds.size() > 1)
    findings.push_back(
        {"", State::kWarning,
         fmt::format("the directories are shared in different ways: {}", join(kinds, ", "))});
  return findings;
}

}  // namespace ha
