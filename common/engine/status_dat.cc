// SPDX-License-Identifier: MIT
#include "common/engine/status_dat.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/open_file.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr std::size_t kHead = 64 << 10;  // the two blocks are about 2 KiB

std::optional<std::int64_t> parse_count(std::string_view value) {
  const auto number = parse_integer(value);
  if (!number || *number < 0) return std::nullopt;
  return *number;
}

std::optional<bool> parse_flag(std::string_view value) {
  if (value == "0" || value == "1") return value == "1";
  return std::nullopt;
}

void take(std::string_view key, std::string_view value, StatusDat& status) {
  if (key == "program_start") status.program_start = parse_count(value);
  if (key == "nagios_pid" || key == "icinga_pid") status.pid = parse_count(value);
  if (key == "enable_notifications") status.flags.notifications = parse_flag(value);
  if (key == "active_service_checks_enabled") status.flags.service_checks = parse_flag(value);
  if (key == "active_host_checks_enabled") status.flags.host_checks = parse_flag(value);
}

}  // namespace

StatusDat parse_status_dat(std::string_view text) {
  StatusDat status;
  enum class Block { kNone, kInfo, kProgram, kOther } block = Block::kNone;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    // A line without its end may be cut in the middle of its value.
    if (end == text.npos) break;
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (line.ends_with('{')) {
      const std::string_view name = trim(line.substr(0, line.size() - 1));
      block = name == "info"                                 ? Block::kInfo
              : name == "program" || name == "programstatus" ? Block::kProgram
                                                             : Block::kOther;
    } else if (line == "}") {
      if (block == Block::kProgram) {
        status.complete = true;
        break;
      }
      block = Block::kNone;
    } else if (const std::size_t equals = line.find('='); equals != line.npos) {
      const std::string_view key = line.substr(0, equals), value = line.substr(equals + 1);
      if (block == Block::kInfo && key == "created") status.created = parse_count(value);
      if (block == Block::kInfo && key == "version") status.version = value;
      if (block == Block::kProgram) take(key, value, status);
    }
  }
  return status;
}

Result<StatusDatFile> read_status_dat(const std::string& path) {
  const auto failed = [&](Errc code, std::string_view reason) {
    return Error{code, fmt::format("cannot read {}: {}", path, reason)};
  };
  // Without O_NONBLOCK a pipe at this place would hold us until a process writes to it.
  const auto opened = open_file(path, O_RDONLY | O_NONBLOCK);
  if (!opened) return failed(opened.error().code, opened.error().text);
  const int file = opened->get();
  struct stat info = {};
  if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode))
    return failed(Errc::kUsage, "it is not a regular file");
  std::string head(kHead, '\0');
  std::size_t length = 0;
  ssize_t got = 0;
  do {
    got = read(file, head.data() + length, head.size() - length);
    if (got > 0) length += static_cast<std::size_t>(got);
  } while ((got > 0 && length < head.size()) || (got < 0 && errno == EINTR));
  if (got < 0) return failed(Errc::kUsage, std::strerror(errno));
  head.resize(length);
  return StatusDatFile{parse_status_dat(head),
                       {info.st_ino, info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec}};
}

}  // namespace ha
