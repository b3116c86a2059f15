// SPDX-License-Identifier: MIT
#include "common/engine/command_pipe.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/open_file.h"

namespace ha {

namespace {

Error explain(const std::string& path, int error) {
  const auto text = [&](std::string_view what) { return fmt::format("{}: {}", path, what); };
  switch (error) {
    case ENOENT:
      return {Errc::kMissing, text("there is no such command pipe (is the engine running, are "
                                   "external commands enabled?)")};
    case ENXIO:
    case EPIPE:
      return {Errc::kUnreachable,
              text("no process reads the command pipe (the engine is not running)")};
    case EAGAIN:
      return {Errc::kRefused, text("the command pipe is full (the engine does not read it)")};
    case EACCES:
    case EPERM:
      return {Errc::kPrivilege, text("no permission to write to the command pipe")};
    default:
      return {Errc::kInternal, text(std::strerror(error))};
  }
}

}  // namespace

Result<Done> write_command(const std::string& path, const std::string& line) {
  const std::string data = line + "\n";
  if (data.size() > PIPE_BUF) return Error{Errc::kUsage, "the command is longer than PIPE_BUF"};
  // Looked at before it is opened, because opening a device can have effects of its own.
  const auto place = open_place(path);
  if (!place && place.error().code == Errc::kMissing) return explain(path, ENOENT);
  if (!place) return Error{place.error().code, path + ": " + place.error().text};
  const int directory = place->directory.get();
  const char* const name = place->name.c_str();
  struct stat info = {};
  if (fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return explain(path, errno);
  const Error no_pipe{Errc::kUsage, path + ": it is not a pipe; nothing was written"};
  if (!S_ISFIFO(info.st_mode)) return no_pipe;
  const int pipe = openat(directory, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (pipe < 0) return explain(path, errno);
  if (fstat(pipe, &info) != 0 || !S_ISFIFO(info.st_mode)) {
    close(pipe);
    return no_pipe;
  }
  ssize_t written = 0;
  do {
    written = write(pipe, data.data(), data.size());
  } while (written < 0 && errno == EINTR);
  const int error = errno;
  close(pipe);
  if (written < 0) return explain(path, error);
  return Done{};
}

}  // namespace ha
