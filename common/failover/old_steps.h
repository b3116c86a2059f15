// SPDX-License-Identifier: MIT
// What journals of earlier versions do not tell, or tell in other words. The steps of version 0.1.0
// and before name neither the parts of their statements nor what they need to know, a file to write
// stands in other members, and which nodes need a resync stands in words. Here it is read out of
// SQL and words, and nowhere else. Pure.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/failover/step.h"

namespace ha {

// Returns the statements of a step of such a journal; nullopt when one of them is none of ours.
std::optional<Statements> infer_statements(Action action, const std::vector<std::string>& sql);

// Puts a file's path and content to where they belong.
void infer_file(Step& step);

// The key under which earlier versions wrote the warnings of a plan.
inline constexpr const char* kOldWarningsKey = "reservations";

// Returns today's word for an event or an outcome; a word that has not changed is returned as it
// is.
std::string current_word(std::string word);

// Returns the nodes that need a resync by the warnings of such a plan.
std::vector<std::string> infer_need_resync(const std::vector<std::string>& warnings);

}  // namespace ha
