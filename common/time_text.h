// SPDX-License-Identifier: MIT
// Moments as people and programs read them. All are seconds since the epoch; the local ones are in
// the time zone of this machine.

#pragma once

#include <string>

namespace ha {

// Returns "2026-11-29 23:10:05".
std::string format_local_time(double moment_s);

// Returns "23:10:05", or with the date when that is not the day of `now_s`.
std::string format_local_time(double moment_s, double now_s);

// Returns "2026-11-29 23:10".
std::string format_local_minute(double moment_s);

// Returns "Sun, 29 Nov 2026 22:10:05 +0000", as mails have it (RFC 5322).
std::string format_mail_date(double moment_s);

}  // namespace ha
