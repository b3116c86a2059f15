// SPDX-License-Identifier: MIT
// What steps in journals of version 0.1.0 and before do not tell: those name neither the parts of
// their statements nor what they need to know, and a file to write stands in other members. Here
// it is read out of the SQL, and nowhere else. Pure.

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

}  // namespace ha
