// SPDX-License-Identifier: MIT
#include "common/cli.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "common/commands.h"
#include "common/files.h"
#include "common/hard_stop.h"
#include "common/version.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

enum class Colour { kRed, kBlue };

// A binary with an option of each kind.
struct Probe {
  std::string name, password;
  std::vector<std::string> nodes;
  bool fast = false;
  unsigned port = 0;
  double pause_s = 0;
  State idle = State::kOk;
  Colour colour = Colour::kRed;
  Thresholds limits = {};
  SystemClock clock;
  Cli cli{clock, "check_probe", "Checks nothing."};

  std::optional<int> exit_code;
  std::string output;

  explicit Probe(std::vector<std::string> args) {
    cli.text("-H,--hostname", "HOST", name, "host");
    cli.text("-p,--password", "PASSWORD", password, "password");
    cli.list("--node", "NODE", nodes, "node");
    cli.flag("-l,--fast", fast, "fast");
    cli.port("-P,--port", port, "port");
    cli.seconds("--pause", pause_s, "pause");
    cli.state("--idle", idle, "state");
    cli.choice<Colour>("--colour", {{"red", Colour::kRed}, {"blue", Colour::kBlue}}, colour,
                       "colour");
    cli.thresholds(limits, "it is");
    args.insert(args.begin(), "check_probe");
    testing::internal::CaptureStdout();
    exit_code = cli.parse(args);
    if (!exit_code) clear_hard_stop();
    output = testing::internal::GetCapturedStdout();
  }
};

TEST(CliTest, TakesOverEveryKindOfOption) {
  const Probe probe({"-H", "db1", "--node=a", "--node", "b", "-l", "-P3307", "--pause", "0.5",
                     "--idle", "critical", "--colour=blue", "-w", "-5:5", "-c10"});
  EXPECT_EQ(probe.exit_code, std::nullopt) << probe.output;
  EXPECT_EQ(probe.name, "db1");
  EXPECT_EQ(probe.nodes, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(probe.fast);
  EXPECT_EQ(probe.port, 3307u);
  EXPECT_EQ(probe.pause_s, 0.5);
  EXPECT_EQ(probe.idle, State::kCritical);
  EXPECT_EQ(probe.colour, Colour::kBlue);
  EXPECT_EQ(probe.limits.warning, (Range{-5, 5}));
  EXPECT_EQ(probe.limits.critical, (Range{0, 10}));
}

TEST(CliTest, CommandsInTextsGetTheOptionsThatWereGiven) {
  const TempDirectory directory;
  const std::string config = directory.file("config", "node=in a file\npassword=secret\n");
  const auto complete = [](Cli::Kind kind, std::vector<std::string> args, std::string_view text) {
    std::string host, password;
    std::vector<std::string> nodes, operands;
    bool fast = false;
    const SystemClock clock;
    Cli cli(clock, "probe", "Does nothing.", kind);
    cli.operands("WORD", operands);
    const std::size_t first = cli.count_options();
    cli.text("-H,--hostname", "HOST", host, "host");
    cli.text("-p,--password", "PASSWORD", password, "password");
    cli.list("--node", "NODE", nodes, "node");
    cli.flag("-l,--fast", fast, "fast");
    cli.shared_file("--cluster", "file of the cluster");
    cli.repeat_options(first);
    std::string own;
    cli.text("--own", "TEXT", own, "of this program alone");
    args.insert(args.begin(), "/sbin/probe");
    EXPECT_FALSE(cli.parse(args));
    if (kind != Cli::Kind::kTool) clear_hard_stop();
    return cli.complete(text);
  };
  const std::string shared = "--cluster " + config;
  const std::vector<std::string> args = {"-Hdb1", "--own",  "x", "--node=a b", "-lpsecret",
                                         "go",    "--node", "c", "--cluster",  config};
  EXPECT_EQ(complete(Cli::Kind::kTool, args, "mysql_ha plan"),
            "mysql_ha plan " + shared + " --hostname db1 --node 'a b' --node c --fast");
  EXPECT_EQ(complete(Cli::Kind::kTool, args, kThisCommand),
            "/sbin/probe go " + shared + " --hostname db1 --node 'a b' --node c --fast --own x");
  EXPECT_EQ(complete(Cli::Kind::kTool, {"--config", config}, "mysql_ha plan"),
            "mysql_ha plan --config=" + config);
  const std::string prefix = geteuid() == 0 ? "" : "runuser -u " + user_name(geteuid()) + " -- ";
  EXPECT_EQ(complete(Cli::Kind::kHandler, {"--config", config}, "mysql_ha plan"),
            prefix + "mysql_ha plan --node 'in a file'");
  // A guard names its own node, which no other command takes twice.
  EXPECT_EQ(complete(Cli::Kind::kTool, {"--node", "a=h1", "--node", "b=h2", "--node", "a"},
                     "mysql_ha plan"),
            "mysql_ha plan --node a=h1 --node b=h2");
  EXPECT_EQ(
      complete(Cli::Kind::kTool, {"--node", "a", "--node", "b", "--node", "a"}, "mysql_ha plan"),
      "mysql_ha plan --node a --node b");
  EXPECT_EQ(
      complete(Cli::Kind::kTool, {"--node", "in a file", "--cluster", config}, "mysql_ha plan"),
      "mysql_ha plan " + shared);
  EXPECT_EQ(complete(Cli::Kind::kTool, {"--node", "a=h1", "--node", "a"}, kThisCommand),
            "/sbin/probe --node a=h1 --node a");
}

TEST(CliTest, AMistakeIsOneLineThatNamesOptionValueAndWhatIsAccepted) {
  const struct {
    std::vector<std::string> args;
    const char* want;
  } cases[] = {
      {{"--bogus"}, "unknown option --bogus (see --help)"},
      {{"--bogus=secret"}, "unknown option --bogus (see --help)"},
      {{"secret"}, "unexpected argument (every value belongs to an option; see --help)"},
      {{"-P", "0"}, "--port: '0' is not a port (accepted: 1 to 65535)"},
      {{"-P", "65536"}, "--port: '65536' is not a port (accepted: 1 to 65535)"},
      {{"--pause", "-1"},
       "--pause: '-1' is not a duration (accepted: seconds above 0, at most 86400, decimals "
       "allowed)"},
      {{"-t", "5:late"},
       "--timeout: 'late' is not a state (accepted: ok, warning, critical, unknown, 0 to 3)"},
      {{"-t", ""},
       "--timeout: '' is not a duration (accepted: seconds above 0, at most 86400, decimals "
       "allowed)"},
      {{"--colour", "green"}, "--colour: 'green' is not one of: red, blue"},
      {{"--output", "xml"}, "--output: 'xml' is not one of: nagios, json, openmetrics"},
      {{"--fast=maybe"}, "--fast: 'maybe' is not one of: true, false, yes, no, on, off, 1, 0"},
      {{"-w", "2:1"},
       "--warning: '2:1' is not a range (accepted: 10, 10:, ~:10, 10:20, @10:20; plain decimal "
       "numbers, start <= end)"},
      {{"-H"}, "--hostname: 1 required HOST missing"},
      {{"--config"}, "--config: needs the path of a file"},
      {{"--config", "/nonexistent"},
       "--config: cannot read /nonexistent: No such file or directory"},
  };
  for (const auto& c : cases) {
    const Probe probe(c.args);
    EXPECT_EQ(probe.exit_code, 3) << c.want;
    EXPECT_EQ(probe.output, std::string("PROBE UNKNOWN - ") + c.want + "\n");
  }
}

TEST(CliTest, AMistakeUnderOutputJsonIsAnObject) {
  for (const auto& args : {std::vector<std::string>{"--output", "json", "--bogus"},
                           {"--bogus", "--output=json"},
                           {"-w", "x", "--output", "json"}}) {
    const Probe probe(args);
    EXPECT_EQ(probe.exit_code, 3);
    EXPECT_TRUE(probe.output.starts_with(R"({"check":"probe","version":)")) << probe.output;
  }
}

TEST(CliTest, HelpAndVersionExitWithThreeOnStdout) {
  const Probe version({"-V"});
  EXPECT_EQ(version.exit_code, 3);
  EXPECT_EQ(version.output, std::string("check_probe v") + kVersion + " (monitoring-plugins-ha " +
                                kVersion + ")\n");
  const Probe help({"--help"});
  EXPECT_EQ(help.exit_code, 3);
  EXPECT_TRUE(help.output.starts_with("Usage: check_probe [OPTION]...\nChecks nothing.\n\n"));
  for (const char* option : {"-t, --timeout=SECONDS[:STATE]", "--extra-opts[=[SECTION][@FILE]]",
                             "--config=FILE", "-w, --warning=RANGE", "-H, --hostname=HOST"})
    EXPECT_NE(help.output.find(option), std::string::npos) << option;
  for (std::size_t start = 0; start < help.output.size();) {
    const std::size_t end = help.output.find('\n', start);
    EXPECT_LE(end - start, 80u) << help.output.substr(start, end - start);
    start = end + 1;
  }
}

TEST(CliTest, EmptyAndDashedValuesAreValues) {
  const struct {
    std::vector<std::string> args;
    const char* password;
  } cases[] = {
      {{"--password="}, ""},      {{"--password", ""}, ""},     {{"-p", ""}, ""},
      {{"-psecret"}, "secret"},   {{"-p", "secret"}, "secret"}, {{"--password=a=b"}, "a=b"},
      {{"-p-x"}, "-x"},           {{"--password=-x"}, "-x"},    {{"-p", "[a,b]"}, "[a,b]"},
      {{"-p", "a,b c"}, "a,b c"}, {{"-p", "\"q\""}, "\"q\""},   {{"-lpsecret"}, "secret"},
  };
  for (const auto& c : cases) {
    std::vector<std::string> args = {"-H", "db1"};
    args.insert(args.end(), c.args.begin(), c.args.end());
    args.insert(args.end(), {"-P", "7"});
    const Probe probe(args);
    EXPECT_EQ(probe.exit_code, std::nullopt) << c.args[0] << ": " << probe.output;
    EXPECT_EQ(probe.password, c.password) << c.args[0];
    EXPECT_EQ(probe.port, 7u) << c.args[0] << ": the next option was swallowed";
  }
}

TEST(CliTest, AListKeepsEmptyValuesAndBrackets) {
  const Probe probe({"--node=", "--node", "[::1]:3307", "--node=[a,b]"});
  EXPECT_EQ(probe.nodes, (std::vector<std::string>{"", "[::1]:3307", "[a,b]"}));
}

TEST(CliTest, TheLastOccurrenceWins) {
  const Probe probe({"-H", "a", "--hostname=b", "-P1", "-P2"});
  EXPECT_EQ(probe.name, "b");
  EXPECT_EQ(probe.port, 2u);
}

TEST(CliTest, TheCommandLineWinsOverFilesWhereverTheyStand) {
  const TempDirectory directory;
  const std::string ini = directory.file("a.ini", "[check_probe]\nhostname=file\nport=5\n");
  for (const char* file : {"--config=", "--extra-opts=@"}) {
    EXPECT_EQ(Probe({"-H", "line", file + ini}).name, "line") << file;
    EXPECT_EQ(Probe({file + ini, "-H", "line"}).name, "line") << file;
    EXPECT_EQ(Probe({file + ini, "-H", "line"}).port, 5u) << file;
  }
}

TEST(CliTest, LaterFilesWinOverEarlierOnesAndListsGrow) {
  const TempDirectory directory;
  const std::string a = directory.file("a.ini", "hostname=a\nnode=1\nnode=2\n");
  const std::string b = directory.file("b.ini", "[s]\nhostname=b\nnode=3\n");
  const Probe probe({"--config", a, "--extra-opts", "s@" + b, "--node", "4"});
  EXPECT_EQ(probe.name, "b") << probe.output;
  EXPECT_EQ(probe.nodes, (std::vector<std::string>{"1", "2", "3", "4"}));
}

TEST(CliTest, AConfigReadsItsTopAndTheSectionOfTheBinary) {
  const TempDirectory directory;
  const std::string ini = directory.file(
      "a.ini", "hostname=top\nfast=\n[other]\nport=9\nnonsense=1\n[check_probe]\nport=5\np=s;x\n");
  const Probe probe({"--config", ini});
  EXPECT_EQ(probe.name, "top") << probe.output;
  EXPECT_EQ(probe.port, 5u);
  EXPECT_EQ(probe.password, "s;x");
  EXPECT_TRUE(probe.fast);
}

TEST(CliTest, ExtraOptsReadsTheSectionOfTheBinaryFromTheDefaultFile) {
  const TempDirectory directory;
  const std::string ini = directory.file("a.ini", "[check_probe]\nhostname=db7\nfast=\n");
  setenv("MP_CONFIG_FILE", ini.c_str(), 1);
  const Probe last({"-P", "7", "--extra-opts"}), followed({"--extra-opts", "-P", "7"});
  unsetenv("MP_CONFIG_FILE");
  EXPECT_EQ(last.name, "db7") << last.output;
  EXPECT_EQ(followed.name, "db7") << followed.output;
  EXPECT_TRUE(followed.fast);
  EXPECT_EQ(followed.port, 7u);
}

TEST(CliTest, FilesThatAreWrongAreNamed) {
  const TempDirectory directory;
  const struct {
    const char* option;
    const char* content;
    std::string want;  // @ stands for the path
  } cases[] = {
      {"--config=", "bogus=1\n", "@: unknown option 'bogus' (see check_probe --help)"},
      {"--config=", "config=x\n", "@: unknown option 'config' (see check_probe --help)"},
      {"--config=", "x\n", "--config: @ line 1: expected key=value"},
      {"--config=", "port=x\n", "--port: 'x' is not a port (accepted: 1 to 65535)"},
      {"--extra-opts=@", "a=b\n[check_probe]\n",
       "--extra-opts: @: option 'a' stands before any section"},
      {"--extra-opts=@", "[other]\nx=y\n", "--extra-opts: no section 'check_probe' in @"},
      {"--extra-opts=s@", "[s]\nbogus=1\n", "@: unknown option 'bogus' (see check_probe --help)"},
  };
  for (const auto& c : cases) {
    const std::string path = directory.file("x.ini", c.content);
    std::string want = c.want;
    if (const auto at = want.find('@'); at != want.npos) want.replace(at, 1, path);
    const Probe probe({c.option + path});
    EXPECT_EQ(probe.exit_code, 3);
    EXPECT_EQ(probe.output, "PROBE UNKNOWN - " + want + "\n");
  }
}

TEST(CliTest, AFileOfOptionsThatHangsIsEndedByTheTimeout) {
  const TempDirectory directory;
  const std::string pipe = directory.path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const char* timeout : {"-t0.02", "--timeout=0.02:critical"})
    EXPECT_EXIT(Probe({"--config", pipe, timeout}), testing::ExitedWithCode(2), "") << timeout;
}

// What is wiped is derived from the options that a program adds, by letter and by name.
TEST(CliTest, ParsingWipesPasswordsBehindEveryFlagThatWasAdded) {
  const struct {
    const char* word;
    const char* wiped;
  } cases[] = {
      {"-qpSECRET", "-qp"},
      {"-hVvqpSECRET", "-hVvqp"},
      {"-qwSECRET", "-qw"},
      {"-pSECRET", "-p"},
      {"--repl-password=SECRET", "--repl-password="},
      {"-HpSECRET", "-HpSECRET"},
      {"-qHpSECRET", "-qHpSECRET"},
  };
  for (const auto& c : cases) {
    std::string host, password, binary = "probe", word = c.word;
    bool quick = false;
    const SystemClock clock;
    Cli cli(clock, "probe", "Does nothing.", Cli::Kind::kTool);
    cli.flag("-q,--quick", quick, "quick");
    cli.text("-H,--hostname", "HOST", host, "host");
    cli.text("-p,--password", "PASSWORD", password, "password");
    cli.text("-w,--repl-password", "PASSWORD", password, "password of replication");
    char* argv[] = {binary.data(), word.data()};
    testing::internal::CaptureStdout();
    cli.parse({2, argv});
    testing::internal::GetCapturedStdout();
    EXPECT_STREQ(argv[1], c.wiped);
  }
}

TEST(CliTest, AValueThatLooksLikeAnOptionIsAValueForEveryReader) {
  const Probe host({"-H", "--config", "-l"});
  EXPECT_EQ(host.exit_code, std::nullopt) << host.output;
  EXPECT_EQ(host.name, "--config");
  EXPECT_EQ(host.cli.config_path(), "");
  const Probe timeout({"-H", "-t5", "-lt7", "--node", "--output=json"});
  EXPECT_EQ(timeout.exit_code, std::nullopt) << timeout.output;
  EXPECT_EQ(timeout.cli.timeout_s(), 7);
}

TEST(CliTest, AnInternalErrorIsUnknown) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(report_internal_error("check_probe", {"check_probe"}, "out of memory"), 3);
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "PROBE UNKNOWN - internal error: out of memory\n");
}

}  // namespace
}  // namespace ha
