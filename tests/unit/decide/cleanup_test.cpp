#include "operator/decide/cleanup.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "operator/decide/pods.hpp"
#include "tests/unit/decide/observed_resource.hpp"

namespace datasync::decide {
namespace {

using namespace datasync::decide::testing;
using Names = std::vector<std::string>;

constexpr const char* kEnding = R"({"metadata":{"deletionTimestamp":"2023-11-14T22:13:00Z",
  "finalizers":["datasync.dev/cleanup"]},"spec":{"deletionPolicy":"Delete"}})";  // 20 s before `now`

void no_deployments(Observed& s) {
  std::erase_if(s.children, [](const Json& c) { return c.at("kind") == "Deployment"; });
}

void job(Observed& s, const char* status) {
  no_deployments(s);
  auto made = desired::cleanup_job(owner_of(s.resource), s.document.resource, s.settings);
  made["metadata"]["uid"] = "job";
  made["status"] = Json::parse(status);
  s.children.push_back(std::move(made));
}

struct Row {
  const char* name;
  std::function<void(Observed&)> then;
  Names applies, deletes, findings, notes;
  Finalizer finalizer = Finalizer::Leave;
};
class End : public ::testing::TestWithParam<Row> {};

// The policy was dropped without a word: topics and ledger rows stayed, and nobody knew.
TEST(EndOfUnreadable, a_delete_policy_is_not_dropped_silently) {
  auto seen = settled(kEnding);
  seen.resource["spec"]["channel"]["topic"] = 5;
  reread(seen);
  const auto plan = decide(seen);
  EXPECT_EQ(plan.finalizer, Finalizer::Remove);
  ASSERT_EQ(plan.notes.size(), 1U);
  EXPECT_EQ(plan.notes.front().reason, reason::CleanupGaveUp);
  EXPECT_NE(plan.notes.front().message.find("spec.channel.topic"), std::string::npos) << plan.notes.front().message;
}

TEST(EndOfUnreadable, a_pod_template_of_a_wrong_shape_stops_no_cleanup) {
  auto seen = settled(kEnding);
  seen.resource["spec"]["apply"]["podTemplate"] = Json::parse(R"({"metadata":{"labels":[]}})");
  reread(seen);
  ASSERT_FALSE(seen.document.problems.empty());
  no_deployments(seen);
  const auto plan = decide(seen);
  EXPECT_EQ(plan.finalizer, Finalizer::Leave);
  EXPECT_EQ(applied(plan), (Names{"Job shop-cleanup"}));
}

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
            [](Observed& s) {
              s.pods = {pod(s, "apply")};
              no_deployments(s);
            },
            {},
            {},
            {"CleanupRunning"},
            {}},
        Row{"does_not_begin_while_the_pods_are_not_known",
            [](Observed& s) {
              no_deployments(s);
              s.pods_unknown = Finding{Level::Stalled, "Forbidden", "list pods"};
            },
            {},
            {},
            {"Forbidden"},
            {}},
        Row{"does_not_wait_for_a_pod_that_was_evicted",
            [](Observed& s) {
              s.pods = {pod(s, "apply")};
              s.pods[0]["status"]["phase"] = "Failed";
              no_deployments(s);
            },
            {"Job shop-cleanup"},
            {},
            {"CleanupRunning"},
            {}},
        Row{"runs_the_job", no_deployments, {"Job shop-cleanup"}, {}, {"CleanupRunning"}, {}},
        Row{"makes_what_the_job_needs",
            [](Observed& s) { s.children.clear(); },
            {"ServiceAccount shop-agent", "ConfigMap shop-config", "Job shop-cleanup"},
            {},
            {"CleanupRunning"},
            {}},
        Row{"waits_for_the_job", [](Observed& s) { job(s, R"({"active":1})"); }, {}, {}, {"CleanupRunning"}, {}},
        Row{"lets_go_when_the_job_is_done",
            [](Observed& s) { job(s, R"({"conditions":[{"type":"Complete","status":"True"}]})"); },
            {},
            {},
            {},
            {"CleanupDone"},
            Finalizer::Remove},
        Row{"stands_still_when_it_failed",
            [](Observed& s) { job(s, R"({"conditions":[{"type":"Failed","status":"True","message":"m"}]})"); },
            {},
            {},
            {"CleanupFailed"},
            {}},
        Row{"gives_up_in_the_end",
            [](Observed& s) {
              job(s, R"({"conditions":[{"type":"Failed","status":"True"}]})");
              s.now += s.settings.cleanup_limit;
            },
            {},
            {},
            {},
            {"CleanupGaveUp"},
            Finalizer::Remove},
        Row{"holds_no_namespace_up",
            [](Observed& s) { s.namespace_ends = true; },
            {},
            {},
            {},
            {"CleanupGaveUp"},
            Finalizer::Remove},
        Row{"a_changed_mind_lets_go_at_once",
            [](Observed& s) {
              s.resource["spec"]["deletionPolicy"] = "Retain";
              reread(s);
            },
            {},
            {},
            {},
            {},
            Finalizer::Remove},
        Row{"a_wrong_spec_holds_nothing_up",
            [](Observed& s) {
              s.resource["spec"]["types"] = {"nothing"};
              reread(s);
            },
            {},
            {},
            {},
            {"CleanupGaveUp"},
            Finalizer::Remove},
        Row{"what_the_job_needs_is_not_written_over_a_foreign_object",
            [](Observed& s) {
              no_deployments(s);
              child(s, "ConfigMap", "shop-config")["metadata"].erase("ownerReferences");
            },
            {},
            {},
            {"NameTaken"},
            {}},
        Row{"a_foreign_job_is_not_adopted",
            [](Observed& s) {
              job(s, R"({"conditions":[{"type":"Complete","status":"True"}]})");
              s.children.back()["metadata"].erase("ownerReferences");
            },
            {},
            {},
            {"NameTaken"},
            {}}),
    [](const auto& row) { return std::string(row.param.name); });

// Its sidecar ran on, and the cleanup was reported as given up, with topics that were gone.
TEST(CleanupDone, does_not_wait_for_other_containers_of_the_pod) {
  const auto job = Json::parse(R"({"metadata":{"uid":"j-1"}})");
  const auto pod = [](const char* uid, const char* containers) {
    auto out = Json::parse(R"({"metadata":{"ownerReferences":[{"kind":"Job"}]},"status":{"phase":"Running"}})");
    out["metadata"]["ownerReferences"][0]["uid"] = uid;
    out["status"]["containerStatuses"] = Json::parse(containers);
    return out;
  };
  constexpr const char* kDone = R"([{"name":"side","state":{"running":{}}},
    {"name":"agent","state":{"terminated":{"exitCode":0,"reason":"Completed"}}}])";
  EXPECT_TRUE(cleanup_done({pod("j-1", kDone)}, job));
  EXPECT_FALSE(cleanup_done({pod("j-2", kDone)}, job)) << "of another Job";
  EXPECT_FALSE(cleanup_done({pod("j-1", R"([{"name":"agent","state":{"terminated":{"exitCode":1}}}])")}, job));
  EXPECT_FALSE(cleanup_done({pod("j-1", R"([{"name":"side","state":{"terminated":{"exitCode":0}}}])")}, job));
  EXPECT_FALSE(cleanup_done({}, job));
}

TEST(CleanupFailed, shows_the_message_of_the_job) {
  auto seen = settled(kEnding);
  job(seen, R"({"conditions":[{"type":"Failed","status":"True","message":"backoff limit"}]})");
  const auto pod = [](const char* made, const char* message, const char* job_name) {
    return Json{
        {"metadata", {{"creationTimestamp", made}, {"ownerReferences", {{{"kind", "Job"}, {"name", job_name}}}}}},
        {"status", {{"containerStatuses", {{{"state", {{"terminated", {{"exitCode", 1}, {"message", message}}}}}}}}}}};
  };
  seen.cleanup_words =
      cleanup_words({pod("2026-01-01T00:00:02Z", "topic bank: sync/bank captured into it", "shop-cleanup"),
                     pod("2026-01-01T00:00:01Z", "earlier", "shop-cleanup"),
                     pod("2026-01-01T00:00:03Z", "another's", "bank-cleanup")},
                    owner_of(seen.resource));
  const auto plan = decide(seen);
  ASSERT_EQ(reasons(plan), std::vector<std::string>{"CleanupFailed"});
  EXPECT_NE(plan.findings[0].message.find("backoff limit: topic bank: sync/bank captured into it;"), std::string::npos)
      << plan.findings[0].message;
}

// The annotation datasync.dev/operator may name an installation that is gone.
struct Awaited {
  const char* name;
  const char* change;
  OtherLease lease;
  int minutes;       ///< since the deletion
  const char* note;  ///< empty: it is ours
};
class CleanupAwaits : public ::testing::TestWithParam<Awaited> {};
TEST_P(CleanupAwaits, no_installation_forever) {
  auto seen = settled(kEnding);
  seen.resource.merge_patch(Json::parse(GetParam().change));
  reread(seen);
  seen.other_lease = GetParam().lease;
  seen.now += std::chrono::minutes(GetParam().minutes);
  const auto plan = decide(seen);
  EXPECT_EQ(plan.elsewhere, *GetParam().note != 0);
  if (!plan.elsewhere) {
    EXPECT_FALSE(plan.deletes.empty());
    EXPECT_TRUE(plan.claim || seen.resource.at("status").at("operator") == "one");
    return;
  }
  ASSERT_EQ(plan.notes.size(), 1U);
  EXPECT_EQ(plan.notes[0].reason, GetParam().note);
  if (plan.notes[0].reason == "CleanupAwaitsOther") {
    EXPECT_NE(plan.notes[0].message.find("installation two"), std::string::npos) << plan.notes[0].message;
    EXPECT_NE(plan.notes[0].message.find("annotate datasync.dev/operator=one"), std::string::npos);
  }
}
constexpr const char* kNamedUnclaimed =
    R"({"metadata":{"annotations":{"datasync.dev/operator":"two"}},"status":{"operator":null}})";
constexpr const char* kNamed = R"({"metadata":{"annotations":{"datasync.dev/operator":"two"}}})";
constexpr const char* kNamedTwo =
    R"({"metadata":{"annotations":{"datasync.dev/operator":"two"}},"status":{"operator":"two"}})";
constexpr const char* kNamedThree =
    R"({"metadata":{"annotations":{"datasync.dev/operator":"two"}},"status":{"operator":"three"}})";
constexpr const char* kTwo = R"({"status":{"operator":"two","operatorLease":"w/two"}})";
INSTANTIATE_TEST_SUITE_P(
    Installations, CleanupAwaits,
    ::testing::Values(
        Awaited{"one_that_was_named_a_while", kNamedUnclaimed, OtherLease::Dead, 2, "ManagedElsewhere"},
        Awaited{"one_that_was_named_and_never_came", kNamedUnclaimed, OtherLease::Dead, 3, ""},
        Awaited{"one_that_never_claimed_it_from_us", kNamed, OtherLease::Dead, 0, ""},
        Awaited{"one_with_a_current_lease", kNamedTwo, OtherLease::Fresh, 60, "ManagedElsewhere"},
        Awaited{"not_one_with_an_expired_lease", kNamedTwo, OtherLease::Dead, 0, ""},
        Awaited{"one_with_an_unreadable_lease_and_reports_it", kNamedTwo, OtherLease::Unknown, 4, "CleanupAwaitsOther"},
        Awaited{"a_third_with_a_current_lease", kNamedThree, OtherLease::Fresh, 4, "ManagedElsewhere"},
        Awaited{"not_a_third_with_an_expired_lease", kNamedThree, OtherLease::Dead, 4, ""},
        Awaited{"the_manager_with_an_unreadable_lease", kTwo, OtherLease::Unknown, 4, "CleanupAwaitsOther"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(EndOfRetain, touches_nothing) {
  const auto plan = decide(settled(R"({"metadata":{"deletionTimestamp":"2023-11-14T22:13:00Z"}})"));
  EXPECT_TRUE(plan.gone);
  EXPECT_TRUE(plan.applies.empty() && plan.deletes.empty());
  EXPECT_EQ(plan.finalizer, Finalizer::Leave);
}

}  // namespace
}  // namespace datasync::decide
