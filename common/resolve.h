// SPDX-License-Identifier: MIT
// What the resolver knows of a host's name.

#pragma once

#include <set>
#include <string>

namespace ha {

// Returns the numeric addresses of a name, none when it does not resolve. Blocks as long as the
// resolver does.
std::set<std::string> resolve_host(const std::string& host);

// True when both names are equal or resolve to a common address. Blocks as long as the resolver
// does; a name that does not resolve equals only itself.
bool same_host(const std::string& a, const std::string& b);

}  // namespace ha
