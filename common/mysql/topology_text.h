// SPDX-License-Identifier: MIT
// A topology as text for a terminal: a tree of nodes in columns, and below it what is wrong.

#pragma once

#include <string>

#include "common/mysql/topology_view.h"

namespace ha {

enum class Colours { kNone, kAnsi };

// Renders whole lines; with colours those that are not OK are painted.
std::string render_topology(const TopologyView& view, Colours colours);

}  // namespace ha
