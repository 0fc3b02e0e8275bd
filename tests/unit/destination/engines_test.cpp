#include "agents/destination/engines/engines.hpp"

#include <gtest/gtest.h>

namespace datasync::apply {
namespace {

TEST(DestinationEngines, of_a_configuration_is_the_one_that_it_names_or_refused) {
  EXPECT_TRUE(make_engine(config::Engine::MariaDB));
  const auto refused = make_engine(config::Engine::MySQL);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(base::Reason::ConfigInvalid)) << refused.error().what;
}

}  // namespace
}  // namespace datasync::apply
