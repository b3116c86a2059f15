// SPDX-License-Identifier: MIT
// A step as JSON, in journals and for programs, and back. "sql" has the statements as text, for
// people; "parts" and "placeholders" tell of each, in the same order, what steps go by.

#pragma once

#include <nlohmann/json.hpp>

#include "common/failover/step.h"

namespace ha {

nlohmann::ordered_json step_to_json(const Step& step);

// Reads those of older versions too. Throws an exception of the JSON library for a damaged one.
Step step_from_json(const nlohmann::ordered_json& json);

}  // namespace ha
