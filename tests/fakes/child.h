// SPDX-License-Identifier: MIT
// A process that is gone with the test. It leads a session, as a daemon does.

#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

namespace ha {

class Child {
 public:
  // `words` are its command line; the first need not be the program's name.
  Child(const char* program, const std::vector<std::string>& words) : pid_(fork()) {
    if (pid_ == 0) {
      setsid();
      std::vector<char*> argv;
      for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
      argv.push_back(nullptr);
      execvp(program, argv.data());
      _exit(1);
    }
    // Until the exec its command line is ours.
    std::string line;
    while (!line.starts_with(words[0]) && kill(pid_, 0) == 0) {
      std::ifstream file("/proc/" + std::to_string(pid_) + "/cmdline");
      std::getline(file, line);
      usleep(1000);
    }
  }
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  int pid() const { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace ha
