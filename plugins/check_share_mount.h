// SPDX-License-Identifier: MIT
// check_share_mount: are the shared directories mounted, the right ones, alive and writable, and
// are the GlusterFS volumes behind them healthy?

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/check_result.h"
#include "common/deadline.h"
#include "common/mount/gluster.h"
#include "common/mount/gluster_query.h"
#include "common/mount/pandora_layout.h"
#include "common/mount/share.h"
#include "common/result.h"

namespace ha {

struct ShareMountOptions {
  std::vector<ShareSpec> mounts = {};
  bool fstab = false;
  bool pandora = false;
  std::string data_in = {};
  std::string attachment = {};  // empty: where the console usually has it, if it is there
  bool write_test = false;
  bool automount = false;
  bool nfs_stats = false;
  std::string state_directory = {};
  GlusterOptions gluster = {};
};

struct ShareMountFacts {
  std::vector<ShareFacts> shares = {};
  std::optional<PandoraSpool> pandora = {};
  std::vector<GlusterFacts> volumes = {};
  // This process sees other mounts than the machine's first one: it is in a sandbox of its own.
  bool own_namespace = false;
  std::vector<std::string> notes = {};
};

CheckResult evaluate(const ShareMountFacts& facts, const ShareLimits& limits,
                     const GlusterLimits& volume_limits = {});

// Reads the table of mounts, probes those that are wanted and asks for the volumes, all at the same
// time. Fails when the tables cannot be read or there is nothing to check.
Result<ShareMountFacts> gather(const ShareMountOptions& options, const Deadline& deadline);

}  // namespace ha
