#include "tests/cluster/fixture.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "tests/cluster/manifests.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

Harness* the_harness = nullptr;

}  // namespace

Harness& harness() {
  return *the_harness;
}
void set_harness(Harness* harness) {
  the_harness = harness;
}

void ClusterTest::SetUp() {
  const auto settled = [] {
    for (const auto& side : environment().sides()) {
      const auto pods = side.kubectl.get({"-n", kNamespace, "pods", "-l", "datasync.dev/agent in (capture,apply)"});
      for (const auto& pod : pods.at("items")) {
        if (!is_ready(pod) || pod["metadata"].contains("deletionTimestamp")) return false;
      }
    }
    return true;
  };
  ASSERT_TRUE(in_time(settled, std::chrono::seconds(90))) << "agents of an earlier test are still being replaced";
}

void ClusterTest::TearDown() {
  if (!HasFailure() && !IsSkipped()) expect_equal();
  if (HasFailure()) fmt::print("{}\n", environment().report());
}

void ClusterTest::expect_equal() {
  auto& servers = environment().servers();
  servers.traffic().stop();
  EXPECT_TRUE(servers.catch_up(std::chrono::seconds(30)));
  CompareResult rows;
  // What came last may be under way still.
  const bool equal = eventually([&] { return (rows = servers.compare_all()).equal(); }, std::chrono::seconds(30));
  servers.traffic().start();
  EXPECT_TRUE(equal) << rows.text();
  EXPECT_EQ(servers.repeated_audit_rows(), 0);
}

void ClusterTest::patch(const Side& side, const std::string& resource, const std::string& json) {
  side.kubectl.run({"-n", kNamespace, "patch", "datasync", resource, "--type=merge", "-p", json});
}

nlohmann::json ClusterTest::pod(const Side& side, const std::string& resource, const std::string& agent) {
  const auto pods = side.pods(resource, agent);
  if (pods.empty()) throw std::runtime_error(fmt::format("{}/{} has no {} pod", side.name, resource, agent));
  return pods.front();
}

pid_t ClusterTest::process_of(const Side& side, const nlohmann::json& pod, const std::string& program) {
  for (const auto pid : side.own->processes(uid_of(pod))) {
    // The kernel keeps 15 letters of a name.
    if (read_file(fmt::format("/proc/{}/comm", pid)) == program.substr(0, 15) + "\n") return pid;
  }
  return 0;
}

void ClusterTest::await_other_pod(const Side& side, const std::string& resource, const std::string& agent,
                                  const std::string& old_uid, std::chrono::seconds limit) {
  const bool there = in_time(
      [&] {
        const auto pods = side.pods(resource, agent);
        return !pods.empty() && uid_of(pods.front()) != old_uid && is_ready(pods.front());
      },
      limit);
  if (!there) throw std::runtime_error(fmt::format("no other {} pod of {}/{}", agent, side.name, resource));
}

void ClusterTest::expect_works(const Side& side, const std::string& resource, const std::string& agent,
                               std::chrono::seconds limit) {
  const auto old = uid_of(pod(side, resource, agent));
  side.kubectl.run({"-n", kNamespace, "annotate", "datasync", resource, "datasync.dev/restart=" + old, "--overwrite"});
  await_other_pod(side, resource, agent, old, limit);
}

bool ClusterTest::data_arrives(std::chrono::seconds limit) {
  auto& servers = environment().servers();
  const auto before = servers.source_mark().audit;
  // Something new, and not what was there all along.
  if (!eventually([&] { return servers.source_mark().audit > before; }, limit)) return false;
  const auto now = servers.source_mark().audit;
  return eventually([&] { return servers.reached_at_recovery().audit >= now; }, limit);
}

}  // namespace datasync::test
