# SPDX-License-Identifier: MIT
"""check_vip on machines in one network: who holds the address, where it leads, what is said without
privileges. Real servers stand behind the address where it leads somewhere."""

import os
import shutil
import subprocess
import tempfile

import pytest

import plugin
from lan import Lan, move
from servers import MONITOR_PASSWORD, MONITOR_USER, replicate, start_all, wait_until

CHECK = "check_vip"
PORT = 3306
V4, V6 = "10.77.0.100", "fd77::100"
both_families = pytest.mark.parametrize("vip, prefix", [(V4, 24), (V6, 64)], ids=["ipv4", "ipv6"])


@pytest.fixture(name="lan")
def lan_fixture():
    with Lan("db1", "db2", "watcher") as lan:
        yield lan


def check(machine, vip, *options, **arguments):
    """Run the check on a machine."""
    return plugin.run(CHECK, "--vip", vip, *options, inside=machine.inside, **arguments)


def numbers(outcome):
    """Return the metrics (held, holders)."""
    return tuple(outcome.perfdata[label].value for label in ("held", "holders"))


# Without servers


@both_families
def test_held_by_one(lan, vip, prefix):
    lan["db1"].add(f"{vip}/{prefix}")
    for machine, holder, held in (("db1", "this machine", 1), ("db2", lan["db1"].mac, 0),
                                  ("watcher", lan["db1"].mac, 0)):
        outcome = check(lan[machine], vip, "--arping")
        assert outcome.state == "OK", outcome.out
        assert f"{vip}: held by {holder} alone; " in outcome.text
        assert numbers(outcome) == (held, 1)


@both_families
def test_held_by_none(lan, vip, prefix):
    lan["db1"].add(f"{vip}/{prefix}")
    lan["db1"].delete(f"{vip}/{prefix}")
    outcome = check(lan["watcher"], vip, "--arping")
    assert outcome.state == "CRITICAL", outcome.out
    assert outcome.text == f"{vip}: held by no machine; not held here"
    assert numbers(outcome) == (0, 0)


@both_families
def test_held_by_both(lan, vip, prefix):
    macs = sorted([lan["db1"].mac, lan["db2"].mac])
    for machine in ("db1", "db2"):
        lan[machine].add(f"{vip}/{prefix}")
    outcome = check(lan["watcher"], vip, "--arping")
    assert outcome.state == "CRITICAL", outcome.out
    assert f"held by 2 machines: {macs[0]}, {macs[1]}" in outcome.text
    assert numbers(outcome) == (0, 2)
    outcome = check(lan["db1"], vip, "--arping")
    assert outcome.state == "CRITICAL", outcome.out
    assert f"held by 2 machines: this machine, {lan['db2'].mac}" in outcome.text
    assert numbers(outcome) == (1, 2)


def test_a_duplicate_that_the_kernel_has_found_is_not_in_use(lan):
    lan["db1"].add(f"{V6}/64")
    lan["db2"].run("ip", "addr", "add", f"{V6}/64", "dev", "eth0")
    wait_until(lambda: "dadfailed" in lan["db2"].run("ip", "-o", "addr", "show", "to", V6))
    outcome = check(lan["db2"], V6, "--arping")
    assert outcome.state == "WARNING", outcome.out
    assert "held here on eth0 but not in use: another machine has it" in outcome.text
    assert numbers(outcome) == (0, 1)


def test_asking_disturbs_nobody_who_is_just_taking_the_address(lan):
    # The kernel of a machine that looks for others gives up when another one looks at the same time.
    lan["db1"].run("ip", "addr", "add", f"{V6}/64", "dev", "eth0")
    assert "tentative" in lan["db1"].run("ip", "-o", "addr", "show", "to", V6)
    check(lan["watcher"], V6, "--arping")
    wait_until(lambda: "tentative" not in lan["db1"].run("ip", "-o", "addr", "show", "to", V6))
    assert check(lan["db1"], V6, "--expect", "held").state == "OK"


def test_two_interfaces_of_one_machine_are_one_holder(lan):
    lan.plug(lan["db1"], "eth1", "to-db1-too")
    lan["db1"].add("10.77.0.9/24", "eth1")
    lan["db1"].add(f"{V4}/32")
    outcome = check(lan["db1"], V4, "--arping", "--interface", "eth0")
    assert outcome.state == "OK", outcome.out
    assert numbers(outcome) == (1, 1)


@both_families
def test_a_server_behind_a_load_balancer_is_no_holder(lan, vip, prefix):
    director, real = lan["db1"], lan["db2"]
    director.add(f"{vip}/{prefix}")
    real.add(f"{vip}/{128 if ':' in vip else 32}", "lo")
    real.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore")
    for interface in ([], ["--interface", "eth0"]):
        outcome = check(real, vip, "--arping", *interface)
        assert outcome.state == "OK", outcome.out
        assert f"{vip}: held by {director.mac} alone; held here on lo" in outcome.text
        assert numbers(outcome) == (1, 1)
    assert numbers(check(lan["watcher"], vip, "--arping")) == (0, 1)
    assert numbers(check(director, vip, "--arping")) == (1, 1)
    director.delete(f"{vip}/{prefix}")
    outcome = check(real, vip, "--arping")
    assert outcome.state == "CRITICAL" and "held by no machine" in outcome.text, outcome.out


def test_an_address_on_lo_for_which_the_machine_answers_is_held(lan):
    lan["db1"].add(f"{V4}/24")
    lan["db2"].add(f"{V4}/32", "lo")
    outcome = check(lan["db2"], V4, "--arping")
    assert outcome.state == "CRITICAL", outcome.out
    assert f"held by 2 machines: this machine, {lan['db1'].mac}" in outcome.text
    assert numbers(check(lan["watcher"], V4, "--arping")) == (0, 2)


@both_families
def test_a_stale_entry_is_told_before_the_question_repairs_it(lan, vip, prefix):
    lan["db1"].add(f"{vip}/{prefix}")
    watcher, wrong = lan["watcher"], "02:00:5e:10:00:99"
    watcher.run("ip", "neigh", "replace", vip, "lladdr", wrong, "dev", "eth0", "nud", "stale")
    outcome = check(watcher, vip, "--arping")
    assert outcome.state == "CRITICAL", outcome.out
    assert (f"until this check asked, this machine sent packets for the address to {wrong}, "
            "which does not") in outcome.text
    assert f"held by {lan['db1'].mac} alone" in outcome.text
    watcher.run("ip", "neigh", "replace", vip, "lladdr", lan["db1"].mac, "dev", "eth0", "nud", "stale")
    assert check(watcher, vip, "--arping").state == "OK"


@both_families
def test_what_is_expected_here(lan, vip, prefix):
    lan["db1"].add(f"{vip}/{prefix}")
    assert check(lan["db1"], vip, "--expect", "held").state == "OK"
    assert check(lan["db2"], vip, "--expect", "absent").state == "OK"
    outcome = check(lan["db2"], vip, "--expect", "held")
    assert (outcome.state, outcome.text) == ("CRITICAL",
                                             f"{vip}: not held here, where it is expected")
    outcome = check(lan["db1"], vip, "--expect", "absent")
    assert outcome.state == "CRITICAL", outcome.out
    outcome = check(lan["db1"], vip, "--expect", "held", "--interface", "lo")
    assert outcome.state == "CRITICAL", outcome.out
    assert "held here on eth0 instead of lo" in outcome.text


def test_an_alias_of_old_configurations_is_its_interface(lan):
    lan["db1"].run("ip", "addr", "add", f"{V4}/24", "dev", "eth0", "label", "eth0:1")
    for interface in ("eth0", "eth0:1"):
        outcome = check(lan["db1"], V4, "--expect", "held", "--interface", interface, "--arping")
        assert outcome.state == "OK", outcome.out


AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def test_without_privileges_what_can_be_said_is_said(lan):
    lan["db1"].add(f"{V4}/32")
    inside = [*lan["db1"].inside, *AS_NOBODY]
    outcome = plugin.run(CHECK, "--vip", V4, "--expect", "held", inside=inside)
    assert outcome.state == "OK", outcome.out
    for expect, state in (("held", "UNKNOWN"), ("absent", "CRITICAL")):
        outcome = plugin.run(CHECK, "--vip", V4, "--expect", expect, "--arping", inside=inside)
        assert outcome.state == state, outcome.out
        assert "asking the network needs CAP_NET_RAW" in outcome.text
        assert numbers(outcome) == (1, 1)


def test_a_capability_of_the_file_is_enough(lan):
    lan["db1"].add(f"{V4}/32")
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        check_vip = shutil.copy(plugin.path(CHECK), directory)
        subprocess.run(["setcap", "cap_net_raw+ep", check_vip], check=True)
        outcome = plugin.run_raw([*lan["watcher"].inside, *AS_NOBODY, check_vip, "--vip", V4,
                                  "--arping"])
    assert outcome.out.startswith(f"VIP OK - {V4}: held by {lan['db1'].mac} alone"), outcome.out


def test_what_cannot_be_asked_is_unknown(lan):
    for options, words in ((["--vip", "192.0.2.1"], "no interface of ours is in the network of"),
                           (["--vip", V4, "--interface", "lo"], "no Ethernet interface lo"),
                           (["--vip", V4, "--interface", "eth9"], "no Ethernet interface eth9"),
                           (["--vip", V4, "-t", "0.3"], "no time is left")):
        outcome = plugin.run(CHECK, *options, "--arping", inside=lan["watcher"].inside)
        assert outcome.state == "UNKNOWN", outcome.out
        assert words in outcome.text
    lan["watcher"].run("ip", "link", "set", "eth0", "down")
    outcome = check(lan["watcher"], V4, "--arping", "--interface", "eth0")
    assert outcome.state == "UNKNOWN", outcome.out


# With servers


class PairInLan:
    """A writer on db1, its read-only replica on db2."""

    def __init__(self, bench, lan, flavour):
        self.bench, self.lan = bench, lan
        self.servers = [self.new_server(flavour, name) for name in ("db1", "db2")]
        start_all(self.servers)
        for server in self.servers:
            server.create_monitor()
        self.servers[1].sql("SET GLOBAL read_only = ON")
        replicate(self.servers[1], self.servers[0])

    def new_server(self, flavour, machine):
        """Return a server on a machine that listens on all its addresses."""
        server = self.bench.new_server(flavour, name=machine, options=["--bind-address=*"])
        server.host, server.port = self.lan[machine].ipv4, PORT
        server.inside = self.lan[machine].inside
        return server

    def check(self, machine, vip, *options, **arguments):
        """Run the check on a machine over both nodes."""
        nodes = [f"--node={s.name}={s.host}" for s in self.servers]
        return check(self.lan[machine], vip, *nodes, "-u", MONITOR_USER, "-p", MONITOR_PASSWORD,
                     *options, **arguments)


@pytest.fixture(name="cluster")
def cluster_fixture(bench, flavour):
    lan = bench.add(Lan("db1", "db2", "watcher"))
    return PairInLan(bench, lan, flavour)


def test_where_the_address_leads(cluster):
    db1, db2 = cluster.lan["db1"], cluster.lan["db2"]
    for vip, prefix in ((V4, 24), (V6, 64)):
        db1.add(f"{vip}/{prefix}")
        for machine, held in (("db1", 1), ("watcher", 0)):
            outcome = cluster.check(machine, vip, "--arping")
            assert outcome.state == "OK", outcome.out
            assert f"{vip}: leads to db1, which accepts writes; held by" in outcome.text
            assert numbers(outcome) == (held, 1)
            assert outcome.lines[1:] == ["[OK] db1: writable, the address leads here",
                                         "[OK] db2: read-only"]

        # On the wrong node.
        db1.delete(f"{vip}/{prefix}")
        cluster.lan["watcher"].run("ip", "neigh", "flush", "dev", "eth0")
        db2.add(f"{vip}/{prefix}")
        outcome = cluster.check("watcher", vip)
        assert outcome.state == "CRITICAL", outcome.out
        assert f"{vip}: leads to db2, which is read-only" in outcome.text
        assert numbers(outcome) == (0, 1)

        # On both: each node sees itself behind the address, and the network sees two.
        db1.add(f"{vip}/{prefix}")
        outcome = cluster.check("db1", vip, "--arping")
        assert outcome.state == "CRITICAL", outcome.out
        assert f"held by 2 machines: this machine, {db2.mac}; leads to db1" in outcome.text
        assert cluster.check("db2", vip).state == "CRITICAL"

        # Nowhere.
        for machine in (db1, db2):
            machine.delete(f"{vip}/{prefix}")
        outcome = cluster.check("watcher", vip, "-t", "4")
        assert outcome.state == "CRITICAL", outcome.out
        assert f"{vip}: leads to no server" in outcome.text
        assert outcome.seconds < 4.5
        assert outcome.perfdata["holders"].value is None


def test_a_failover_moves_the_address(cluster):
    db1, db2 = cluster.lan["db1"], cluster.lan["db2"]
    addresses = {V4: f"{V4}/24", V6: f"{V6}/64"}
    for vip, full in addresses.items():
        assert move(db1, "take", full) == (0, "done")
        assert "leads to db1, which accepts writes" in cluster.check("watcher", vip).text
    cluster.servers[0].sql("SET GLOBAL read_only = ON")
    cluster.servers[1].stop_replication()
    cluster.servers[1].sql("SET GLOBAL read_only = OFF")
    for vip, full in addresses.items():
        outcome = cluster.check("watcher", vip)
        assert outcome.state == "CRITICAL" and "leads to db1, which is read-only" in outcome.text
        assert move(db2, "take", full)[0] == 2, "it still is on db1"
        assert move(db1, "drop", full) == (0, "done")
        assert move(db2, "take", full) == (0, "done")
        for machine in ("watcher", "db1", "db2"):
            outcome = cluster.check(machine, vip, "--arping")
            assert outcome.state == "OK", outcome.out
            assert "leads to db2, which accepts writes; held by" in outcome.text


def test_the_server_behind_the_address_is_down_or_hangs(cluster):
    cluster.lan["db1"].add(f"{V4}/24")
    cluster.servers[0].freeze()
    outcome = cluster.check("watcher", V4, "--arping", "-t", "2")
    cluster.servers[0].thaw()
    assert outcome.state == "CRITICAL", outcome.out
    assert outcome.seconds < 2.5
    assert "leads to no server" in outcome.text and " alone; " in outcome.text
    assert "[OK] db2: read-only" in outcome.lines
    cluster.servers[0].kill()
    outcome = cluster.check("watcher", V4)
    assert outcome.state == "CRITICAL", outcome.out
    assert f"{V4}: leads to no server" in outcome.text


def test_a_stranger_behind_the_address(cluster):
    stranger = cluster.new_server(cluster.servers[0].flavour, "watcher").start()
    stranger.create_monitor()
    cluster.lan["watcher"].add(f"{V4}/32")
    outcome = cluster.check("db1", V4)
    assert outcome.state == "CRITICAL", outcome.out
    assert "leads to a server that is none of the nodes, which accepts writes" in outcome.text


def test_a_node_that_is_reached_by_the_address_alone(cluster):
    cluster.lan["db1"].add(f"{V4}/24")
    cluster.lan["watcher"].run("ip", "route", "add", "blackhole", f"{cluster.servers[0].host}/32")
    outcome = cluster.check("watcher", V4)
    assert outcome.state == "UNKNOWN", outcome.out
    assert "leads to what may be db1, which accepts writes" in outcome.text
    # A node that is down and not needed is told and not judged.
    cluster.lan["watcher"].run("ip", "route", "del", "blackhole", f"{cluster.servers[0].host}/32")
    cluster.servers[1].kill()
    outcome = cluster.check("watcher", V4)
    assert outcome.state == "OK", outcome.out
    assert "db2" in outcome.lines[2] and cluster.servers[1].host in outcome.lines[2]


def test_a_closed_account_is_unknown(cluster):
    cluster.lan["db1"].add(f"{V4}/24")
    outcome = cluster.check("watcher", V4, "-p", "wrong")
    assert outcome.state == "UNKNOWN", outcome.out
    assert "it is not known where the address leads" in outcome.text and "access denied" in outcome.text


def test_the_account_needs_no_privilege(cluster):
    cluster.lan["db1"].add(f"{V4}/24")
    for server in cluster.servers:
        server.create_user("nobody", "nothing")
    outcome = cluster.check("watcher", V4, "-u", "nobody", "-p", "nothing")
    assert outcome.state == "OK", outcome.out


def test_all_are_asked_at_the_same_time(cluster):
    cluster.lan["db1"].add(f"{V4}/24")
    lost = [f"--node=lost{n}=10.77.0.{n}" for n in range(200, 230)]
    outcome = cluster.check("watcher", V4, "--arping", *lost, "-t", "2")
    assert outcome.seconds < 2.5
    assert outcome.state == "OK", outcome.out


def test_a_cluster_file_says_it_all(cluster, tmp_path):
    file = tmp_path / "cluster.conf"
    file.write_text(f"vip = {V4}/24\ninterface = eth0\nremote-command = ssh {{host}}\n"
                    f"username = {MONITOR_USER}\npassword = {MONITOR_PASSWORD}\n" + "".join(
                        f"node = {s.name}={s.host}\n" for s in cluster.servers))
    cluster.lan["db1"].add(f"{V4}/24")
    outcome = plugin.run(CHECK, "--cluster", file, "-v", inside=cluster.lan["db2"].inside)
    assert outcome.state == "OK", outcome.out
    assert "keys of no use here: remote-command" in outcome.out


def test_facts_in_json(cluster):
    cluster.lan["db1"].add(f"{V4}/24")
    nodes = [f"--node={s.name}={s.host}" for s in cluster.servers]
    outcome = plugin.run_raw([*cluster.lan["db1"].inside, plugin.path(CHECK), "--vip", V4, *nodes,
                              "-u", MONITOR_USER, "-p", MONITOR_PASSWORD, "--output", "json"])
    items = {item["name"]: item["facts"] for item in outcome.json()["items"]}
    assert items["db1"]["led_to"] is True and items["db2"]["led_to"] is False
    assert items["db1"]["read_only"] is False and items["db2"]["read_only"] is True
    assert f"server_id={cluster.servers[0].server_id}" in items["db1"]["server"]
