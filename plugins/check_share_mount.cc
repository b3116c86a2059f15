// SPDX-License-Identifier: MIT
#include "plugins/check_share_mount.h"

#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <system_error>

#include "common/cli.h"
#include "common/files.h"
#include "common/mount/nfs_stats.h"
#include "common/mount/probe.h"
#include "common/text.h"
#include "common/version.h"

namespace ha {

namespace {

// What is well here is well outside when mounts made and undone there are seen here.
void report_namespace(const ShareMountFacts& facts, CheckResult& result) {
  constexpr const char* kText =
      "this process sees mounts of its own and not the machine's, so both may differ (of a systemd "
      "unit: PrivateTmp, ProtectSystem and the like)";
  const bool followed = std::ranges::all_of(facts.shares, [](const ShareFacts& share) {
    return share.location.mount && share.location.mount->follows;
  });
  if (result.state == State::kOk && followed)
    result.notes.emplace_back(kText);
  else
    result.text += std::string("; ") + kText;
}

}  // namespace

CheckResult evaluate(const ShareMountFacts& facts, const ShareLimits& limits,
                     const GlusterLimits& volume_limits) {
  CheckResult result{State::kOk, "", {}, "mount"};
  std::vector<Item> findings;
  if (facts.pandora) findings = judge_pandora(*facts.pandora, facts.shares);
  for (const ShareFacts& share : facts.shares) result.items.push_back(judge_share(share, limits));
  findings.insert(findings.end(), result.items.begin(), result.items.end());
  std::vector<std::string> healthy;
  if (findings.size() == 1)
    healthy.push_back(findings[0].text);
  else if (!findings.empty())
    healthy.push_back(fmt::format("{} directories answer", findings.size()));
  for (const GlusterFacts& volume : facts.volumes) {
    result.items.push_back(judge_gluster(volume, volume_limits));
    findings.push_back(result.items.back());
    healthy.push_back(findings.back().text);
  }
  for (const Item& finding : findings) result.state = worst(result.state, finding.state);
  result.text = summarize(findings, join(healthy, "; "));
  result.notes = facts.notes;
  if (facts.own_namespace && !facts.shares.empty()) report_namespace(facts, result);
  return result;
}

namespace {

constexpr char kDataIn[] = "/var/spool/pandora/data_in";
constexpr char kConsole[] = "/var/www/html/pandora_console";

std::optional<std::string> read_link(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t size = readlink(path.c_str(), target, sizeof target);
  if (size < 0) return std::nullopt;
  return std::string(target, static_cast<std::size_t>(size));
}

Result<MountTable> read_mounts(const char* path = "/proc/self/mountinfo") {
  const auto text = read_file(path);
  if (!text) return text.error();
  return parse_mountinfo(*text);
}

// Whether the first process has other mounts. Only root may compare the namespaces by their names;
// but no mount is in two of them. What is hidden is taken for the same.
bool is_own_namespace(const MountTable& table) {
  const auto ours = read_link("/proc/self/ns/mnt"), first = read_link("/proc/1/ns/mnt");
  if (ours && first) return *ours != *first;
  const auto mounts = read_mounts("/proc/1/mountinfo");
  if (!mounts || mounts->mounts.empty() || table.mounts.empty()) return false;
  return std::ranges::none_of(mounts->mounts, [&](const Mount& mount) {
    return std::ranges::find(table.mounts, mount.id, &Mount::id) != table.mounts.end();
  });
}

// A directory that is named twice has to be all that is demanded of it.
void add_shares(std::vector<ShareFacts>& shares, const MountTable& table,
                const std::vector<ShareSpec>& specs) {
  for (const ShareSpec& spec : specs) {
    const auto path = [](const ShareFacts& share) { return share.spec.path; };
    const auto same = std::ranges::find(shares, spec.path, path);
    if (same != shares.end())
      complete(same->spec, spec);
    else
      shares.push_back({spec, locate(table, spec.path, read_link), table.malformed});
  }
}

// What fstab has mounted at boot; the directories that it leaves to be mounted later go to `later`.
Result<std::vector<ShareSpec>> read_fstab(std::vector<std::string>& later) {
  const auto text = read_file("/etc/fstab");
  if (!text) return text.error();
  std::vector<ShareSpec> specs;
  for (const FstabEntry& entry : parse_fstab(*text))
    if (entry.at_boot)
      specs.push_back(to_spec(entry));
    else
      later.push_back(entry.point);
  return specs;
}

// Where Pandora FMS is not installed no user owns its directories.
std::optional<Owner> find_pandora() {
  const auto uid = find_user("pandora");
  if (!uid) return std::nullopt;
  for (const std::string name : {"apache", "www-data"})
    if (const auto gid = find_group(name)) return Owner{"pandora:" + name, *uid, gid};
  return Owner{"pandora", *uid};
}

void add_pandora(ShareMountFacts& facts, const MountTable& table,
                 const ShareMountOptions& options) {
  const std::optional<Owner> owner = find_pandora();
  if (!owner) facts.notes.emplace_back("there is no user pandora: owner and mode are not judged");
  std::string attachment = options.attachment;
  const Location console = locate(table, kConsole, read_link);
  const bool untouchable = console.mount && may_hang(*console.mount);
  if (attachment.empty() && (untouchable || access(console.path.c_str(), F_OK) == 0))
    attachment = fmt::format("{}/attachment", kConsole);
  if (attachment.empty())
    facts.notes.push_back(fmt::format("there is no {}: no attachment is checked", kConsole));
  facts.pandora = PandoraSpool{options.data_in, locate(table, options.data_in, read_link)};
  add_shares(facts.shares, table, pandora_shares(*facts.pandora, attachment, owner));
}

// Returns the directory, or nothing where probes cannot be remembered, with a note.
std::string prepare_state(const std::string& directory, const MountTable& table,
                          std::vector<std::string>& notes) {
  const Location place = locate(table, directory, read_link);
  std::string trouble;
  if (place.mount && may_hang(*place.mount))
    trouble = "it is on " + place.mount->type + " and may hang";
  else if (const auto made = make_private_directory(directory); !made)
    trouble = made.error().text;
  if (trouble.empty()) return directory;
  notes.push_back(
      fmt::format("--state-dir {} is not used: {}; probes that hang are looked for "
                  "among the processes",
                  directory, trouble));
  return "";
}

bool is_automount(const ShareFacts& share) {
  return share.location.mount && share.location.mount->type == "autofs";
}

// Fills in what touching the directories has shown.
void ask_mounts(ShareMountFacts& facts, const ShareMountOptions& options,
                const std::string& state_directory, const Deadline& deadline) {
  std::vector<ProbeTarget> targets;
  std::vector<ShareFacts*> asked;
  for (ShareFacts& share : facts.shares) {
    if (is_automount(share) && !options.automount) continue;
    const auto& mount = share.location.mount;
    const bool writable = share.location.mounted() && !mount->read_only;
    targets.push_back({mount ? mount->id : 0, share.location.path, options.write_test && writable});
    asked.push_back(&share);
  }
  const auto answers = probe_mounts(targets, state_directory, deadline.before_report());
  for (std::size_t i = 0; i < asked.size(); ++i) {
    asked[i]->answer = answers[i];
    if (const TouchRecord& record = answers[i].record; asked[i]->spec.owner && record.has_owner)
      asked[i]->owner = owner_text(record.uid, record.gid);
  }
}

// For -v: how the NFS mounts have fared.
void add_nfs_stats(ShareMountFacts& facts) {
  const auto text = read_file("/proc/self/mountstats");
  if (!text) return facts.notes.push_back(text.error().text);
  for (const NfsStats& stats : parse_mountstats(*text))
    for (const ShareFacts& share : facts.shares)
      if (share.location.mount && share.location.mount->point == stats.point)
        facts.notes.push_back(describe(stats));
}

// Asks for the volumes beside everything else; where this machine has no thread for it, each answer
// says so.
std::future<std::vector<GlusterFacts>> ask_volumes(const std::vector<std::string>& volumes,
                                                   const Deadline& deadline) {
  try {
    return std::async(std::launch::async, query_gluster, volumes, deadline);
  } catch (const std::system_error&) {
    return std::async(std::launch::deferred, query_gluster, volumes, deadline);
  }
}

}  // namespace

Result<ShareMountFacts> gather(const ShareMountOptions& options, const Deadline& deadline) {
  const auto table = read_mounts();
  if (!table) return table.error();
  ShareMountFacts facts;
  add_shares(facts.shares, *table, options.mounts);
  std::vector<std::string> later;
  if (options.fstab) {
    const auto specs = read_fstab(later);
    if (!specs) return specs.error();
    add_shares(facts.shares, *table, *specs);
    if (!later.empty())
      facts.notes.push_back("noauto in /etc/fstab, not checked: " + join(later, ", "));
  }
  if (options.pandora) add_pandora(facts, *table, options);
  if (facts.shares.empty() && options.gluster.volumes.empty())
    return Error{Errc::kUsage,
                 later.empty()
                     ? "there is nothing to check: /etc/fstab names no network mount"
                     : "there is nothing to check: all network mounts of /etc/fstab have noauto; "
                       "name those that matter with --mount"};
  facts.own_namespace = is_own_namespace(*table);
  if (table->malformed > 0)
    facts.notes.push_back(
        fmt::format("{} lines of /proc/self/mountinfo were not understood", table->malformed));

  std::future<std::vector<GlusterFacts>> volumes;
  if (!options.gluster.volumes.empty()) volumes = ask_volumes(options.gluster.volumes, deadline);
  // Made by root for a volume alone, the directory would be lost to the user who checks the mounts.
  const std::string state =
      facts.shares.empty() ? "" : prepare_state(options.state_directory, *table, facts.notes);
  ask_mounts(facts, options, state, deadline);
  if (std::ranges::any_of(facts.shares, is_automount) && options.automount) {
    const auto now = read_mounts();
    if (!now) return now.error();
    for (ShareFacts& share : facts.shares)
      if (is_automount(share)) share.location = locate(*now, share.spec.path, read_link);
  }
  if (options.nfs_stats) add_nfs_stats(facts);
  if (volumes.valid()) facts.volumes = volumes.get();
  return facts;
}

namespace {

void add_percent(Cli& cli, const char* name, std::optional<Range>& target, const char* help) {
  cli.option(
      name, "PERCENT",
      [&target](const std::string& value) -> Result<Done> {
        const auto percent = parse_number(value);
        if (!percent || *percent < 0 || *percent > 100)
          return Error{Errc::kUsage,
                       fmt::format("'{}' is not a percentage (accepted: 0 to 100)", value)};
        target = Range{0, *percent};
        return Done{};
      },
      help);
}

void add_directory(Cli& cli, const char* name, std::string& target, const char* help) {
  cli.option(
      name, "DIR",
      [&target](const std::string& value) -> Result<Done> {
        if (!value.starts_with('/'))
          return Error{Errc::kUsage, fmt::format("'{}' is not an absolute path", value)};
        target = without_slash(value);
        return Done{};
      },
      help);
}

void add_options(Cli& cli, ShareMountOptions& options, ShareLimits& limits) {
  cli.option(
      "--mount", "PATH[,KEY=VALUE]...",
      [&options](const std::string& value) -> Result<Done> {
        auto spec = parse_share(value);
        if (!spec) return spec.error();
        if (std::ranges::find(options.mounts, spec->path, &ShareSpec::path) != options.mounts.end())
          return Error{Errc::kUsage, fmt::format("'{}' is there twice", spec->path)};
        options.mounts.push_back(std::move(*spec));
        return Done{};
      },
      "a directory that has to be shared; repeatable. Keys: type=nfs, glusterfs or any (default), "
      "source=HOST:/EXPORT, owner=USER:GROUP, mode=OCTAL");
  cli.flag("--fstab", options.fstab, "all network mounts of /etc/fstab but those with noauto");
  cli.flag("--pandora", options.pandora, "the directories that Pandora FMS servers share");
  add_directory(
      cli, "--data-in", options.data_in,
      fmt::format("Pandora FMS: the server's incomingdir (default: {})", kDataIn).c_str());
  add_directory(
      cli, "--attachment", options.attachment,
      "Pandora FMS: the console's attachment (default: that of the usual place, if there is a "
      "console)");
  cli.flag("--write-test", options.write_test,
           "create, write, sync, read back and remove a file in each directory");
  cli.flag("--automount", options.automount,
           "use automount points, which mounts them (default: leave them alone)");
  cli.thresholds(limits.latency, "the seconds until a directory answers are");
  add_percent(cli, "--usage-warning", limits.usage.warning,
              "WARNING when more of the space or the inodes is used");
  add_percent(cli, "--usage-critical", limits.usage.critical,
              "CRITICAL when more of the space or the inodes is used");
  add_directory(
      cli, "--state-dir", options.state_directory,
      fmt::format("local directory to remember hanging probes in (default: {})", kStatedir)
          .c_str());
  add_gluster_options(cli, options.gluster);
}

}  // namespace

int plugin_main(Clock& clock, const Arguments& arguments) {
  ShareMountOptions options;
  options.state_directory = kStatedir;
  ShareLimits limits;
  Cli cli(clock, "check_share_mount",
          "Checks that shared directories are mounted, the right ones, alive and writable.");
  add_options(cli, options, limits);
  if (const auto exit_code = cli.parse(arguments)) return *exit_code;
  const GlusterOptions& gluster = options.gluster;
  if (options.mounts.empty() && !options.fstab && !options.pandora && gluster.volumes.empty())
    return cli.usage_error(
        "nothing to check (give --mount, --fstab, --pandora or --gluster-volume)");
  if (!options.pandora && !(options.data_in.empty() && options.attachment.empty()))
    return cli.usage_error("--data-in and --attachment belong to --pandora");
  if (gluster.volumes.empty() && (gluster.judged().warning || gluster.judged().critical))
    return cli.usage_error("--heal and its limits belong to --gluster-volume");
  if (options.data_in.empty()) options.data_in = kDataIn;
  options.nfs_stats = cli.verbosity() > 0;
  limits.hung = cli.timeout_state();
  const GlusterLimits volume_limits = {gluster.judged(), limits.hung};

  cli.waiting_for("the tables of mounts and users");
  const auto facts = gather(options, cli.deadline());
  return cli.report(facts ? evaluate(*facts, limits, volume_limits) : from_error(facts.error()));
}

}  // namespace ha
