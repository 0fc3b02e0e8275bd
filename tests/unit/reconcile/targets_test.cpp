// Whom the operator asks for an agent's status.
#include <gtest/gtest.h>

#include "operator/reconcile/agent_poller.hpp"

namespace datasync::reconcile {
namespace {

kube::Json pod(const char* name, const char* made, const char* state, const char* containers) {
  auto out =
      kube::Json::parse(R"({"metadata":{"labels":{"datasync.dev/agent":"capture"}},"status":{"podIP":"10.0.0.1"}})");
  out["metadata"]["name"] = name;
  out["metadata"]["creationTimestamp"] = made;
  out["status"]["containerStatuses"] = {{{"name", "agent"}, {"state", kube::Json::parse(state)}}};
  out["spec"]["containers"] = kube::Json::parse(containers);
  return out;
}
constexpr const char* kAgent = R"([{"name":"agent","ports":[{"name":"http","containerPort":8080}]}])";

// The pod that could not start was asked, and the status of the one that works became Unknown.
TEST(Targets, the_old_pod_is_asked_while_the_new_one_does_not_start) {
  const auto old = pod("old", "2026-01-01T00:00:00Z", R"({"running":{}})", kAgent);
  auto made = pod("new", "2026-01-02T00:00:00Z", R"({"waiting":{"reason":"ErrImagePull"}})", kAgent);
  ASSERT_EQ(targets_of({old, made}).size(), 1U);
  EXPECT_EQ(targets_of({old, made})[0].pod, "old");
  made["status"]["containerStatuses"][0]["state"] = kube::Json::parse(R"({"running":{}})");
  EXPECT_EQ(targets_of({old, made})[0].pod, "new");
}

TEST(Targets, a_sidecars_port_is_not_asked) {
  const auto injected = pod("p", "2026-01-01T00:00:00Z", R"({"running":{}})",
                            R"([{"name":"proxy","ports":[{"name":"http","containerPort":15020}]},
                                {"name":"agent","ports":[{"name":"http","containerPort":8080}]}])");
  ASSERT_EQ(targets_of({injected}).size(), 1U);
  EXPECT_EQ(targets_of({injected})[0].port, 8080);
}

}  // namespace
}  // namespace datasync::reconcile
