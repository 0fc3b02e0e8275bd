#pragma once

#include <gtest/gtest.h>

#include "tests/integration/apply_world.hpp"

namespace datasync::test {

/// One world for all tests of the program; each test has a topic, a database and a task of its own.
class ApplyTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = new apply_world::World(); }
  static void TearDownTestSuite() {
    delete world_;
    world_ = nullptr;
  }
  void SetUp() override { world().fresh(testing::UnitTest::GetInstance()->current_test_info()->name()); }
  void TearDown() override { world().stop_agents(); }
  static apply_world::World& world() { return *world_; }

 private:
  static inline apply_world::World* world_ = nullptr;
};

}  // namespace datasync::test
