#include "tests/cluster/times.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace datasync::test {
namespace {

TEST(Times, WhatTakesLongerThanItsLimitFails) {
  Times times;
  EXPECT_NO_THROW(times.note("in time", 59.9, 60));
  EXPECT_THROW(times.note("late", 60.1, 60), std::runtime_error);
}

TEST(Times, TheTableIncludesWhatWasLate) {
  Times times;
  times.note("in time", 1, 60);
  EXPECT_ANY_THROW(times.note("late", 61, 60));
  EXPECT_NE(times.table().find("in time"), std::string::npos);
  EXPECT_NE(times.table().find("late"), std::string::npos);
}

}  // namespace
}  // namespace datasync::test
