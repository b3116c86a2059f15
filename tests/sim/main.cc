// SPDX-License-Identifier: MIT
// Runs histories of simulated clusters through our own failover, and looks for one that breaks a
// promise.

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "tests/sim/judge.h"

namespace ha::sim {
namespace {

constexpr char kUsage[] =
    "usage: tests/sim/run --first SEED --count N|--seeds FILE [--break WHAT] [--show] [--list]\n"
    "\n"
    "Each seed is a history: a cluster of simulated MySQL or MariaDB servers, clients that write,\n"
    "managers that run the product's own probe, planner, executor, journal and locks, and faults.\n"
    "Exit 0: no history broke a promise (tests/sim/judge.h). Exit 1: one did, it is printed.\n"
    "\n"
    "  --first SEED  the first history; from 5000000001 on a tenth has guards with leases\n"
    "  --count N     how many\n"
    "  --seeds FILE  these histories instead: a seed a line, '#' begins a comment\n"
    "  --break WHAT  drain, fence, lock, order, memory or lease: breaks this on purpose\n"
    "                (history.h)\n"
    "  --show        print the timeline of each\n"
    "  --caught      exit 0 when a promise is broken, and 1 when none is\n"
    "  --list        go on after a violation, and print a line for each\n";

constexpr std::pair<std::string_view, Break> kBreaks[] = {
    {"drain", Break::kDrain}, {"fence", Break::kFence},   {"lock", Break::kLock},
    {"order", Break::kOrder}, {"memory", Break::kMemory}, {"lease", Break::kLease}};

struct Options {
  std::string seeds = {};
  std::uint64_t first = 1, count = 1;
  bool show = false, list = false, caught = false;
  Break broken = Break::kNone;
};

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--show" || word == "--list" || word == "--caught") {
      (word == "--show" ? options.show : word == "--list" ? options.list : options.caught) = true;
      continue;
    }
    if (word == "--break") {
      const std::string_view what = i + 1 < argc ? argv[++i] : "";
      for (const auto& [name, one] : kBreaks)
        if (name == what) options.broken = one;
      if (options.broken == Break::kNone) return false;
      continue;
    }
    if (word == "--seeds") {
      if (i + 1 == argc) return false;
      options.seeds = argv[++i];
      continue;
    }
    std::uint64_t* const target = word == "--first"   ? &options.first
                                  : word == "--count" ? &options.count
                                                      : nullptr;
    if (target == nullptr || i + 1 == argc) return false;
    const char* const text = argv[++i];
    if (std::from_chars(text, text + std::strlen(text), *target).ec != std::errc()) return false;
  }
  return true;
}

// Leaves out what the violation does not need.
History shrink(History history) {
  const auto still = [](const History& smaller) { return !judge(smaller).violation.empty(); };
  for (bool smaller = true; smaller;) {
    smaller = false;
    const auto try_without = [&](auto member, std::size_t i) {
      History less = history;
      (less.*member).erase((less.*member).begin() + static_cast<std::ptrdiff_t>(i));
      if (!still(less)) return false;
      history = std::move(less);
      return smaller = true;
    };
    for (std::size_t i = history.faults.size(); i-- > 0;) try_without(&History::faults, i);
    for (std::size_t i = history.runs.size(); i-- > 0;) try_without(&History::runs, i);
    for (std::size_t i = 0; i < history.runs.size(); ++i) {
      if (history.runs[i].killed_at == 0) continue;
      History less = history;
      less.runs[i].killed_at = 0;
      if (!still(less)) continue;
      history = std::move(less);
      smaller = true;
    }
    if (history.clients > 1) {
      History less = history;
      less.clients = 1;
      if (still(less)) {
        history = std::move(less);
        smaller = true;
      }
    }
  }
  return history;
}

void print_history(const History& history) {
  const Verdict verdict = judge(history, Telling::kTimeline);
  std::fputs(describe(history).c_str(), stdout);
  for (const std::string& line : verdict.timeline) std::printf("%s\n", line.c_str());
}

std::vector<std::uint64_t> seeds_of(const Options& options) {
  std::vector<std::uint64_t> seeds;
  if (options.seeds.empty()) {
    seeds.resize(options.count);
    std::iota(seeds.begin(), seeds.end(), options.first);
    return seeds;
  }
  std::ifstream file(options.seeds);
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line[0] != '#') seeds.push_back(std::stoull(line));
  return seeds;
}

int run(const Options& options) {
  const std::vector<std::uint64_t> seeds = seeds_of(options);
  std::uint64_t faults = 0, takeovers = 0, runs = 0, violations = 0;
  for (const std::uint64_t seed : seeds) {
    History history = draw_history(seed);
    history.broken = options.broken;
    if (options.show) print_history(history);
    const Verdict verdict = judge(history);
    faults += verdict.faults;
    takeovers += verdict.takeovers;
    runs += verdict.runs;
    if (verdict.violation.empty()) continue;
    ++violations;
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
                verdict.violation.c_str());
    if (options.list) continue;
    print_history(shrink(history));
    return 1;
  }
  std::printf("%llu histories, %llu faults, %llu runs, %llu takeovers, %llu violations\n",
              static_cast<unsigned long long>(seeds.size()),
              static_cast<unsigned long long>(faults), static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(takeovers),
              static_cast<unsigned long long>(violations));
  return violations > 0 || seeds.empty() ? 1 : 0;
}

}  // namespace
}  // namespace ha::sim

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  ha::sim::Options options;
  if (!ha::sim::parse(argc, argv, options)) {
    std::fputs(ha::sim::kUsage, stderr);
    return 3;
  }
  const int found = ha::sim::run(options);
  return options.caught ? 1 - found : found;
}
