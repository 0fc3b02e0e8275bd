// docs/gitops/argocd-health.lua, run by Lua as Argo CD runs it.

#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync {
namespace {

using Json = nlohmann::json;

// JSON as a Lua literal.
std::string lua(const Json& v) {
  if (v.is_string() || v.is_number() || v.is_boolean()) return v.dump();
  if (v.is_null()) return "nil";
  std::string out = "{";
  for (const auto& [key, member] : v.items()) {
    if (v.is_object()) out += "[" + Json(key).dump() + "]=";
    out += lua(member) + ",";
  }
  return out + "}";
}

struct Row {
  const char* name;
  const char* object;
  const char* health;
};
class ArgoHealth : public testing::TestWithParam<Row> {};

TEST_P(ArgoHealth, is) {
  const test::TempDir folder;
  const auto script = folder.path() / "run.lua";
  test::write_file(script, "obj = " + lua(Json::parse(GetParam().object)) +
                               "\nlocal hs = dofile(\"" PROJECT_SOURCE_DIR
                               "/docs/gitops/argocd-health.lua\")\nio.write(hs.status, \" \", hs.message)\n");
  test::ProcessOptions o;
  o.args = {"lua5.4", script.string()};
  o.log = folder.path() / "out";
  auto process = test::Process::start(o);
  const auto exit = process.wait(std::chrono::seconds(10));
  ASSERT_TRUE(exit && exit->code == 0) << test::read_file(o.log);
  EXPECT_EQ(test::read_file(o.log), GetParam().health);
}

INSTANTIATE_TEST_SUITE_P(
    All, ArgoHealth,
    testing::Values(
        Row{"new", R"({"metadata": {"generation": 1}, "spec": {}})", "Progressing Waiting for the operator"},
        Row{"paused", R"({"metadata": {"generation": 1}, "spec": {"paused": true},
                          "status": {"observedGeneration": 1, "conditions": []}})",
            "Suspended spec.paused is set"},
        Row{"ready", R"({"metadata": {"generation": 2}, "spec": {"paused": false}, "status": {"observedGeneration": 2,
              "conditions": [{"type": "Ready", "status": "True", "reason": "Streaming", "message": "flows"},
                             {"type": "Stalled", "status": "False", "reason": "Streaming"}]}})",
            "Healthy Streaming: flows"},
        Row{"ready_by_an_older_spec", R"({"metadata": {"generation": 3}, "spec": {}, "status": {"observedGeneration": 2,
              "conditions": [{"type": "Ready", "status": "True", "reason": "Streaming", "message": "flows"}]}})",
            "Progressing Waiting for the operator"},
        Row{"stalled", R"({"metadata": {"generation": 2}, "spec": {}, "status": {"observedGeneration": 2,
              "conditions": [{"type": "Ready", "status": "False", "reason": "RowConflict", "message": "m"},
                             {"type": "Stalled", "status": "True", "reason": "RowConflict", "message": "m"}]}})",
            "Degraded RowConflict: m"},
        Row{"retries", R"({"metadata": {"generation": 2}, "spec": {}, "status": {"observedGeneration": 2,
              "conditions": [{"type": "Ready", "status": "False", "reason": "BrokerUnreachable", "message": "m"},
                             {"type": "Reconciling", "status": "True", "reason": "BrokerUnreachable"}]}})",
            "Progressing BrokerUnreachable: m"},
        Row{"no_conditions", R"({"metadata": {"generation": 1}, "spec": {}, "status": {"observedGeneration": 1}})",
            "Progressing "}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace datasync
