#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "operator/api/outside_json.hpp"
#include "operator/api/read.hpp"

namespace datasync::api {
namespace {

using Json = nlohmann::json;

std::string problems(const char* agent) {
  Json tree = Json::parse(R"({"apiVersion":"datasync.dev/v1alpha1","kind":"DataSync","metadata":{"name":"shop"},
    "spec":{"channel":{"bootstrapServers":"kafka:9092","topic":"shop"},
            "destination":{"host":"dr","credentials":{"secretName":"writer"}}}})");
  tree["spec"]["apply"] = Json::parse(agent);
  const auto parsed = config::parse_json(tree.dump());
  if (!parsed) return parsed.error().what;
  return config::to_text(read_resource(*parsed).problems);
}

struct Row {
  const char* name;
  const char* agent;
  const char* expected;  ///< what the problems begin with; empty: there are none
};
class PodShape : public testing::TestWithParam<Row> {};

// The CRD accepts all of them; merged into a pod they ended in an exception, and the resource kept its old status.
TEST_P(PodShape, that_cannot_be_merged_is_a_problem_by_name) {
  const std::string expected = GetParam().expected;
  const auto found = problems(GetParam().agent);
  EXPECT_EQ(found.substr(0, expected.size()), expected);
  EXPECT_EQ(found.empty(), expected.empty()) << found;
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, PodShape,
    testing::Values(
        Row{"empty", R"({"podTemplate":{},"resources":{}})", ""},
        Row{"labels_of_a_list", R"({"podTemplate":{"metadata":{"labels":[]}}})",
            "spec.apply.podTemplate.metadata.labels: a list is not a map"},
        Row{"labels_of_null", R"({"podTemplate":{"metadata":{"labels":null}}})", ""},
        Row{"a_label_of_a_number", R"({"podTemplate":{"metadata":{"labels":{"a":1}}}})",
            R"(spec.apply.podTemplate.metadata.labels["a"]: 1 is not text; put it in quotes)"},
        Row{"an_annotation_that_is_removed", R"({"podTemplate":{"metadata":{"annotations":{"a":null}}}})", ""},
        Row{"metadata_of_a_list", R"({"podTemplate":{"metadata":[]}})",
            "spec.apply.podTemplate.metadata: a list is not a map"},
        Row{"a_spec_of_a_number", R"({"podTemplate":{"spec":3}})", "spec.apply.podTemplate.spec: 3 is not a map"},
        Row{"containers_of_a_map", R"({"podTemplate":{"spec":{"containers":{"name":"agent"}}}})",
            "spec.apply.podTemplate.spec.containers: a map is not a list"},
        Row{"a_container_of_text", R"({"podTemplate":{"spec":{"containers":["agent"]}}})",
            "spec.apply.podTemplate.spec.containers[0]: \"agent\" is not a map"},
        Row{"a_container_without_a_name", R"({"podTemplate":{"spec":{"containers":[{"image":"i"}]}}})",
            "spec.apply.podTemplate.spec.containers[0].name: null is not text"},
        Row{"env_of_a_map", R"({"podTemplate":{"spec":{"containers":[{"name":"agent","env":{"A":"b"}}]}}})",
            "spec.apply.podTemplate.spec.containers[0].env: a map is not a list"},
        Row{"resources_of_a_list", R"({"podTemplate":{"spec":{"containers":[{"name":"a","resources":[1]}]}}})",
            "spec.apply.podTemplate.spec.containers[0].resources: a list is not a map"},
        Row{"limits_of_text", R"({"resources":{"limits":"1Gi"}})", "spec.apply.resources.limits: \"1Gi\" is not a map"},
        Row{"a_limit_of_a_list", R"({"resources":{"limits":{"memory":[]}}})",
            R"(spec.apply.resources.limits["memory"]: a list is not a quantity)"},
        Row{"limits_of_numbers", R"({"resources":{"limits":{"cpu":1.5,"memory":100000000}}})", ""},
        Row{"fields_of_later_versions", R"({"podTemplate":{"spec":{"newField":{"a":[1,null]}}}})", ""}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(PodShapes, what_lies_too_deep_is_named) {
  std::string deep = R"({"podTemplate":{"spec":{"affinity":)";
  for (int i = 0; i < 100; ++i) deep += R"({"a":)";
  deep += "1" + std::string(103, '}');
  EXPECT_EQ(problems(deep.c_str()).substr(0, 60), "not valid JSON: spec.apply.podTemplate.spec.affinity.a.a.a.a");
}

TEST(PodShapes, a_template_as_large_as_an_object_can_be_is_refused) {
  const Json agent{{"podTemplate", {{"metadata", {{"annotations", {{"a", std::string(200'000, 'x')}}}}}}}};
  EXPECT_EQ(problems(agent.dump().c_str()).substr(0, 24), "spec.apply.podTemplate: ");
}

TEST(OutsideJson, depth_is_that_of_brackets_outside_of_texts) {
  EXPECT_EQ(depth_of("1"), 0U);
  EXPECT_EQ(depth_of(R"({"a":[]})"), 2U);
  EXPECT_EQ(depth_of(R"("[[[\"[[")"), 0U);
  EXPECT_EQ(depth_of("[][][]"), 1U);
}

TEST(OutsideJson, a_million_brackets_overflow_no_stack) {
  const std::string deep = R"({"a":1,"b":)" + std::string(500'000, '[') + std::string(500'000, ']') + "}";
  EXPECT_TRUE(parse_bounded(deep, 64).is_discarded());
  const auto pruned = parse_pruned(deep, 64);
  EXPECT_EQ(pruned.at("a"), 1);
  EXPECT_LE(depth_of(Json(pruned).dump()), 64U);
}

}  // namespace
}  // namespace datasync::api
