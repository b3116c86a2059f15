// SPDX-License-Identifier: MIT
// Answers of the gluster command as GlusterFS 10.3 gave them.

#pragma once

#include <gtest/gtest.h>

#include <string>

#include "common/files.h"

namespace ha {

inline std::string gluster_sample(const std::string& name) {
  const auto content = read_file(HA_TEST_DATA "/gluster/" + name);
  EXPECT_TRUE(content) << name;
  return content ? *content : "";
}

}  // namespace ha
