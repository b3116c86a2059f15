# SPDX-License-Identifier: MIT
"""Moving a virtual IP between real machines in one network, here and by a remote command: what holds
it, what the neighbours believe, and what is refused."""

import concurrent.futures

import pytest

import plugin
from lan import MOVER, Lan, move
from servers import wait_until
from sshd import Ssh

V4, V6 = "10.77.0.100/24", "fd77::100/64"
both_families = pytest.mark.parametrize("vip", [V4, V6], ids=["ipv4", "ipv6"])


@pytest.fixture(name="lan")
def lan_fixture():
    with Lan("db1", "db2", "watcher") as lan:
        yield lan


DONE = (0, "done")


@pytest.fixture(name="ssh")
def ssh_fixture(lan, tmp_path):
    """An ssh that reaches each machine by each of its addresses."""
    ssh = Ssh(tmp_path / "ssh", 22, tmp_path)
    for machine in lan.machines.values():
        for at in (machine.ipv4, machine.ipv6):
            ssh.serve(machine.inside, at)
    yield ssh
    ssh.close()


@pytest.fixture(name="remote")
def remote_fixture(ssh):
    return ["--remote-command", f"{ssh.client} -oBatchMode=yes -oConnectTimeout=5 root@{{host}}"]


def address(vip):
    return vip.split("/")[0]


def talk(lan, vip):
    """Let the watcher reach the address, so that it knows a neighbour for it."""
    lan["watcher"].run("python3", "-c", f"""
import socket
with socket.socket(socket.AF_INET6 if ":" in "{vip}" else socket.AF_INET) as client:
    try:
        client.connect(("{address(vip)}", 9))
    except ConnectionRefusedError:
        pass
""")


@both_families
def test_the_address_moves_and_the_neighbours_know_at_once(lan, vip):
    for holder, other in (("db1", "db2"), ("db2", "db1")):
        assert move(lan[other], "drop", vip) == DONE
        assert move(lan[holder], "take", vip) == DONE
        assert lan[holder].holds(address(vip)) and not lan[other].holds(address(vip))
        if holder == "db1":
            talk(lan, vip)
        # The second time without a word from the watcher.
        wait_until(lambda: lan["watcher"].neighbour(address(vip)) == lan[holder].mac, 2)


@both_families
def test_twice_in_a_row_is_as_good_as_once(lan, vip):
    for _ in range(2):
        assert move(lan["db1"], "take", vip) == DONE
        assert lan["db1"].run("ip", "-o", "addr", "show", "to", address(vip)).count("\n") == 1
    for _ in range(2):
        assert move(lan["db1"], "drop", vip) == DONE
        assert not lan["db1"].holds(address(vip))
    assert lan["db1"].holds(lan["db1"].ipv4), "no other address goes with it"


@both_families
def test_refused_while_another_machine_answers(lan, vip):
    lan["db1"].add(vip)
    code, text = move(lan["db2"], "take", vip)
    assert (code, text) == (2, f"{address(vip)} is still answered by {lan['db1'].mac}")
    assert not lan["db2"].holds(address(vip))
    # Nor is it taken once more when there are two already.
    lan["db2"].add(vip)
    code, text = move(lan["db2"], "take", vip)
    assert (code, text) == (2, f"{address(vip)} is still answered by {lan['db1'].mac}")
    assert lan["db2"].holds(address(vip))


@both_families
def test_two_that_take_it_at_the_same_time_never_keep_it_both(lan, vip):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for _ in range(4):
            outcomes = list(pool.map(lambda name: move(lan[name], "take", vip), ["db1", "db2"]))
            holders = [name for name in ("db1", "db2") if lan[name].holds(address(vip))]
            assert len(holders) <= 1, outcomes
            assert [code for code, _ in outcomes].count(0) == len(holders), outcomes
            for name in holders:
                assert move(lan[name], "drop", vip) == DONE


def test_an_address_in_vain_is_put_up_when_the_other_is_gone(lan):
    lan["db1"].add(V6)
    lan["db2"].run("ip", "addr", "add", V6, "dev", "eth0")
    wait_until(lambda: "dadfailed" in lan["db2"].run("ip", "-o", "addr", "show"))
    lan["db1"].delete(V6)
    assert move(lan["db2"], "take", V6) == DONE
    assert "dadfailed" not in lan["db2"].run("ip", "-o", "addr", "show")


def test_it_stands_on_another_interface(lan):
    lan.plug(lan["db1"], "eth1", "to-db1-too")
    lan["db1"].add(V4, "eth1")
    assert move(lan["db1"], "take", V4) == (2, "10.77.0.100 stands on eth1 instead of eth0")
    # To be dropped it may stand anywhere, with whatever prefix.
    assert move(lan["db1"], "drop", "10.77.0.100/32") == DONE
    assert not lan["db1"].holds("10.77.0.100")


def test_an_alias_of_old_configurations(lan):
    assert move(lan["db1"], "take", V4, interface="eth0:1") == DONE
    assert "secondary eth0:1" in lan["db1"].run("ip", "-o", "addr", "show")
    assert move(lan["db1"], "drop", V4, interface="eth0:1") == DONE
    assert not lan["db1"].holds("10.77.0.100")


def test_without_privileges_it_fails_and_changes_nothing(lan):
    for dropped, words in (("net_raw", "needs CAP_NET_RAW"), ("net_admin", "not permitted")):
        lan["db1"].inside += ["setpriv", f"--bounding-set=-{dropped}"]
        code, text = move(lan["db1"], "take", V4)
        assert code == 2 and words in text, text
        assert not lan["db1"].holds("10.77.0.100")
        del lan["db1"].inside[-2:]


def test_no_time_is_no_permission(lan):
    code, text = move(lan["db1"], "take", V4, "-t", "0.4")
    assert (code, text) == (2, "no time is left to ask the network")
    assert not lan["db1"].holds("10.77.0.100")


# On another machine


@both_families
def test_the_address_moves_between_two_others(lan, remote, vip):
    for holder, other in (("db1", "db2"), ("db2", "db1")):
        for _ in range(2):
            assert move(lan["watcher"], "drop", vip, *remote, "--host", lan[other].ipv4) == DONE
        for _ in range(2):
            assert move(lan["watcher"], "take", vip, *remote, "--host", lan[holder].ipv6) == DONE
        assert lan[holder].holds(address(vip)) and not lan[other].holds(address(vip))
        if holder == "db1":
            talk(lan, vip)
        wait_until(lambda: lan["watcher"].neighbour(address(vip)) == lan[holder].mac, 2)


@both_families
def test_refused_there_while_another_machine_answers(lan, remote, vip):
    lan["db1"].add(vip)
    code, text = move(lan["watcher"], "take", vip, *remote, "--host", lan["db2"].ipv4)
    assert code == 2, text
    assert text.startswith(f"{address(vip)} is still answered by "), text
    assert not lan["db2"].holds(address(vip))


def test_a_host_that_is_ourselves_needs_no_remote_command(lan):
    for host in (lan["db1"].ipv4, lan["db1"].ipv6, "127.0.0.1", "localhost", ""):
        assert move(lan["db1"], "take", V4, "--host", host) == DONE
    code, text = move(lan["db1"], "take", V4, "--host", lan["db2"].ipv4)
    assert (code, text) == (2, "10.77.0.2 is another machine and there is no --remote-command")


def test_a_machine_that_is_not_reached(lan, remote):
    code, text = move(lan["watcher"], "drop", V4, *remote, "--host", "10.77.0.77")
    assert code == 2
    assert "root@10.77.0.77 ip -o addr show' exited with 255: ssh: connect to host" in text


def test_a_remote_command_that_hangs_is_ended(lan):
    outcome = plugin.run_raw([*lan["watcher"].inside, MOVER, "--do", "drop", "--vip", V4,
                              "--interface", "eth0", "--host", "10.77.0.77", "-t", "1",
                              "--remote-command", "sh -c 'sleep 60' {host}"])
    assert outcome.code == 2, outcome.out
    assert outcome.seconds < 1.5


def test_another_program_named_arping_is_not_believed(lan, remote, tmp_path):
    # The one by Habets exits with 0 when a machine answers, and knows these options.
    other = tmp_path / "arping"
    other.write_text("#!/bin/sh\necho 'ARPING 10.77.0.100'; echo '!!'; exit 0\n")
    other.chmod(0o755)
    lan["db1"].add(V4)
    code, text = move(lan["watcher"], "take", V4, *remote, "--host", lan["db2"].ipv4)
    assert code == 2, text
    assert "arping on 10.77.0.2 is not that of iputils" in text
    assert not lan["db2"].holds("10.77.0.100")
