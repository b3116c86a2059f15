# SPDX-License-Identifier: MIT
"""What the writes that servers acknowledged tell: when there were two writers, and when none."""

# A server that acknowledges nothing for longer is not writing.
PAUSE_S = 0.5


def spans(writes):
    """Return {server: [(first, last)]}, the times in which it acknowledged without a pause."""
    found = {}
    for at, server in sorted((write.answered, write.server) for write in writes):
        own = found.setdefault(server, [])
        if own and at - own[-1][1] <= PAUSE_S:
            own[-1] = (own[-1][0], at)
        else:
            own.append((at, at))
    return found


def twofold(writes):
    """Return (seconds in which two servers acknowledged, rows that were acknowledged then)."""
    of = spans(writes)
    edges = sorted({at for own in of.values() for span in own for at in span})
    seconds = sum(later - at for at, later in zip(edges, edges[1:])
                  if sum(begin <= at and later <= end for own in of.values()
                         for begin, end in own) > 1)
    return seconds, sum(any(begin < write.answered < end for server, own in of.items()
                            if server != write.server for begin, end in own) for write in writes)


def without(writes, began, ended):
    """Return the seconds of all pauses in which no server acknowledged."""
    times = [began, *sorted(w.answered for w in writes if began <= w.answered <= ended), ended]
    return sum(pause for pause in (b - a for a, b in zip(times, times[1:])) if pause > PAUSE_S)
