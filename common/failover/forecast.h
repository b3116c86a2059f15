// SPDX-License-Identifier: MIT
// What would be left of a cluster. Pure.

#pragma once

#include <cstddef>

#include "common/mysql/topology.h"

namespace ha {

// Returns the topology as it will be when the node at place `dead` has gone: nothing that only it
// tells can be relied upon, such as that it lets itself be closed. Nor which server it is: channels
// are linked anew, with what is remembered.
Topology without(Topology topology, std::size_t dead, const Memory& memory);

}  // namespace ha
