#include "agents/config/instance.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

namespace datasync::config {
namespace {

/// Sets a variable of the environment for one test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { unsetenv(name_); }

 private:
  const char* name_;
};

TEST(Instance, a_container_restarted_in_its_pod_is_the_same_instance) {
  const Variable uid(kPodUid, "0b9a-1");
  const Variable name(kPodName, "shop-apply-5c");
  EXPECT_EQ(instance_of({}), "0b9a-1:shop-apply-5c");
  EXPECT_EQ(instance_of({}), instance_of({}));
}

TEST(Instance, an_unknown_process_is_an_instance_of_its_own) {
  EXPECT_NE(instance_of({}), instance_of({}));
}

TEST(Instance, the_configured_name_is_preferred_and_fits_into_a_claim) {
  const Variable uid(kPodUid, "0b9a-1");
  Common common;
  common.instance = "run/7@host \xc3\xa4";
  EXPECT_EQ(instance_of(common), "run-7-host---");
  common.instance = std::string(300, 'x');
  EXPECT_EQ(instance_of(common).size(), 200U);
}

}  // namespace
}  // namespace datasync::config
