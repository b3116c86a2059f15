// SPDX-License-Identifier: MIT
// What a heartbeat tells of the engine that writes it, and how that is judged. Pure: nothing here
// reads anything.

#pragma once

#include <optional>
#include <string>

#include "common/check_result.h"
#include "common/mysql/local_stamp.h"

namespace ha {

struct HeartbeatFacts {
  std::string place;                 // where it was read: "db2:3307", "/var/lib/nagios4/status.dat"
  std::string writer;                // whose it is: "Nagios instance 'default'", "Zabbix node zbx1"
  std::optional<double> age_s = {};  // negative: in the future; unset: there is no heartbeat
  std::optional<double> other_age_s = {};  // it may be this old too: its local time came twice
  std::string absence = {};                // why there may be none
  std::string stopped = {};                // set: it does not run, whatever the age: "was stopped"
  std::string role = {};                   // what it says of itself: "standby"
  std::optional<bool> active = {};         // it notifies, or leads its cluster, where it tells
  std::optional<bool> checks = {};         // it executes active checks, where it tells
  std::string leader = {};                 // the endpoint that writes in its place (IDO)
  std::string conflict = {};        // more than one does its work: "2 daemons are responsible"
  std::string advice = {};          // what else it may be when the heartbeat is late or absent
  std::string memory_trouble = {};  // why nothing is remembered between runs: "--state-dir: ..."
  std::optional<double> clock_skew_s = {};  // our clock minus the clock that age_s was measured by
};

// Returns our clock minus another one that showed `there_s` at some moment between `sent_s` and
// `received_s` of ours: the least difference that this proves. (A slow answer proves none.)
double proven_skew(double sent_s, double received_s, double there_s);

struct HeartbeatJudgement {
  State state;
  std::string text;             // one sentence, without the place
  std::optional<double> age_s;  // for the metric: never negative
};

// Judges stopped, absent, in the future, then the age by the thresholds; UNKNOWN when the two ages
// that it may have are judged differently. A conflict is at least WARNING: it lives, so it is not
// CRITICAL, which activates a standby. Trouble with the memory is at least UNKNOWN: what is
// CRITICAL stays so, or no standby would be activated.
HeartbeatJudgement judge_heartbeat(const HeartbeatFacts& facts, const Thresholds& limits);

}  // namespace ha
