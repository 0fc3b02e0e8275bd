#pragma once

#include <gtest/gtest.h>

#include "tests/integration/apply_environment.hpp"

namespace datasync::test {

/// One environment for all tests of the program; each test has a topic, a database and a task of its own.
class ApplyTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { environment_ = new apply_environment::Environment(); }
  static void TearDownTestSuite() {
    delete environment_;
    environment_ = nullptr;
  }
  void SetUp() override { environment().fresh(testing::UnitTest::GetInstance()->current_test_info()->name()); }
  void TearDown() override { environment().stop_agents(); }
  static apply_environment::Environment& environment() { return *environment_; }

 private:
  static inline apply_environment::Environment* environment_ = nullptr;
};

}  // namespace datasync::test
