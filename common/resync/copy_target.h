// SPDX-License-Identifier: MIT
// The server whose data are replaced: closed and marked before, put back or restored after.

#pragma once

#include <vector>

#include "common/execute/copy_mark.h"
#include "common/execute/log.h"
#include "common/resync/copy.h"
#include "common/resync/copy_sessions.h"

namespace ha {

class CopyTarget {
 public:
  // What the record holds beside that the copy was begun: to be put back when it is whole.
  static constexpr char kPersisted[] = "super_read_only", kEvents[] = "event_scheduler";

  CopyTarget(const Env& env, CopySessions& sessions, const CopyTask& task,
             const FailoverOptions& options, const ResyncOptions& resync, const CopyBegins& begins,
             const Log& log)
      : sessions_(sessions),
        task_(task),
        resync_(resync),
        begins_(begins),
        log_(log),
        record_(env.files, options, task.to.name) {}

  CopyRecord& record() { return record_; }

  // Fails when another client has acted on the node, or written to it, since it was probed.
  Result<Done> expect_unchanged();

  // Before anything is replaced: no channel may write into it, nothing may take it for whole. Until
  // now it could be promoted like any other. Stopping may take long, so no failover waits for that.
  Result<Done> begin();

  // Closes and marks a server that was started again and knows nothing of us. The copy of a replica
  // follows its source as that one does.
  Result<Done> take_over(const CopySessions::Session& session);

  // Puts back what was changed for the time of the copying.
  Result<Done> restore();

 private:
  static constexpr char kBegun[] = "begun";

  // Puts everything back as it was, since nothing was replaced: the `channels` ran.
  void roll_back(const std::vector<ChannelStatus>& channels);
  // From here on only we write to it: read_only stays, which leaves administrators, and events that
  // run as one.
  Result<Done> close_and_mark();
  Result<Done> forget_sources();
  Result<Done> disable_events();

  CopySessions& sessions_;
  const CopyTask& task_;
  const ResyncOptions& resync_;
  const CopyBegins& begins_;
  const Log& log_;
  CopyRecord record_;
  bool marked_ = false;  // it was closed and marked, or that was begun
};

}  // namespace ha
