// SPDX-License-Identifier: MIT
#include "common/cluster/config_import.h"

#include <gtest/gtest.h>

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
  EXPECT_EQ(cluster->incoming_directory, "/var/spool/pandora/data_in");
  EXPECT_EQ(join(cluster->unknown_keys, " "), "servername splitbrain_autofix");
}

TEST(ConfigImportTest, PandoraFilesWithoutAnAccountForFailoversHaveTheServersOwn) {
  const auto cluster = import_pandora_conf("ha_hosts a\ndbuser u\ndbpass p\n", "x");
  ASSERT_TRUE(cluster);
  EXPECT_EQ(cluster->user, "u");
  EXPECT_EQ(cluster->password, "p");
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
  EXPECT_EQ(join(cluster->unknown_keys, " "),
            "ping_interval master_ip_failover_script ignore_fail hostname");
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
