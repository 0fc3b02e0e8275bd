#pragma once

#include <gtest/gtest.h>

#include "tests/integration/e2e_fixture.hpp"

namespace datasync::test {

/// One environment for all tests of the program.
class ImagesAgree : public testing::Test {
 public:
  static void SetUpTestSuite() { fixture_ = new Fixture({}); }
  static void TearDownTestSuite() {
    delete fixture_;
    fixture_ = nullptr;
  }
  void TearDown() override { fixture_->end_agents(); }

  static inline Fixture* fixture_ = nullptr;
};

}  // namespace datasync::test
