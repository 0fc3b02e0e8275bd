#include "operator/decide/cleanup.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "tests/unit/decide/world.hpp"

namespace datasync::decide {
namespace {

using namespace datasync::decide::testing;
using Names = std::vector<std::string>;

constexpr const char* kEnding = R"({"metadata":{"deletionTimestamp":"2023-11-14T22:13:00Z",
  "finalizers":["datasync.dev/cleanup"]},"spec":{"deletionPolicy":"Delete"}})";  // 20 s before `now`

void no_deployments(Seen& s) {
  std::erase_if(s.children, [](const Json& c) { return c.at("kind") == "Deployment"; });
}

void job(Seen& s, const char* status) {
  no_deployments(s);
  auto made = desired::cleanup_job(owner_of(s.resource), s.document.resource, s.settings);
  made["metadata"]["uid"] = "job";
  made["status"] = Json::parse(status);
  s.children.push_back(std::move(made));
}

struct Row {
  const char* name;
  std::function<void(Seen&)> then;
  Names applies, deletes, findings, notes;
  Finalizer finalizer = Finalizer::Leave;
};
class End : public ::testing::TestWithParam<Row> {};

TEST_P(End, does) {
  auto seen = settled(kEnding);
  if (GetParam().then) GetParam().then(seen);
  const auto plan = decide(seen);
  EXPECT_EQ(applied(plan), GetParam().applies);
  EXPECT_EQ(deleted(plan), GetParam().deletes);
  EXPECT_EQ(reasons(plan), GetParam().findings);
  Names notes;
  for (const auto& n : plan.notes) notes.push_back(n.reason);
  EXPECT_EQ(notes, GetParam().notes);
  EXPECT_EQ(plan.finalizer, GetParam().finalizer);
}

INSTANTIATE_TEST_SUITE_P(
    Step, End,
    ::testing::Values(
        Row{"ends_the_agents_first",
            nullptr,
            {},
            {"Deployment shop-capture", "Deployment shop-apply"},
            {"CleanupRunning"},
            {}},
        Row{"waits_for_their_pods",
            [](Seen& s) {
              s.pods = {pod(s, "apply")};
              no_deployments(s);
            },
            {},
            {},
            {"CleanupRunning"},
            {}},
        Row{"runs_the_job", no_deployments, {"Job shop-cleanup"}, {}, {"CleanupRunning"}, {}},
        Row{"makes_what_the_job_needs",
            [](Seen& s) { s.children.clear(); },
            {"ServiceAccount shop-agent", "ConfigMap shop-config", "Job shop-cleanup"},
            {},
            {"CleanupRunning"},
            {}},
        Row{"waits_for_the_job", [](Seen& s) { job(s, R"({"active":1})"); }, {}, {}, {"CleanupRunning"}, {}},
        Row{"lets_go_when_the_job_is_done",
            [](Seen& s) { job(s, R"({"conditions":[{"type":"Complete","status":"True"}]})"); },
            {},
            {},
            {},
            {"CleanupDone"},
            Finalizer::Remove},
        Row{"stands_still_when_it_failed",
            [](Seen& s) { job(s, R"({"conditions":[{"type":"Failed","status":"True","message":"m"}]})"); },
            {},
            {},
            {"CleanupFailed"},
            {}},
        Row{"gives_up_in_the_end",
            [](Seen& s) {
              job(s, R"({"conditions":[{"type":"Failed","status":"True"}]})");
              s.now += s.settings.cleanup_limit;
            },
            {},
            {},
            {},
            {"CleanupGaveUp"},
            Finalizer::Remove},
        Row{"holds_no_namespace_up",
            [](Seen& s) { s.namespace_ends = true; },
            {},
            {},
            {},
            {"CleanupGaveUp"},
            Finalizer::Remove},
        Row{"a_changed_mind_lets_go_at_once",
            [](Seen& s) {
              s.resource["spec"]["deletionPolicy"] = "Retain";
              reread(s);
            },
            {},
            {},
            {},
            {},
            Finalizer::Remove},
        Row{"a_wrong_spec_holds_nothing_up",
            [](Seen& s) {
              s.resource["spec"]["types"] = {"nothing"};
              reread(s);
            },
            {},
            {},
            {},
            {},
            Finalizer::Remove},
        Row{"a_foreign_job_is_not_adopted",
            [](Seen& s) {
              job(s, R"({"conditions":[{"type":"Complete","status":"True"}]})");
              s.children.back()["metadata"].erase("ownerReferences");
            },
            {},
            {},
            {"NameTaken"},
            {}}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(EndOfRetain, touches_nothing) {
  const auto plan = decide(settled(R"({"metadata":{"deletionTimestamp":"2023-11-14T22:13:00Z"}})"));
  EXPECT_TRUE(plan.gone);
  EXPECT_TRUE(plan.applies.empty() && plan.deletes.empty());
  EXPECT_EQ(plan.finalizer, Finalizer::Leave);
}

}  // namespace
}  // namespace datasync::decide
