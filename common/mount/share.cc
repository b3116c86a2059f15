// SPDX-License-Identifier: MIT
#include "common/mount/share.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/text.h"
#include "common/thresholds.h"

namespace ha {

namespace {

// What is wrong with one directory.
struct Findings {
  State state = State::kOk;
  std::vector<std::string> causes = {}, texts = {};

  void add(State worse, const char* cause, std::string text) {
    state = worst(state, worse);
    causes.emplace_back(cause);
    texts.push_back(std::move(text));
  }
};

// "nas:/export/" is "nas:/export", and for GlusterFS "gfs1:pandora" is "gfs1:/pandora".
std::string plain_source(std::string source) {
  while (source.ends_with('/')) source.pop_back();
  if (const std::size_t place = source.find(":/"); place != source.npos) source.erase(place + 1, 1);
  return source;
}

// CIFS knows no case, and backslashes as well as slashes.
std::string plain_unc(std::string source) {
  std::ranges::replace(source, '\\', '/');
  return plain_source(to_lower(source));
}

// All that a source may mean: mount.glusterfs takes several servers, "gfs1,gfs2:/pandora", of which
// the kernel shows one.
std::vector<std::string> possible_sources(const std::string& kind, const std::string& source) {
  const std::size_t colon = source.find(':');
  if (kind != "glusterfs" || source.starts_with('/') || colon == source.npos ||
      source.find(',') > colon)
    return {source};
  std::vector<std::string> sources;
  for (const std::string& server : split(source.substr(0, colon), ','))
    sources.push_back(server + source.substr(colon));
  return sources;
}

// A bind mount of a directory in a share may be called by that directory too.
bool has_source(const Mount& mount, const std::string& wanted) {
  const std::string kind = mount_kind(mount.type);
  const auto plain = kind == "cifs" ? plain_unc : plain_source;
  const std::string source = plain(mount.source);
  return std::ranges::any_of(possible_sources(kind, wanted), [&](const std::string& possible) {
    return plain(possible) == source || plain(possible) == plain(source + mount.root);
  });
}

bool has_type(const Mount& mount, const std::string& wanted) {
  if (wanted == kAnyFuse) return mount.type.starts_with(kAnyFuse);
  return wanted.empty() || mount_kind(mount.type) == wanted;
}

void judge_mount(const ShareSpec& spec, const Mount& mount, Findings& findings) {
  if (!has_type(mount, spec.type))
    findings.add(State::kCritical, "wrong_type",
                 fmt::format("the type is {} instead of {}", mount.type, spec.type));
  if (spec.must_be_shared && !is_shared(mount.type))
    findings.add(
        State::kCritical, "wrong_type",
        fmt::format("{} is a local file system, which no other machine shares", mount.type));
  if (!spec.source.empty() && !has_source(mount, spec.source))
    findings.add(State::kCritical, "wrong_source",
                 fmt::format("the source is {} instead of {}", mount.source, spec.source));
  if (is_deleted(mount))
    findings.add(State::kCritical, "deleted",
                 "the directory that is mounted here was deleted: unmount and mount again");
  if (mount.read_only && !spec.may_be_read_only)
    findings.add(State::kCritical, "read_only", "mounted read-only");
}

void judge_absence(const ShareFacts& facts, Findings& findings) {
  const Location& location = facts.location;
  std::string text = "not mounted";
  if (location.path != facts.spec.path) text += ", leads to " + location.path;
  const std::string where =
      location.mount ? fmt::format("{} ({})", location.mount->source, location.mount->type)
                     : "a file system that the table of mounts does not show";
  const TouchRecord record = facts.answer ? facts.answer->record : TouchRecord{};
  if (record.error == ENOENT)
    text += ", there is no such directory on " + where;
  else if (record.error != 0)
    text += fmt::format(", a directory on {} that cannot be opened: {}", where,
                        std::strerror(record.error));
  else
    text += ", only a directory on " + where;
  if (record.entries > 0)
    text += fmt::format("; {}{} in it, which the share would hide", record.entries,
                        record.entries == 1             ? " file or directory lies"
                        : record.entries == kMaxEntries ? " or more files or directories lie"
                                                        : " files or directories lie");
  State state = State::kCritical;
  // Who may not look cannot tell a link from a directory.
  if (record.error == EACCES) state = State::kUnknown;
  if (facts.malformed_lines > 0) {
    state = State::kUnknown;
    text +=
        fmt::format("; {} lines of the table of mounts were not understood", facts.malformed_lines);
  }
  findings.add(state, "not_mounted", text);
}

void judge_error(const TouchRecord& record, Findings& findings) {
  struct Known {
    int error;
    const char* cause;
    const char* hint;
  };
  constexpr Known kKnown[] = {
      {ESTALE, "stale", "; the server no longer knows what is mounted: unmount and mount again"},
      {ENOTCONN, "not_connected",
       "; the process behind this FUSE mount is gone, or a GlusterFS volume lacks its quorum"},
      {EIO, "io_error", ""},
      {EROFS, "read_only", ""},
      {ENOSPC, "full", ""},
      {EDQUOT, "full", ""},
      {ENOENT, "missing", ""},
      {EACCES, "denied", "; this user may not"},
      {EPERM, "denied", "; this user may not"},
      {ELOOP, "foreign_link", "; a link of another user leads there: name the directory itself"},
  };
  constexpr const char* kSteps[] = {"be opened",    "tell its owner",  "tell its usage",
                                    "be listed",    "take a new file", "be written",
                                    "be read back", "remove a file"};
  const auto known = std::ranges::find(kKnown, record.error, &Known::error);
  const bool found = known != std::end(kKnown);
  const bool denied = record.error == EACCES || record.error == EPERM ||
                      (record.error == ELOOP && record.step == TouchStep::kCreate);
  findings.add(denied ? State::kUnknown : State::kCritical, found ? known->cause : "error",
               fmt::format("cannot {}: {} ({}){}", kSteps[static_cast<std::size_t>(record.step)],
                           std::strerror(record.error), strerrorname_np(record.error),
                           found ? known->hint : ""));
}

void judge_owner(const ShareFacts& facts, const TouchRecord& record, Findings& findings) {
  if (!record.has_owner) return;
  if (const auto& owner = facts.spec.owner;
      owner && (owner->uid != record.uid || (owner->gid && *owner->gid != record.gid)))
    findings.add(State::kCritical, "wrong_owner",
                 fmt::format("the owner is {} instead of {}", facts.owner, owner->text));
  if (const auto& mode = facts.spec.mode) {
    const unsigned seen = *mode <= 0777 ? record.mode & 0777 : record.mode;
    if (seen != *mode)
      findings.add(State::kCritical, "wrong_mode",
                   fmt::format("the mode is {:o} instead of {:o}", seen, *mode));
  }
}

// True when the file system says that no space is left, and took a new file all the same.
bool took_more(const TouchRecord& record) {
  return record.no_space && record.wrote && !record.privileged;
}

// How full it is. Where more was taken than ordinary users are said to have, all of it counts: a
// small file refutes that it is full, not that it soon will be.
double used_percent(const TouchRecord& record) {
  return took_more(record) ? record.used_of_all_percent : record.used_percent;
}

void judge_usage(const TouchRecord& record, const Thresholds& limits, Findings& findings) {
  // A new file takes an inode: where there is none to take, they are not counted.
  const bool inodes_count = record.has_inodes && !(record.no_inode && record.wrote);
  if (record.has_usage && record.no_space && !took_more(record))
    findings.add(State::kCritical, "full", "no space is left");
  if (inodes_count && record.no_inode) findings.add(State::kCritical, "full", "no inode is left");
  const auto judge_one = [&](double percent, const char* what) {
    if (const State state = judge(limits, percent); state != State::kOk)
      findings.add(state, "usage", fmt::format("{:.1f}% {}", percent, what));
  };
  if (record.has_usage) judge_one(used_percent(record), "used");
  if (inodes_count) judge_one(record.inodes_used_percent, "of the inodes used");
}

void judge_answer(const ShareFacts& facts, const ShareLimits& limits, Findings& findings) {
  const ProbeAnswer& answer = *facts.answer;
  const TouchRecord& record = answer.record;
  switch (answer.end) {
    case ProbeAnswer::End::kOlderHangs:
      return findings.add(limits.hung, "hung",
                          fmt::format("hangs: a probe that was started {} ago has not ended, so "
                                      "there was no new one",
                                      format_duration(answer.waited_s)));
    case ProbeAnswer::End::kHangs:
      findings.add(limits.hung, "hung",
                   fmt::format("{}: no answer within {}",
                               record.has_owner ? "answers, but the write test hangs" : "hangs",
                               format_duration(answer.waited_s)));
      break;
    case ProbeAnswer::End::kImpossible:
      return findings.add(State::kUnknown, "not_probed", "could not be probed: " + answer.error);
    case ProbeAnswer::End::kAnswered:
      if (record.error != 0) judge_error(record, findings);
      if (record.wrong_data)
        findings.add(State::kCritical, "wrong_data", "other data were read than had been written");
      if (const State state = judge(limits.latency, record.seconds); state != State::kOk)
        findings.add(state, "slow", fmt::format("took {}s", format_number(record.seconds)));
      break;
  }
  judge_owner(facts, record, findings);
  // What no process writes to cannot become too full.
  if (!facts.location.mount->read_only) judge_usage(record, limits.usage, findings);
}

Findings find(const ShareFacts& facts, const ShareLimits& limits) {
  Findings findings;
  const auto& mount = facts.location.mount;
  if (mount && mount->type == "autofs") {
    findings.add(State::kUnknown, "automount",
                 "an automount point that no process has used yet; --automount has it mounted");
  } else if (!facts.location.mounted()) {
    judge_absence(facts, findings);
  } else {
    judge_mount(facts.spec, *mount, findings);
    if (facts.answer) judge_answer(facts, limits, findings);
  }
  return findings;
}

}  // namespace

Item judge_share(const ShareFacts& facts, const ShareLimits& limits) {
  const Findings findings = find(facts, limits);
  const Location& location = facts.location;
  const bool mounted = location.mounted();
  const TouchRecord record = facts.answer ? facts.answer->record : TouchRecord{};

  Item item{facts.spec.path, findings.state, facts.spec.path};
  if (mounted) item.text += fmt::format(" ({}, {})", location.mount->source, location.mount->type);
  const bool answered = mounted && record.finished && record.error == 0;
  const std::string usage =
      record.has_usage ? fmt::format(", {:.0f}% used", used_percent(record)) : "";
  item.text += ": " + (findings.texts.empty() ? "answers" + usage : join(findings.texts, ", "));
  item.identity = {{"source", mounted ? location.mount->source : ""},
                   {"type", mounted ? location.mount->type : ""}};
  item.facts = {
      {"causes", join(findings.causes, ",")},
      {"path", location.path},
      {"mount_point", location.mount ? location.mount->point : ""},
      {"read_only", mounted && location.mount->read_only},
      {"mode", record.has_owner ? fmt::format("{:o}", record.mode) : ""},
      {"inodes_used", record.has_inodes ? FactValue(record.inodes_used_percent) : FactValue()}};
  const auto known = [](bool is, double value) { return is ? std::optional(value) : std::nullopt; };
  item.metrics = {{"latency", known(answered, record.seconds), "s", limits.latency, 0},
                  {"used", known(mounted && record.has_usage, used_percent(record)), "%",
                   limits.usage, 0, 100}};
  return item;
}

}  // namespace ha
