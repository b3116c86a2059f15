// SPDX-License-Identifier: MIT
#include "common/time_text.h"

#include <ctime>

namespace ha {

namespace {

std::tm local_fields(double moment_s) {
  const std::time_t time = static_cast<std::time_t>(moment_s);
  std::tm fields = {};
  localtime_r(&time, &fields);
  return fields;
}

std::string format(const std::tm& fields, const char* pattern) {
  char text[64];
  return {text, std::strftime(text, sizeof text, pattern, &fields)};
}

}  // namespace

std::string format_local_time(double moment_s) { return format(local_fields(moment_s), "%F %T"); }

std::string format_local_time(double moment_s, double now_s) {
  const std::tm then = local_fields(moment_s), now = local_fields(now_s);
  const bool today = then.tm_yday == now.tm_yday && then.tm_year == now.tm_year;
  return format(then, today ? "%T" : "%F %T");
}

std::string format_local_minute(double moment_s) { return format(local_fields(moment_s), "%F %R"); }

std::string format_mail_date(double moment_s) {
  const std::time_t time = static_cast<std::time_t>(moment_s);
  std::tm utc = {};
  gmtime_r(&time, &utc);
  return format(utc, "%a, %d %b %Y %H:%M:%S +0000");
}

}  // namespace ha
