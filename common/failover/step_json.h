// SPDX-License-Identifier: MIT
// A step as JSON, in journals and for programs, and back. "sql" has the statements as text, for
// people; "parts" and "placeholders" tell of each, in the same order, what steps go by.

#pragma once

#include "common/failover/step.h"
#include "common/json_reader.h"
#include "common/json_writer.h"

namespace ha {

void write_step(JsonWriter& json, const Step& step);

// Reads those of older versions too. What is not as it has to be is told by the reader.
Step step_from_json(JsonReader& reader, const JsonValue& json);

}  // namespace ha
