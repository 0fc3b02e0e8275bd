#include "operator/decide/decide.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "operator/decide/topic_conflict.hpp"
#include "tests/unit/decide/observed_resource.hpp"

namespace datasync::decide {
namespace {

using namespace datasync::decide::testing;
using Names = std::vector<std::string>;

struct Row {
  const char* name;
  const char* change;  ///< to the resource
  std::function<void(Observed&)> then;
  Names applies, deletes, findings;
};

class Decide : public ::testing::TestWithParam<Row> {};

TEST_P(Decide, does) {
  auto seen = settled(GetParam().change);
  if (GetParam().then) GetParam().then(seen);
  const auto plan = decide(seen);
  EXPECT_EQ(applied(plan), GetParam().applies);
  EXPECT_EQ(deleted(plan), GetParam().deletes);
  EXPECT_EQ(reasons(plan), GetParam().findings);
}

void respec(Observed& seen, const char* change) {
  seen.resource.merge_patch(Json::parse(change));
  reread(seen);
}

const Names kAll{"ServiceAccount shop-agent", "ConfigMap shop-config", "Deployment shop-capture",
                 "Deployment shop-apply"};

INSTANTIATE_TEST_SUITE_P(
    Rule, Decide,
    ::testing::Values(
        Row{"nothing_when_all_is_as_wanted", "{}", nullptr, {}, {}, {}},
        Row{"everything_in_order_when_nothing_is_there", "{}", [](Observed& s) { s.children.clear(); }, kAll, {}, {}},
        Row{"the_rest_after_a_death_in_between",
            "{}",
            [](Observed& s) { s.children.resize(2); },
            {"Deployment shop-capture", "Deployment shop-apply"},
            {},
            {}},
        Row{"scales_to_zero_when_paused",
            "{}",
            [](Observed& s) { respec(s, R"({"spec":{"paused":true}})"); },
            {"Deployment shop-capture", "Deployment shop-apply"},
            {},
            {}},
        Row{"deletes_the_side_that_left_the_spec",
            "{}",
            [](Observed& s) { respec(s, R"({"spec":{"destination":null}})"); },
            {},
            {"Deployment shop-apply"},
            {}},
        Row{"drops_its_configuration_when_it_is_gone",
            "{}",
            [](Observed& s) {
              respec(s, R"({"spec":{"destination":null}})");
              s.children.pop_back();
            },
            {"ConfigMap shop-config"},
            {},
            {}},
        Row{"brings_a_lost_label_back_though_no_generation_changed",
            "{}",
            [](Observed& s) {
              auto& d = child(s, "Deployment", "shop-apply");
              s.settled[d["metadata"]["uid"]] = mark_of(d, d);
              d["metadata"]["labels"].erase("app.kubernetes.io/managed-by");
            },
            {"Deployment shop-apply"},
            {},
            {}},
        Row{"takes_back_what_the_settings_no_longer_ask_for",
            "{}",
            [](Observed& s) {
              s.settings.network_policy = true;
              s.children = desired::children(owner_of(s.resource), s.document.resource, s.settings);
              s.settings.network_policy = false;
            },
            {},
            {"NetworkPolicy shop-agent"},
            {}},
        Row{"leaves_children_alone_when_the_spec_is_wrong",
            "{}",
            [](Observed& s) { respec(s, R"({"spec":{"types":["nothing"],"destination":null}})"); },
            {},
            {},
            {"ConfigInvalid"}},
        Row{"says_what_this_version_cannot_run",
            R"({"spec":{"destination":{"engine":"PostgreSQL"}}})",
            nullptr,
            {},
            {},
            {"ConfigInvalid"}},
        Row{"never_adopts_an_object_of_somebody_else",
            "{}",
            [](Observed& s) {
              child(s, "ConfigMap", "shop-config")["metadata"].erase("ownerReferences");
              s.children.pop_back();
            },
            {},
            {},
            {"NameTaken"}},
        Row{"an_owner_that_is_no_controller_is_somebody_else",
            "{}",
            [](Observed& s) {
              child(s, "ConfigMap", "shop-config")["metadata"]["ownerReferences"][0]["controller"] = false;
            },
            {},
            {},
            {"NameTaken"}},
        Row{"deletes_what_a_former_resource_of_the_name_left",
            "{}",
            [](Observed& s) {
              child(s, "Deployment", "shop-apply")["metadata"]["ownerReferences"][0]["uid"] = "former";
            },
            {},
            {"Deployment shop-apply"},
            {"ReplacingLeftover"}},
        Row{"waits_for_a_leftover_that_is_going",
            "{}",
            [](Observed& s) {
              auto& d = child(s, "Deployment", "shop-apply")["metadata"];
              d["ownerReferences"][0]["uid"] = "former";
              d["deletionTimestamp"] = "2026-01-01T00:00:00Z";
            },
            {},
            {},
            {"ReplacingLeftover"}},
        Row{"mends_what_somebody_changed",
            "{}",
            [](Observed& s) { child(s, "Deployment", "shop-apply")["spec"]["replicas"] = 5; },
            {"Deployment shop-apply"},
            {},
            {}},
        Row{"writes_no_second_time_what_the_server_spells_differently",
            "{}",
            [](Observed& s) {
              auto& d = child(s, "Deployment", "shop-apply");
              d["spec"]["strategy"] = "spelt otherwise";
              s.settled[d["metadata"]["uid"]] = mark_of(d, d);
            },
            {},
            {},
            {}},
        Row{"writes_no_second_time_what_a_webhook_makes_of_it",
            "{}",
            [](Observed& s) {
              for (auto& c : s.children) {
                const auto wanted = c;
                c["metadata"]["labels"]["app.kubernetes.io/part-of"] = "platform";
                c["metadata"]["annotations"].clear();
                if (c.at("kind") == "Deployment") c["spec"]["template"]["spec"]["containers"][0]["image"] = "mirror/i";
                s.settled[c["metadata"]["uid"]] = mark_of(c, wanted);
              }
            },
            {},
            {},
            {}},
        Row{"writes_again_when_something_else_is_wanted_than_the_webhook_saw",
            "{}",
            [](Observed& s) {
              auto& d = child(s, "Deployment", "shop-apply");
              auto wanted = d;
              wanted["metadata"]["annotations"]["datasync.dev/spec-hash"] = "before";
              d["metadata"]["annotations"].clear();
              s.settled[d["metadata"]["uid"]] = mark_of(d, wanted);
            },
            {"Deployment shop-apply"},
            {},
            {}},
        Row{"looks_again_when_it_changed_since",
            "{}",
            [](Observed& s) {
              auto& d = child(s, "Deployment", "shop-apply");
              s.settled[d["metadata"]["uid"]] = mark_of(d, d);
              d["spec"]["replicas"] = 5;
              d["metadata"]["generation"] = 2;
            },
            {"Deployment shop-apply"},
            {},
            {}},
        Row{"a_secret_that_is_missing_is_told_and_holds_nothing_up",
            "{}",
            [](Observed& s) {
              s.children.pop_back();
              s.secrets.emplace();
              (*s.secrets)["reader"] = {"username", "password"};
            },
            {"Deployment shop-apply"},
            {},
            {"SecretNotFound"}},
        Row{"a_key_that_is_missing_too",
            "{}",
            [](Observed& s) {
              s.secrets.emplace();
              (*s.secrets)["reader"] = {"username"};
              (*s.secrets)["writer"] = {"username", "password"};
            },
            {},
            {},
            {"SecretNotFound"}},
        Row{"a_restart_rolls_both",
            "{}",
            [](Observed& s) { respec(s, R"({"metadata":{"annotations":{"datasync.dev/restart":"1"}}})"); },
            {"Deployment shop-capture", "Deployment shop-apply"},
            {},
            {}}),
    [](const auto& row) { return std::string(row.param.name); });

struct Managed {
  const char* name;
  const char* change;
  OtherLease lease;
  bool elsewhere;
  bool claim;
};
class Manager : public ::testing::TestWithParam<Managed> {};
TEST_P(Manager, is) {
  auto seen = settled(GetParam().change);
  seen.other_lease = GetParam().lease;
  const auto plan = decide(seen);
  EXPECT_EQ(plan.elsewhere, GetParam().elsewhere);
  EXPECT_EQ(plan.claim, GetParam().claim);
  if (plan.elsewhere) {
    EXPECT_TRUE(plan.applies.empty() && plan.deletes.empty() && plan.findings.empty());
  }
}
INSTANTIATE_TEST_SUITE_P(
    Installations, Manager,
    ::testing::Values(
        Managed{"we", "{}", OtherLease::Dead, false, false},
        Managed{"nobody_yet", R"({"status":null})", OtherLease::Dead, false, true},
        Managed{"the_other_while_it_lives", R"({"status":{"operator":"two"}})", OtherLease::Fresh, true, false},
        Managed{"the_other_of_whom_nothing_is_known", R"({"status":{"operator":"two"}})", OtherLease::Unknown, true,
                false},
        Managed{"we_when_the_other_is_dead", R"({"status":{"operator":"two"}})", OtherLease::Dead, false, true},
        Managed{"who_is_named", R"({"metadata":{"annotations":{"datasync.dev/operator":"two"}}})", OtherLease::Dead,
                true, false},
        Managed{"we_when_named",
                R"({"metadata":{"annotations":{"datasync.dev/operator":"one"}},"status":{"operator":"two"}})",
                OtherLease::Fresh, false, true}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Decide, an_installation_reports_the_owner_of_a_foreign_resource) {
  auto seen = settled(R"({"status":{"operator":"two"}})");
  seen.other_lease = OtherLease::Fresh;
  EXPECT_EQ(decide(seen).notes,
            (std::vector<Note>{{"ManagedElsewhere", "installation two manages it; one does not change it"}}));
}

TEST(Decide, an_unknown_installation_is_reported_with_the_fix) {
  auto seen = settled(R"({"status":{"operator":"two","operatorLease":"far/two"}})");
  seen.other_lease = OtherLease::Unknown;
  auto notes = decide(seen).notes;
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].reason, "ManagerUnknown");
  EXPECT_NE(notes[0].message.find("whose Lease far/two cannot be read"), std::string::npos) << notes[0].message;
  EXPECT_NE(notes[0].message.find("kubectl -n sync annotate datasync shop --overwrite datasync.dev/operator=one"),
            std::string::npos)
      << notes[0].message;
  seen.document.resource.metadata.annotations["datasync.dev/operator"] = "two";
  notes = decide(seen).notes;
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].reason, "ManagedElsewhere") << "a user has decided";
}

TEST(Decide, a_name_that_is_taken_is_checked_again_soon) {
  auto seen = settled();
  child(seen, "ConfigMap", "shop-config")["metadata"].erase("ownerReferences");
  const auto plan = decide(seen);
  ASSERT_TRUE(plan.requeue_after) << "no event reports when a foreign object is deleted";
  EXPECT_LE(*plan.requeue_after, Millis(15'000));
}

// They were reported one at a time, without a word on what to do.
TEST(Decide, children_that_were_orphaned_or_restored_without_owners_are_all_named_with_the_way_out) {
  auto seen = settled();
  for (auto& c : seen.children) c["metadata"].erase("ownerReferences");
  child(seen, "ConfigMap", "shop-config")["metadata"]["annotations"].erase(
      "datasync.dev/spec-hash");  // another client's
  const auto plan = decide(seen);
  EXPECT_TRUE(plan.applies.empty());
  ASSERT_EQ(reasons(plan), Names{"NameTaken"});
  EXPECT_EQ(plan.findings[0].message.substr(0, 85),
            "ServiceAccount shop-agent, ConfigMap shop-config, Deployment shop-capture, Deployment");
  const auto& words = plan.findings[0].message;
  EXPECT_TRUE(
      words.ends_with("kubectl -n sync delete ServiceAccount/shop-agent Deployment/shop-capture Deployment/shop-apply"))
      << words;
}

TEST(Decide, a_write_over_an_object_names_it_and_a_new_one_names_none) {
  auto seen = settled();
  seen.children.pop_back();
  child(seen, "Deployment", "shop-capture")["spec"]["replicas"] = 5;
  const auto plan = decide(seen);
  ASSERT_EQ(applied(plan), (Names{"Deployment shop-capture", "Deployment shop-apply"}));
  EXPECT_EQ(plan.applies[0].at("metadata").value("uid", ""),
            child(seen, "Deployment", "shop-capture").at("metadata").at("uid"));
  EXPECT_FALSE(plan.applies[1].at("metadata").contains("uid"));
}

TEST(Decide, objects_of_a_former_field_manager_are_taken_over_and_written) {
  auto seen = settled();
  ASSERT_TRUE(decide(seen).take_overs.empty());
  const auto former = Json::parse(R"([{"manager":"datasync-operator/old","operation":"Apply"}])");
  seen.resource["metadata"]["managedFields"] = former;
  auto& config = child(seen, "ConfigMap", "shop-config");
  config["metadata"]["managedFields"] = former;
  seen.settled[config["metadata"]["uid"]] = mark_of(config, config);
  const auto plan = decide(seen);
  ASSERT_EQ(plan.take_overs.size(), 2U);
  EXPECT_EQ(plan.take_overs[0].kind, "DataSync");
  EXPECT_EQ(plan.take_overs[1].name, "shop-config");
  EXPECT_EQ(applied(plan), (Names{"ConfigMap shop-config"})) << "a field that was removed before goes only then";
}

struct Streams {
  const char* name;
  TopicConflict rival;
  bool runs;  ///< we do
  Names deletes, findings;
};
class TwoSources : public ::testing::TestWithParam<Streams> {};
TEST_P(TwoSources, of_one_topic) {
  auto seen = settled(R"({"metadata":{"creationTimestamp":"2026-01-02T00:00:00Z"}})");
  if (!GetParam().runs) seen.children.clear();
  seen.topic_conflicts = {GetParam().rival};
  const auto plan = decide(seen);
  EXPECT_EQ(deleted(plan), GetParam().deletes);
  EXPECT_EQ(reasons(plan), GetParam().findings);
  EXPECT_TRUE(plan.requeue_after);
  if (plan.findings.empty()) return;
  EXPECT_TRUE(plan.applies.empty());
  EXPECT_EQ(plan.finalizer, Finalizer::Leave);
  EXPECT_EQ(plan.findings[0].message, "spec.channel.topic: " + GetParam().rival.id + " captures into \"shop\" already");
}
constexpr const char* kEarlier = "2026-01-01T00:00:00Z";
constexpr const char* kSame = "2026-01-02T00:00:00Z";
constexpr const char* kLater = "2026-01-03T00:00:00Z";
INSTANTIATE_TEST_SUITE_P(
    Rule, TwoSources,
    ::testing::Values(Streams{"the_older_one_has_it", {"a/bank", kEarlier}, false, {}, {"ConfigInvalid"}},
                      Streams{"we_are_older", {"a/bank", kLater}, false, {}, {}},
                      Streams{"of_one_second_by_name", {"a/bank", kSame}, false, {}, {"ConfigInvalid"}},
                      Streams{"of_one_second_we_by_name", {"z/bank", kSame}, false, {}, {}},
                      Streams{"who_runs_keeps_it", {"z/bank", kLater, true}, false, {}, {"ConfigInvalid"}},
                      Streams{"we_run_and_keep_it", {"a/bank", kEarlier}, true, {}, {}},
                      Streams{"of_two_that_run_the_younger_ends",
                              {"a/bank", kEarlier, true},
                              true,
                              {"Deployment shop-capture"},
                              {"ConfigInvalid"}},
                      Streams{
                          "one_that_goes_is_waited_for", {"z/bank", kLater, false, true}, false, {}, {"ConfigInvalid"}},
                      Streams{"one_that_goes_ends_nobody", {"a/bank", kEarlier, false, true}, true, {}, {}}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(OneStream, a_running_capture_of_another_topic_is_not_changed) {
  auto seen = settled(R"({"metadata":{"creationTimestamp":"2026-01-02T00:00:00Z"}})");
  respec(seen, R"({"spec":{"channel":{"topic":"bank"}}})");
  seen.topic_conflicts = {{"z/bank", kLater, true}};
  const auto plan = decide(seen);
  EXPECT_EQ(reasons(plan), Names{"ConfigInvalid"});
  EXPECT_TRUE(plan.deletes.empty()) << "as with every other mistake in a spec, what runs goes on";
}

TEST(OneStream, name_one_stream_whatever_the_order_of_the_brokers) {
  const auto stream = [](const char* brokers) {
    return wanted_stream(
        {{"spec", {{"source", Json::object()}, {"channel", {{"bootstrapServers", brokers}, {"topic", "t"}}}}}});
  };
  EXPECT_EQ(stream("a:1,b:2"), stream("b:2,a:1"));
  EXPECT_NE(stream("a:1"), stream("b:1"));
  EXPECT_EQ(wanted_stream({{"spec", {{"channel", {{"bootstrapServers", "a:1"}, {"topic", "t"}}}}}}), "") << "no source";
}

TEST(Decide, the_finalizer_is_there_only_with_the_policy_delete) {
  EXPECT_EQ(decide(settled()).finalizer, Finalizer::Leave);
  EXPECT_EQ(decide(settled(R"({"spec":{"deletionPolicy":"Delete"}})")).finalizer, Finalizer::Add);
  EXPECT_EQ(decide(settled(R"({"metadata":{"finalizers":["datasync.dev/cleanup"]}})")).finalizer, Finalizer::Remove);
}

}  // namespace
}  // namespace datasync::decide
