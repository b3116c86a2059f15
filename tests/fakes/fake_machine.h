// SPDX-License-Identifier: MIT
// A machine that has the address 192.0.2.10, or has not, or does not answer.

#pragma once

#include <vector>

#include "common/vip/vip_host.h"

namespace ha {

class FakeMachine : public VipHost {
 public:
  // `held`, which must outlive it, is what it has; null: it does not answer.
  explicit FakeMachine(bool* held) : held_(held) {}

  Result<std::vector<LocalAddress>> addresses() override {
    if (held_ == nullptr) return Error{Errc::kUnreachable, "ssh: no route"};
    std::vector<LocalAddress> all;
    if (*held_) all.push_back({"eth0", "192.0.2.10", 24});
    return all;
  }
  Result<KernelCheck> prepare() override { return KernelCheck::kNo; }
  Result<Done> run(const Argv& command) override {
    *held_ = command[2] == "add";
    return Done{};
  }
  Result<Done> announce() override { return Done{}; }

 private:
  bool* const held_;
};

}  // namespace ha
