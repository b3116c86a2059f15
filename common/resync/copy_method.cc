// SPDX-License-Identifier: MIT
#include "common/resync/copy_method.h"

#include <fmt/format.h>

namespace ha {

namespace {

Error cannot(std::string why) { return {Errc::kUnreachable, std::move(why)}; }

// The plugin's own rule. Before 8.0.37 the releases had to be the same.
bool may_clone_each_other(const Version& from, const Version& to) {
  return to.flavour == Flavour::kMysql && to.at_least(8, 0, 17) &&
         (from.patch == to.patch || (from.at_least(8, 0, 37) && to.at_least(8, 0, 37)));
}

}  // namespace

std::string why_no_clone(const CopyFacts& facts) {
  if (!may_clone_each_other(facts.from_version, facts.to_version))
    return "only two servers of one release of MySQL, 8.0.17 or later, can be cloned";
  if (facts.from_host.find(':') != facts.from_host.npos) return "CLONE takes no IPv6 address";
  if (facts.foreign_tables > 0)
    return fmt::format("{} tables of {} are not InnoDB tables and would be empty in the copy",
                       facts.foreign_tables, facts.from);
  if (facts.tls < TlsMode::kVerifyCa) return "";
  if (facts.tls == TlsMode::kVerifyIdentity)
    return "CLONE does not check the server's name; give --method dump, or --ssl-mode=verify-ca";
  if (facts.clone_verifies) return "";
  return fmt::format(
      "{} would not check the certificate of {}; set clone_ssl_ca on {}, or give --method dump",
      facts.to, facts.from, facts.to);
}

Result<CopyMethod> choose_method(const CopyFacts& facts, const ResyncOptions& resync) {
  const Version &from = facts.from_version, &to = facts.to_version;
  if (from.major != to.major || from.minor != to.minor)
    return cannot(fmt::format("a server {} cannot take over the files or system tables of {}",
                              to.text, from.text));
  const std::string no_clone = why_no_clone(facts);
  CopyMethod method = resync.method;
  if (method == CopyMethod::kAuto)
    method = !resync.copy_command.empty() ? CopyMethod::kCommand
             : no_clone.empty()           ? CopyMethod::kClone
                                          : CopyMethod::kDump;
  if (method == CopyMethod::kClone && !no_clone.empty()) return cannot(no_clone);
  if (method == CopyMethod::kCommand && resync.copy_command.empty())
    return Error{Errc::kUsage, "give --copy-command"};
  if (method == CopyMethod::kDump && facts.versioned_tables > 0 && !from.at_least(10, 11))
    return cannot(fmt::format(
        "{} tables are system-versioned, and a dump of before 10.11 leaves their history out",
        facts.versioned_tables));
  return method;
}

}  // namespace ha
