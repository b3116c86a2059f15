// SPDX-License-Identifier: MIT
#include "common/failover/forecast.h"

namespace ha {

Topology without(Topology topology, std::size_t dead, const Memory& memory) {
  Node& gone = topology.nodes[dead];
  gone = {gone.name,        gone.host, gone.port, Reach::kUnreachable,
          "taken for dead", {},        {},        gone.aliases};
  for (Node& node : topology.nodes)
    for (std::size_t c = 0; c < node.sources.size(); ++c)
      if (ChannelStatus& channel = (*node.facts->channels)[c];
          node.sources[c] == dead && channel.io.running())
        channel.io.state = ThreadState::kConnecting;
  link_sources(topology, memory);
  return topology;
}

}  // namespace ha
