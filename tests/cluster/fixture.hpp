#pragma once

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "tests/cluster/environment.hpp"
#include "tests/cluster/scenario.hpp"

namespace datasync::test {

/// Set by main before the tests run: the environment is one for all of them, and traffic runs through all of them.
Harness& harness();
void set_harness(Harness* harness);

/// One fault each. A failed test prints conditions, pods, events and logs of both clusters, and is the last
/// one that runs: what it broke stays so.
class ClusterTest : public testing::Test {
 protected:
  /// Waits for the end of pods of an earlier test: what becomes of them is not this one's scenario.
  void SetUp() override;
  /// Every row is there, once.
  void TearDown() override;
  [[nodiscard]] static Environment& environment() { return harness().environment(); }
  [[nodiscard]] static Side& a() { return environment().a(); }
  [[nodiscard]] static Side& b() { return environment().b(); }

  /// Compares source and destinations, row by row, while the traffic stands.
  static void expect_equal();

  /// Merges a patch into a DataSync, as `kubectl patch --type=merge`.
  static void patch(const Side& side, const std::string& resource, const std::string& json);
  /// The newest pod of an agent; fails the test when there is none.
  static nlohmann::json pod(const Side& side, const std::string& resource, const std::string& agent);
  static std::string name_of(const nlohmann::json& object) { return object["metadata"]["name"]; }
  static std::string uid_of(const nlohmann::json& object) { return object["metadata"]["uid"]; }
  /// The process of an agent or an operator in a pod; 0 when there is none. The cluster must be ours.
  static pid_t process_of(const Side& side, const nlohmann::json& pod, const std::string& program);
  /// Waits until an agent has another pod than `old`, and it is ready.
  static void await_other_pod(const Side& side, const std::string& resource, const std::string& agent,
                              const std::string& old_uid, std::chrono::seconds limit);
  /// The operator acts on a change and the node starts a pod: what stood there before cannot show either.
  static void expect_works(const Side& side, const std::string& resource, const std::string& agent,
                           std::chrono::seconds limit = std::chrono::seconds(90));
  /// What is committed now arrives at the recovery database within `limit`: asks no cluster.
  [[nodiscard]] static bool data_arrives(std::chrono::seconds limit);
};

/// For tests that stop parts of a node: a given cluster's are not ours.
#define NEEDS_OWN_CLUSTER(side) \
  if (!(side).own) GTEST_SKIP() << "the cluster was given: its node is not ours to break"

}  // namespace datasync::test
