# SPDX-License-Identifier: MIT
"""Runs of mysql_ha that wait for the test at a place of its choice, or are killed there."""

import contextlib
import json

from servers import wait_until


def run_and_kill(cluster, command, number, when):
    """Run mysql_ha and kill it at its number-th write; return False when there was none."""
    process = cluster.begin(*command, KILL_AT=number, KILL_WHEN=when)
    out, _ = process.communicate(timeout=60)
    assert process.returncode in (0, -9), out
    return process.returncode == -9


def write_before(cluster, action):
    """Return the number of the write that comes before the first step of an action, as the journal
    of the last run tells."""
    path = sorted(cluster.state_dir.glob("mysql/*.journal"))[-1]
    begin, *records = [json.loads(line) for line in path.read_text().splitlines()]
    number = next(step["number"] for step in json.loads(begin["plan"])["steps"]
                  if step["action"] == action)
    events = [record["event"] for record in records[:records.index(
        next(r for r in records if (r["event"], r["number"]) == ("step-begins", str(number))))]]
    # The first steps of each group are written with the ends of the group before.
    events.append("step-begins")
    return 2 + sum(pair == ("step-done", "step-begins") for pair in zip(events, events[1:]))


def interrupt_failover(cluster, action, when):
    """Make the cluster new and fail over from db1, killed before an action or, with "after", as it
    begins."""
    for step in ("look", "kill"):
        cluster.start_over()
        cluster.insert(1, 2, 3)
        cluster.catch_up()
        cluster.lose(cluster.db1)
        if step == "look":
            assert cluster.run("failover").code == 0
            number = write_before(cluster, action)
    assert run_and_kill(cluster, ["failover"], number, when)


class Pause:
    """A hook in which the tool waits until release()."""

    def __init__(self, cluster, body=""):
        self._here, self._go = cluster.directory / "here", cluster.directory / "go"
        self.command = cluster.hook(
            "pause", f"{body}\ntouch {self._here}\n"
            # A test that fails does not release it.
            f"until [ -e {self._go} ] || [ ! -e {self._here} ]; do sleep 0.01; done\n")

    def wait(self):
        """Wait until the tool is there."""
        wait_until(self._here.exists, what="the tool to reach its hook")

    def release(self):
        """Let the tool go on."""
        self._go.touch()


@contextlib.contextmanager
def in_the_middle(cluster, *words, **faults):
    """Fail over, and run the block while the tool is in its first hook; yields a list that holds
    the (exit code, output) after the block."""
    pause = Pause(cluster)
    process = cluster.begin("failover", "--pre-failover", pause.command, *words, **faults)
    pause.wait()
    result = []
    yield result
    pause.release()
    out, _ = process.communicate(timeout=60)
    result.extend((process.returncode, out))
