// SPDX-License-Identifier: MIT
// Whether a node can be copied at all: found out before anything of it is stopped.
#include <fmt/format.h>

#include "common/mysql/privileges.h"
#include "common/resync/copier.h"
#include "common/text.h"

namespace ha {

namespace {

// Fails with the GRANT that is missing.
Result<Done> expect_privileges_on(const std::string& node, SqlSession& session,
                                  const std::vector<CopyPart>& parts) {
  const auto privileges = read_privileges(session);
  if (!privileges) return privileges.error();
  const auto missing = missing_to_copy(session.version(), *privileges, parts);
  if (!missing.empty())
    return Error{Errc::kAccessDenied,
                 fmt::format("the account lacks privileges on {} that copying needs, and does not "
                             "see everything; run there: {}",
                             node, grant_statement(session, join(missing, ", "), "*.*"))};
  // With privileges on everything no table is unseen, unless some are taken away again.
  const auto revokes = read_revokes(session);
  if (!revokes) return revokes.error();
  if (!revokes->empty())
    return Error{Errc::kAccessDenied,
                 fmt::format("the account does not see everything on {} (partial_revokes: {}); "
                             "give another account",
                             node, sanitize(revokes->front()))};
  return Done{};
}

// Returns whether a plugin has to be installed for it.
Result<bool> lacks_clone(SqlSession& session) {
  const auto there = query_value(session,
                                 "SELECT COUNT(*) FROM information_schema.plugins"
                                 " WHERE plugin_name = 'clone' AND plugin_status = 'ACTIVE'");
  if (!there) return there.error();
  return *there == "0";
}

}  // namespace

Result<Done> Copier::expect_privileges(CopyMethod method) const {
  std::vector<CopyPart> from = {CopyPart::kRead}, to = {CopyPart::kReplaced};
  if (method == CopyMethod::kDump) {
    from.push_back(CopyPart::kDumped);
    to.push_back(CopyPart::kLoaded);
  }
  if (method == CopyMethod::kClone) {
    from.push_back(CopyPart::kCloned);
    to.push_back(CopyPart::kReceives);
    // It is installed by writing into a table.
    for (const auto& [session, parts] :
         {std::pair(&sessions_.source(), &from), std::pair(&sessions_.target(), &to)}) {
      const auto lacks = lacks_clone(*session);
      if (!lacks) return lacks.error();
      if (*lacks) parts->push_back(CopyPart::kInstalls);
    }
  }
  if (const auto may = expect_privileges_on(task_.from.name, sessions_.source(), from); !may)
    return may;
  return expect_privileges_on(task_.to.name, sessions_.target(), to);
}

}  // namespace ha
