#include "agents/source/engines/engines.hpp"

#include <gtest/gtest.h>

namespace datasync::source {
namespace {

TEST(Engines, of_a_configuration_is_the_one_that_it_names_or_refused) {
  config::Capture config;
  config.engine = config::Engine::MariaDB;
  EXPECT_TRUE(make_engine(config, 1));
  config.engine = config::Engine::MySQL;
  const auto refused = make_engine(config, 1);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(base::Reason::ConfigInvalid)) << refused.error().what;
}

}  // namespace
}  // namespace datasync::source
