# SPDX-License-Identifier: MIT
"""How nodes are named on the command line and in files; nothing here is contacted."""

import re

import pytest

from plugin import run_usage_error, run_raw, path

CHECK = "check_mysql_split_brain"


@pytest.mark.parametrize("options, words", [
    ([], "no node given"),
    (["--node", "a b=db1"], "--node.*'a b=db1'"),
    (["--node", "db1:0"], "--node.*'db1:0'"),
    (["--node", "=db1"], "--node.*'=db1'"),
    (["--node", "db1", "--node", "db1"], "'db1' is given twice"),
    (["--node", "a=db1", "--node", "b=DB1:3306"], "db1:3306 is given twice"),
    (["--node", "a=db1,alias=db2", "--node", "b=db2"], "db2:3306 is given twice"),
    (["--node", "a=db1,db2"], "--node.*'a=db1,db2'.*alias="),
    (["--node", "a=db1,alias="], "--node.*'a=db1,alias='"),
    (["--node", "a=192.0.2.1", "--node", "b=127.0.0.1"],
     "b is 127.0.0.1, which every machine takes for itself, and a is 192.0.2.1"),
    (["--node", "a=localhost", "--node", "b=192.0.2.1"], "a is localhost"),
    (["--node", "a=[::1]:3306", "--node", "b=192.0.2.1"], "a is ::1"),
    (["--node", "db1", "-H", "db1"], "--hostname"),
    (["--node", "db1", "--allow-writers", "0"], "--allow-writers.*'0'"),
    (["--node", "db1", "--unreachable", "maybe"], "--unreachable.*'maybe'"),
    (["--node", "db1", "-w", "2:1"], "--warning.*'2:1'"),
    (["--cluster"], "--cluster"),
    (["--cluster", "/nonexistent"], "--cluster: .*/nonexistent"),
    (["--pandora-conf", "/nonexistent"], "--pandora-conf: .*/nonexistent"),
    (["--mha-conf", "/nonexistent"], "--mha-conf: .*/nonexistent"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_mistakes(options, words):
    assert re.search(words, run_usage_error(CHECK, *options))


@pytest.mark.parametrize("text, words", [
    ("", "no node given"),
    ("node", "line 1: expected key=value"),
    ("# c\n[x\n", "line 2: a section must end"),
    ("node = db1\nnode = db1\n", "'db1' is given twice"),
    ("node = db1:99999\n", "'db1:99999'"),
    ("password secret-word\n", "line 1"),
])
def test_mistakes_in_a_cluster_file(tmp_path, text, words):
    file = tmp_path / "cluster.conf"
    file.write_text(text)
    said = run_usage_error(CHECK, "--cluster", file)
    assert re.search(words, said)
    assert "secret-word" not in said


def test_a_cluster_file_may_be_named_in_a_config_file(tmp_path):
    cluster = tmp_path / "cluster.conf"
    cluster.write_text("node = db1:0\n")
    config = tmp_path / "check.ini"
    config.write_text(f"cluster = {cluster}\n")
    assert "'db1:0'" in run_usage_error(CHECK, "--config", config)


def test_mhas_sections_and_its_file_for_all_applications(tmp_path):
    everywhere, app = tmp_path / "default.cnf", tmp_path / "app1.cnf"
    everywhere.write_text("[server default]\nport=1\nmanager_workdir=/x\ninit_conf_load_script=/y\n")
    app.write_text("[server1]\nhostname=127.0.0.1\n[server_2]\nhostname=127.0.0.2\nnew_key=1\n")
    for options in (["--mha-conf", app, "--mha-global-conf", everywhere],
                    ["--mha-global-conf", everywhere, "--mha-conf", app]):
        text = run_raw([path(CHECK), *options, "-v"]).out
        assert "127.0.0.1:1" in text and "127.0.0.2:1" in text, text
        assert f"{app}: keys of no use here: manager_workdir, new_key" in text, text
    cluster = tmp_path / "cluster.conf"
    cluster.write_text(f"mha-conf={app}\nmha-global-conf={everywhere}\nstate-dir={tmp_path}\n")
    plan = run_raw([path("mysql_ha"), "plan", "--cluster", cluster])
    assert plan.out.startswith(
        f"note: {app}: init_conf_load_script is not run: what it prints is missing\n"
        f"note: {app}: MHA fetches by ssh what only the dead primary's disk has, this does not without "
        "--rescue-command\n")
    app.write_text("[server1]\nhostname=127.0.0.1\n[db2]\nhostname=127.0.0.2\n")
    assert "[db2] is none of MHA's sections" in run_usage_error(CHECK, "--mha-conf", app)


def test_help_names_the_node_options():
    text = run_raw([path(CHECK), "--help"]).out
    for option in ("--node", "--cluster", "--pandora-conf", "--mha-conf", "--allow-writers",
                   "--unreachable"):
        assert f"{option}=" in text
    assert [line for line in text.splitlines() if len(line) > 80] == []


def test_the_port_of_a_defaults_file_is_that_of_nodes_without_one(tmp_path):
    file = tmp_path / "my.cnf"
    file.touch(mode=0o600)
    file.write_text("[client]\nport=1\n")
    text = run_raw([path(CHECK), "--node", "127.0.0.1", "-f", file]).out
    assert "127.0.0.1:1:" in text and "3306" not in text, text
    file.write_text("[client]\nport=1\n[site]\nport=2\n")
    assert "127.0.0.1:2:" in run_raw([path(CHECK), "--node", "127.0.0.1", "-f", file,
                                      "-g", "site"]).out
    assert "127.0.0.1:3:" in run_raw([path(CHECK), "--node", "127.0.0.1:3", "-f", file]).out
    assert "127.0.0.1:4:" in run_raw([path(CHECK), "--node", "127.0.0.1", "-P", "4", "-f",
                                      file]).out


@pytest.mark.parametrize("check", [CHECK, "check_mysql_replication_threads"])
@pytest.mark.parametrize("line, words", [
    ("ssl-mode=SOMETIMES", "ssl-mode: expected DISABLED"),
    ("ssl-fp=AB", r"ssl-fp cannot be honoured \(remove it, or write loose-ssl-fp\)"),
    ("ssl-ca=/nonexistent", "ssl-ca: cannot read /nonexistent"),
])
def test_what_a_defaults_file_says_of_tls_is_not_passed_over(check, line, words, tmp_path):
    file = tmp_path / "my.cnf"
    file.touch(mode=0o600)
    file.write_text(f"[client]\n{line}\n")
    place = ["--node", "127.0.0.1:1"] if check == CHECK else ["-H", "127.0.0.1", "-P", "1"]
    said = run_raw([path(check), *place, "-f", file])
    assert said.code == 3 and re.search(f"--defaults-file: .*{words}", said.out), said.out


def test_a_host_may_stand_in_brackets():
    outcome = run_raw([path("check_mysql_replication_threads"), "-H", "[::1]", "-P", "1"])
    assert outcome.code == 2 and "[::1]:1:" in outcome.out and "nknown" not in outcome.out
    said = run_usage_error("check_mysql_replication_threads", "-H", "[::1]:3307")
    assert "the port belongs to --port" in said
