#include "agents/source/place.hpp"

#include <gtest/gtest.h>

namespace datasync::source {
namespace {

Place at(std::uint64_t offset, std::string log = "bin.000001") {
  return {std::move(log), offset};
}

TEST(Places, are_ordered_by_the_number_of_their_file) {
  EXPECT_TRUE(at(900).before(at(4, "bin.000002")));
  EXPECT_TRUE(at(1, "bin.999999").before(at(1, "bin.1000000")));
  EXPECT_FALSE(at(5).before(at(5)));
}

TEST(Places, one_of_nothing_is_before_all_others) {
  EXPECT_TRUE(Place().before(at(0)));
  EXPECT_FALSE(at(0).before(Place()));
}

}  // namespace
}  // namespace datasync::source
