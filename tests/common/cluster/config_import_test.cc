// SPDX-License-Identifier: MIT
#include "common/cluster/config_import.h"

#include <gtest/gtest.h>

#include "common/cluster/node_options.h"
#include "common/text.h"

namespace ha {
namespace {

TEST(ConfigImportTest, PandoraFilesGiveHostsAndAccounts) {
  const auto cluster = import_pandora_conf(
      "# comment\n"
      "servername pandora1\n"
      "dbuser plain\n"
      "dbport 3307\n"
      "ha_hosts 192.168.80.170, 192.168.80.172:3308\n"
      "ha_dbuser\tpandoraha\n"
      "ha_dbpass  pass # word \n"
      "repl_dbuser slaveuser\nrepl_dbpass slavepass\n"
      "ha_sshuser pandora\nha_sshport 2222\n"
      "incomingdir /var/spool/pandora/data_in\n"
      "splitbrain_autofix 1\nsplitbrain_autofix 0\n",
      "pandora_server.conf");
  ASSERT_TRUE(cluster);
  ASSERT_EQ(cluster->nodes.size(), 2u);
  EXPECT_EQ(cluster->nodes[0].name, "192.168.80.170");
  EXPECT_EQ(cluster->nodes[0].port, 3307u);
  EXPECT_EQ(cluster->nodes[1].host, "192.168.80.172");
  EXPECT_EQ(cluster->nodes[1].port, 3308u);
  EXPECT_EQ(cluster->user, "pandoraha");
  EXPECT_EQ(cluster->password, "pass # word");
  EXPECT_EQ(cluster->repl_user, "slaveuser");
  EXPECT_EQ(cluster->repl_password, "slavepass");
  EXPECT_EQ(cluster->ssh_user, "pandora");
  EXPECT_EQ(cluster->ssh_port, 2222u);
  EXPECT_EQ(cluster->hosts_file, "/var/spool/pandora/data_in/conf/pandora_ha_hosts.conf");
  EXPECT_EQ(cluster->console_database, "pandora");
  EXPECT_EQ(join(cluster->unknown_keys, " "), "servername");
  EXPECT_TRUE(cluster->warnings.empty());
  EXPECT_FALSE(cluster->autofix);
}

TEST(ConfigImportTest, PandoraFilesWithoutAnAccountForFailoversHaveTheServersOwn) {
  const auto cluster = import_pandora_conf("ha_hosts a\ndbuser u\ndbpass p\n", "x");
  ASSERT_TRUE(cluster);
  EXPECT_EQ(cluster->user, "u");
  EXPECT_EQ(cluster->password, "p");
  EXPECT_EQ(cluster->repl_user, "u");
  EXPECT_EQ(cluster->repl_password, "p");
  EXPECT_EQ(cluster->hosts_file, "/var/spool/pandora/data_in/conf/pandora_ha_hosts.conf");
}

TEST(ConfigImportTest, PandoraFilesAreReadAsPandoraDoes) {
  const auto cluster = import_pandora_conf(
      "DBHost db0\nDBName monitoring\nHA_hosts db2,db1\nha_connect_retries 5\nha_connect_delay 2\n"
      "ha_hosts_file /srv/hosts\nincomingdir /data_in\nsplitbrain_autofix 1\nnew_key x\n",
      "x");
  ASSERT_TRUE(cluster);
  ASSERT_EQ(cluster->nodes.size(), 2u);
  EXPECT_EQ(cluster->nodes[0].name, "db2");
  EXPECT_EQ(cluster->tries, 5u);
  EXPECT_EQ(cluster->retry_interval_s, 2);
  EXPECT_EQ(cluster->hosts_file, "/srv/hosts");
  EXPECT_EQ(cluster->console_database, "monitoring");
  EXPECT_EQ(join(cluster->unknown_keys, " "), "new_key");
  EXPECT_EQ(join(cluster->notes, "|"),
            "x: dbhost db0 is none of ha_hosts: Pandora uses it only as long as there is no "
            "/srv/hosts|x: splitbrain_autofix: handle_mysql_failover repairs a split; by hand that "
            "is: mysql_ha repair");
  EXPECT_TRUE(cluster->autofix);
  EXPECT_TRUE(cluster->warnings.empty());
}

TEST(ConfigImportTest, MhaFilesGiveServersRolesAndAccounts) {
  const auto cluster = import_mha_conf(
      "[server default]\nuser=mha\npassword=se=cret\nrepl_user=repl\nrepl_password=r\n"
      "ssh_user=root\nping_interval=3\nmaster_ip_failover_script=/x\n"
      "[server1]\nhostname=zabbix1\ncandidate_master=1\n"
      "[server2]\nhostname=zabbix2\nport=3307\n"
      "[server3]\nhostname=zabbix3\nno_master=1\nignore_fail=1\n"
      "[binlog1]\nhostname=logs\n",
      "app1.cnf");
  ASSERT_TRUE(cluster);
  ASSERT_EQ(cluster->nodes.size(), 3u);
  EXPECT_EQ(cluster->nodes[0].name, "zabbix1");
  EXPECT_EQ(cluster->nodes[0].promotion, Promotion::kPreferred);
  EXPECT_EQ(cluster->nodes[1].name, "zabbix2:3307");
  EXPECT_EQ(cluster->nodes[1].port, 3307u);
  EXPECT_EQ(cluster->nodes[1].promotion, Promotion::kAllowed);
  EXPECT_EQ(cluster->nodes[2].promotion, Promotion::kNever);
  EXPECT_EQ(cluster->user, "mha");
  EXPECT_EQ(cluster->password, "se=cret");
  EXPECT_TRUE(cluster->unknown_keys.empty());
  EXPECT_EQ(cluster->interval_s, 3);
  EXPECT_EQ(join(cluster->ignore_fail, " "), "zabbix3");
  EXPECT_EQ(join(cluster->mha.address, " "), "/x");
  EXPECT_EQ(cluster->mha.conf, "app1.cnf");
  EXPECT_EQ(join(cluster->warnings, "|"),
            "app1.cnf: [binlog1] is asked for no events: a failover loses what that binlog server "
            "alone has");
}

TEST(ConfigImportTest, MhaSectionsAreThoseOfMhaInItsOrder) {
  const auto names = [](const char* text) {
    const auto cluster = import_mha_conf(text, "f");
    std::vector<std::string> found;
    for (const NodeAddress& node : cluster ? cluster->nodes : std::vector<NodeAddress>())
      found.push_back(node.name);
    return cluster ? join(found, " ") : cluster.error().text;
  };
  EXPECT_EQ(names("[server10]\nhostname=c\n[server_2]\nhostname=b\n[server1]\nhostname=a\n"),
            "a b c");
  EXPECT_EQ(names("[serverX]\nhostname=x\n[server-a]\nhostname=a\n[server1]\nhostname=b\n"),
            "a b x");
  for (const char* section : {"server", "server 1", "db1", "Server1", ""})
    EXPECT_EQ(names(("[" + std::string(section) + "]\nhostname=a\n").c_str()),
              "f: [" + std::string(section) +
                  "] is none of MHA's sections: [server default], or a name that begins with "
                  "server or binlog");
}

TEST(ConfigImportTest, MhasFileForAllApplicationsComesFirst) {
  const auto cluster = import_mha_conf(
      "[server default]\nuser=app\nmanager_log=/log\n"
      "[server1]\nhostname=a\nip=192.0.2.1\n[server2]\nhostname=b\nssh_port=24\nssh_user=ha\n",
      "app1.cnf",
      "[server default]\nuser=all\npassword='p'\nport=3307\nssh_user=root\nping_interval=5\n"
      "secondary_check_script= masterha_secondary_check -s \"h 1\" -s h2\n"
      "[server9]\nhostname=ignored\n",
      "/etc/masterha_default.cnf");
  ASSERT_TRUE(cluster);
  ASSERT_EQ(cluster->nodes.size(), 2u);
  EXPECT_EQ(cluster->user, "app");
  EXPECT_EQ(cluster->password, "p");
  EXPECT_EQ(cluster->nodes[0].name, "a:3307");
  EXPECT_EQ(join(cluster->nodes[0].aliases, " "), "192.0.2.1");
  EXPECT_EQ(cluster->interval_s, 5);
  EXPECT_EQ(join(cluster->mha.secondary_check, "|"), "masterha_secondary_check|-s|h 1|-s|h2");
  EXPECT_EQ(cluster->mha.servers.at("a:3307").ssh_user, "root");
  EXPECT_EQ(cluster->mha.servers.at("b:3307").ssh_user, "ha");
  EXPECT_EQ(cluster->mha.servers.at("b:3307").ssh_port, 24u);
  EXPECT_EQ(join(cluster->unknown_keys, " "), "manager_log");
  EXPECT_TRUE(cluster->warnings.empty());
}

TEST(ConfigImportTest, WhatMhaWouldDoInAnotherWayIsNamed) {
  const struct {
    const char *line, *said;
  } cases[] = {
      {"", ""},
      {"ping_type=connect", ""},
      {"ping_type=INSERT",
       "f: ping_type is not used: a primary that answers SELECT is alive, even if no write ends"},
      {"init_conf_load_script=/x",
       "f: init_conf_load_script is not run: what it prints is missing"},
      {"latest_priority=1", ""},
      {"latest_priority=0",
       "f: latest_priority is not used: a node that has received less is not promoted"},
      {"ssh_options='-i /root/.ssh/mha'", "f: ssh_options is not used: put it into ~/.ssh/config"},
      {"some_new_key=1", ""},
  };
  for (const auto& c : cases) {
    const auto cluster = import_mha_conf(
        "[server default]\n" + std::string(c.line) + "\n[server1]\nhostname=a\n", "f");
    ASSERT_TRUE(cluster) << c.line;
    EXPECT_EQ(join(cluster->warnings, "|"), c.said);
  }
  const auto own = import_mha_conf(
      "[server1]\nhostname=a\npassword=secret\nlatest_priority=0\n"
      "[server9x]\nhostname=b\nlatest_priority=0\n",
      "f");
  ASSERT_TRUE(own);
  EXPECT_EQ(join(own->warnings, "|"),
            "f: latest_priority is not used: a node that has received less is not promoted|"
            "f: password of [server1] is not used, only that of [server default]");
}

TEST(ConfigImportTest, MistakesAreNamedWithoutSecrets) {
  const struct {
    Result<ImportedCluster> (*importer)(std::string_view, const std::string&);
    const char *text, *error;
  } cases[] = {
      {import_pandora_conf, "", "f: no node (ha_hosts is missing or empty)"},
      {import_pandora_conf, "ha_hosts ,\n", "f: no node (ha_hosts is missing or empty)"},
      {import_pandora_conf, "x y\nha_dbpass\n", "f line 2: ha_dbpass has no value"},
      {import_pandora_conf, "ha_hosts a\ndbport 0\n",
       "f: dbport: '0' is not a port (accepted: 1 to 65535)"},
      {import_mha_conf, "", "f: no node (no [serverN] section)"},
      {import_mha_conf, "[server1]\nhostname\n", "f line 2: expected key=value"},
      {import_mha_conf, "[server1\n", "f line 1: a section must end with ']'"},
      {import_mha_conf, "[server1]\nport=3306\n", "f: [server1] has no usable hostname"},
      {import_mha_conf, "[server default]\nreport_script=a | b\n[server1]\nhostname=a\n",
       "f: report_script: no shell runs it, and '|' is for one: put the command into a script of "
       "its own"},
      {import_mha_conf, "[server default]\nping_interval=0\n[server1]\nhostname=a\n",
       "f: ping_interval: '0' is not a number from 1 to 1000"},
      {import_mha_conf, "[server1]\nhostname=a\nport=x\n",
       "f: port: 'x' is not a port (accepted: 1 to 65535)"},
  };
  for (const auto& c : cases) {
    const auto cluster = c.importer(c.text, "f");
    ASSERT_FALSE(cluster) << c.text;
    EXPECT_EQ(cluster.error().code, Errc::kUsage);
    EXPECT_EQ(cluster.error().text, c.error);
  }
}

TEST(NodeOptionsTest, NodesHaveNamesHostsAndPorts) {
  const struct {
    const char *text, *name, *host;
    unsigned port;
  } cases[] = {
      {"db1", "db1", "db1", 0},
      {"db1:3307", "db1:3307", "db1", 3307},
      {"east=10.0.0.1", "east", "10.0.0.1", 0},
      {"east=[fd00::1]:3307", "east", "fd00::1", 3307},
      {"[fd00::1]", "[fd00::1]", "fd00::1", 0},
  };
  for (const auto& c : cases) {
    const auto node = parse_node(c.text);
    ASSERT_TRUE(node) << c.text;
    EXPECT_EQ(node->name, c.name);
    EXPECT_EQ(node->host, c.host);
    EXPECT_EQ(node->port, c.port);
  }
  for (const char* bad : {"", "=db1", "a=", "a=b=c", "a b=db1", "db1:0", "db1:x", "a|b=db1",
                          "a'=db1", "/run/mysqld/mysqld.sock"})
    EXPECT_FALSE(parse_node(bad)) << bad;
}

}  // namespace
}  // namespace ha
