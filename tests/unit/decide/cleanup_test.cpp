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

constexpr const char* kForbidden = "FailedCreate: Error creating: pods \"shop-cleanup-x\" is forbidden: exceeded quota";

// It was CleanupRunning, then CleanupFailed, and in the end given up with nothing said of the quota.
TEST(CleanupBegins, when_the_quota_that_refuses_its_pod_is_raised) {
  auto seen = settled(kEnding);
  job(seen, "{}");
  EXPECT_EQ(reasons(decide(seen)), Names{"CleanupRunning"}) << "its controller has not seen it";
  seen.warnings["job"] = kForbidden;
  auto plan = decide(seen);
  ASSERT_EQ(reasons(plan), Names{"PodRefused"});
  EXPECT_EQ(plan.findings[0].message, std::string("shop-cleanup: ") + kForbidden);
  EXPECT_EQ(deleted(plan), Names{});
  std::erase_if(seen.children, [](const Json& c) { return c.at("kind") == "Job"; });
  job(seen, R"({"conditions":[{"type":"Failed","status":"True","reason":"DeadlineExceeded","message":"m"}]})");
  plan = decide(seen);
  EXPECT_EQ(reasons(plan), Names{"PodRefused"});
  EXPECT_EQ(deleted(plan), Names{"Job shop-cleanup"}) << "it never began: another one does";
  seen.children.back()["status"] = Json::parse(R"({"active":1})");
  EXPECT_EQ(reasons(decide(seen)), Names{"CleanupRunning"}) << "what events said before is over";
  seen.children.back()["status"] =
      Json::parse(R"({"failed":4,"conditions":[{"type":"Failed","status":"True","message":"m"}]})");
  EXPECT_EQ(reasons(decide(seen)), Names{"CleanupFailed"});
}

TEST(CleanupGaveUp, says_what_stood_in_its_way) {
  auto seen = settled(kEnding);
  job(seen, "{}");
  seen.resource["status"]["conditions"] = {{{"type", "Ready"}, {"reason", "PodRefused"}, {"message", kForbidden}}};
  seen.now += seen.settings.cleanup_limit;
  const auto plan = decide(seen);
  ASSERT_EQ(plan.notes.size(), 1U);
  EXPECT_TRUE(plan.notes[0].message.ends_with(std::string("its last status was PodRefused: ") + kForbidden))
      << plan.notes[0].message;
}

TEST(CleanupRuns, says_why_its_pod_does_not) {
  auto seen = settled(kEnding);
  job(seen, R"({"active":1})");
  const auto owner = owner_of(seen.resource);
  auto waits = Json::parse(R"({"metadata":{"name":"p","ownerReferences":[{"kind":"Job","name":"shop-cleanup"}]},
    "status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable",
    "message":"0/3 nodes are available"}]}})");
  seen.cleanup_trouble = cleanup_trouble({waits}, owner);
  const auto plan = decide(seen);
  ASSERT_EQ(reasons(plan), Names{"Unschedulable"});
  EXPECT_NE(plan.findings[0].message.find("0/3 nodes"), std::string::npos);
  waits["status"] = Json::parse(R"({"phase":"Running","containerStatuses":[{"name":"agent","state":{"running":{}}}]})");
  EXPECT_FALSE(cleanup_trouble({waits}, owner));
}

// Topics and ledger rows were made again by an agent that came after the cleanup had begun.
TEST(CleanupWaits, for_whatever_may_still_make_an_agent) {
  auto seen = settled(kEnding);
  no_deployments(seen);
  const auto owner = owner_of(seen.resource);
  const auto set = Json::parse(R"({"metadata":{"name":"shop-capture-5d8f",
    "labels":{"datasync.dev/name":"shop","datasync.dev/agent":"capture"}},"spec":{"replicas":1}})");
  ASSERT_EQ(sets_left({set}, owner), Names{"shop-capture-5d8f"});
  for (const auto* change :
       {R"({"spec":{"replicas":0}})", R"({"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}})",
        R"({"metadata":{"name":"other-capture-5d8f"}})", R"({"metadata":{"labels":{"datasync.dev/agent":null}}})"}) {
    auto other = set;
    other.merge_patch(Json::parse(change));
    EXPECT_EQ(sets_left({other}, owner), Names{}) << change;
  }
  seen.replica_sets = sets_left({set}, owner);
  auto plan = decide(seen);
  EXPECT_EQ(applied(plan), Names{});
  ASSERT_EQ(reasons(plan), Names{"CleanupRunning"});
  EXPECT_NE(plan.findings[0].message.find("ReplicaSet shop-capture-5d8f"), std::string::npos);
  seen.replica_sets.clear();

  // Its labels were changed, and its ReplicaSet gave it up: it runs all the same.
  const auto stray = Json::parse(R"({"metadata":{"name":"stray"},"spec":{"volumes":[{"name":"config",
    "configMap":{"name":"shop-config"}}]},"status":{"phase":"Running"}})");
  auto ended = stray, cleanup = stray, other = stray;
  ended["status"]["phase"] = "Succeeded";
  cleanup["metadata"]["ownerReferences"] = {{{"kind", "Job"}, {"name", "shop-cleanup"}}};
  other["spec"]["volumes"][0]["configMap"]["name"] = "other-config";
  EXPECT_TRUE(agents_left({ended, cleanup, other}, owner).empty());
  seen.pods = agents_left({ended, cleanup, other, stray}, owner);
  ASSERT_EQ(seen.pods.size(), 1U);
  EXPECT_EQ(applied(decide(seen)), Names{});
  seen.pods.clear();
  EXPECT_EQ(applied(decide(seen)), Names{"Job shop-cleanup"});
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
