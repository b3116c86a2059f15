// SPDX-License-Identifier: MIT
// What the parallel workers of a stopped applier stumbled over. MySQL's coordinator only says that
// there is something, and where it is found.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/mysql/channel_status.h"
#include "common/mysql/session.h"

namespace ha {

// By channel: "worker 1: error 1062: ...".
using WorkerErrors = std::map<std::string, std::string>;

// Reads the workers' errors of those channels whose applier has failed; empty where the server
// tells none. Without the privilege the coordinator's text stands there, and the GRANT to run.
WorkerErrors read_worker_errors(SqlSession& session, const std::vector<ChannelStatus>& channels);

// Says for people that an applier is stopped, and why: by its workers' words where there are any.
std::string describe_applier_stop(const ChannelStatus& channel, const WorkerErrors& errors);

}  // namespace ha
