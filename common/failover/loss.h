// SPDX-License-Identifier: MIT
// What a failover loses, and whether the operator allows it. Pure.

#pragma once

#include "common/failover/decision.h"

namespace ha {

// Forecasts the loss of the chosen candidate, and refuses when it is above a limit of the operator.
void forecast_loss(Decision& d);

// Refuses, or warns, because of nodes that cannot be read and may have received more.
void judge_unread(Decision& d);

}  // namespace ha
