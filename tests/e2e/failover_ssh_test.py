# SPDX-License-Identifier: MIT
"""The shipped scripts over a real ssh that fails: a rescue that is not whole is none and keeps nobody
waiting, and what was not seen to be fenced is not fenced."""

import re
import signal
import subprocess

import pytest

from documented import EXAMPLES, Documented
from cluster import received, rows
from interruptions import Pause
from nrpe import adapted
from servers import Bench, wait_until

LOST = range(2, 8)
SIZE = 100_000  # of a row, so that half of the text has some whole transactions
mariadb_only = pytest.mark.parametrize("shared", ["mariadb-gtid"], indirect=True)
# The server's end of a connection is gone, or the whole host.
CUT, VANISHED = signal.SIGKILL, signal.SIGSTOP


@pytest.fixture(scope="module", params=["mariadb-gtid", "mysql-gtid"])
def shared(request):
    with Bench() as bench:
        cluster = Documented(bench, request.param, 2)
        cluster.allow_rescue()
        yield cluster


@pytest.fixture(name="cluster")
def cluster_fixture(shared):
    """db2 has not received the last transactions of db1."""
    shared.start_over()
    shared.serve_ssh()
    shared.db1.sql("ALTER TABLE shop.item MODIFY note LONGTEXT")
    shared.insert(1)
    shared.catch_up()
    shared.lose_contact(shared.db2)
    shared.insert(*LOST, size=SIZE)
    return shared


@pytest.fixture(name="dead")
def dead_fixture(cluster):
    """The same with db1 dead."""
    cluster.db1.kill()
    return cluster


def assert_not_rescued(cluster, code, out, said):
    """Assert that the failover was done without the rescue, and says so."""
    assert code == 1, out
    assert re.search(f"^warning: rescue db2: .*{said}", out, re.M), out
    assert re.search(r"^loss: .*(transactions?|may have had more)", out, re.M), out
    assert "were rescued" not in out
    cluster.assert_one_primary(cluster.db2)
    assert rows(cluster.db2) == {1}
    assert not list(cluster.state_dir.glob("*/*rescued*"))


@mariadb_only
@pytest.mark.parametrize("trouble, said", [
    (lambda ssh: ssh.accept("other"), "Permission denied"),
    (lambda ssh: ssh.trust("other"), "Host key verification failed"),
    (lambda ssh: ssh.stop(), "Connection refused")], ids=["key", "host-key", "port"])
def test_no_login_is_no_rescue(dead, trouble, said):
    trouble(dead.ssh)
    outcome = dead.run("handler", "--rescue-command", dead.rescue_command())
    assert_not_rescued(dead, outcome.code, outcome.out, said)


def pause_in_the_middle(cluster):
    """Return (a rescue command that stops when half of its answer is sent, what it waits for)."""
    pause = Pause(cluster)
    cluster.stub("half", f'"$@" | {{ head -c {3 * SIZE}; {pause.command}; cat; }}')
    return cluster.rescue_command("half"), pause


@pytest.mark.parametrize("shared, end, said", [
    ("mariadb-gtid", CUT, "closed by remote host"), ("mariadb-gtid", VANISHED, "not responding"),
    ("mysql-gtid", CUT, "closed by remote host")], indirect=["shared"])
def test_half_an_answer_is_no_rescue(dead, end, said):
    command, pause = pause_in_the_middle(dead)
    # ssh finds out within eight seconds that nobody is there, for which a rescue has the time then.
    process = dead.begin("handler", "-t", "40", "--rescue-command", command)
    pause.wait()
    dead.ssh.signal_sessions(end)
    out, _ = process.communicate(timeout=30)
    pause.release()
    assert_not_rescued(dead, process.returncode, out, said)


def test_an_answer_that_does_not_fit_on_the_disk_is_no_rescue(dead):
    """ssh succeeds all the same, unless the last of the answer comes late."""
    file, position = received(dead.db2.channels()[0])
    text = subprocess.run(f"{dead.binlog_tool()} --no-defaults --start-position={position} {file}",
                          shell=True, check=True, stdout=subprocess.PIPE, cwd=dead.db1.datadir).stdout
    mount = 'mount -t tmpfs -o mode=700,size="$2" none "$1"; shift 2; exec "$@"'
    command = dead.command("handler", "--rescue-command", dead.rescue_command())
    done = subprocess.run(["unshare", "--mount", "sh", "-ec", mount, "sh", dead.state_dir,
                           str(len(text)), *command], text=True, stdout=subprocess.PIPE, timeout=30,
                          env=dead.environment)
    assert_not_rescued(dead, done.returncode, done.stdout, "(not complete|exited with 255)")


@mariadb_only
def test_a_rescue_that_hangs_leaves_time_for_the_failover(dead):
    """The host answers to ssh, its disk does not; what fences it does not, either."""
    dead.stub("stuck", "exec sleep 60")
    outcome = dead.run("handler", "-t", "12", "--rescue-command", dead.rescue_command("stuck"),
                       "--fence", "best-effort", "--fence-command", f"{dead.programs}/stuck")
    assert_not_rescued(dead, outcome.code, outcome.out, "did not end within")
    assert re.search("^warning: fence db1: .* did not end within", outcome.out, re.M), outcome.out


def test_a_rescue_that_was_interrupted_is_begun_anew(dead):
    """An engine ends a handler that takes too long."""
    command, pause = pause_in_the_middle(dead)
    process = dead.begin("handler", "--rescue-command", command)
    pause.wait()
    process.kill()
    process.communicate(timeout=30)
    pause.release()
    outcome = dead.run("handler", "--rescue-command", command)
    assert outcome.code == 0 and "loss: none, 6 transactions were rescued" in outcome.out, outcome.out
    dead.assert_one_primary(dead.db2)
    assert rows(dead.db2) == {1, *LOST}


# The fence

def fence_by_ssh(cluster, stop=""):
    """Let systemctl kill db1, which hangs, and return the options for the shipped fence."""
    cluster.db1.freeze()
    cluster.stub("systemctl", f"case $1 in kill) {stop} kill -KILL {cluster.db1.process.pid} ;; "
                              "is-active) echo failed ;; esac")
    script = cluster.programs / "fence-by-ssh"
    script.write_text(adapted((EXAMPLES / "fence").read_text(), {
        "method=refuse": "method=ssh", "service=mariadb": f"service={cluster.flavour}"}))
    script.chmod(0o755)
    return ["--fence-command", str(script), "--probe-timeout", "1", "--retries", "1"]


@mariadb_only
def test_a_primary_that_hangs_is_fenced(cluster):
    outcome = cluster.run("handler", *fence_by_ssh(cluster))
    # What it has not received cannot be rescued from there.
    assert outcome.code == 1 and outcome.out.count("warning: ") == 1, outcome.out
    assert "warning: db2 did not receive from db1 to the end" in outcome.out
    assert "mariadb is stopped and disabled" in outcome.out
    assert cluster.db1.process.wait(5) == -signal.SIGKILL
    cluster.assert_one_primary(cluster.db2)


@mariadb_only
@pytest.mark.parametrize("end", [CUT, VANISHED])
def test_what_was_not_seen_to_be_stopped_is_not_fenced(cluster, end):
    pause = Pause(cluster)
    process = cluster.begin("handler", *fence_by_ssh(cluster, f"{pause.command}; exit;"))
    pause.wait()
    cluster.ssh.signal_sessions(end)
    out, _ = process.communicate(timeout=30)
    pause.release()
    assert process.returncode == 2 and "fence db1: " in out and "exited with 1: " in out, out
    cluster.db1.thaw()
    wait_until(lambda: cluster.writers() == ["db1"], what="everything to be as it was")
