#pragma once

#include <gtest/gtest.h>

#include "tests/integration/rig.hpp"

namespace datasync::test {

/// One world for all tests of the program.
class ImagesAgree : public testing::Test {
 public:
  static void SetUpTestSuite() { rig_ = new Rig({}); }
  static void TearDownTestSuite() {
    delete rig_;
    rig_ = nullptr;
  }
  void TearDown() override { rig_->end_agents(); }

  static inline Rig* rig_ = nullptr;
};

}  // namespace datasync::test
