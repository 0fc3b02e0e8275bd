#include "operator/desired/merge.hpp"

#include <gtest/gtest.h>

namespace datasync::desired {
namespace {

struct Row {
  const char* name;
  const char* base;
  const char* patch;
  const char* expected;
};

class Merge : public testing::TestWithParam<Row> {};
TEST_P(Merge, gives) {
  EXPECT_EQ(merge(Json::parse(GetParam().base), Json::parse(GetParam().patch)), Json::parse(GetParam().expected));
}
INSTANTIATE_TEST_SUITE_P(
    Template, Merge,
    testing::Values(Row{"maps_by_key", R"({"a":{"b":1,"c":2}})", R"({"a":{"c":3,"d":4}})",
                        R"({"a":{"b":1,"c":3,"d":4}})"},
                    Row{"null_removes", R"({"a":{"b":1,"c":2}})", R"({"a":{"c":null,"x":null}})", R"({"a":{"b":1}})"},
                    Row{"null_in_something_new_is_nothing", R"({})", R"({"a":{"b":null,"c":1}})", R"({"a":{"c":1}})"},
                    Row{"containers_by_name", R"({"containers":[{"name":"agent","image":"i"}]})",
                        R"({"containers":[{"name":"x","image":"j"},{"name":"agent","tty":true}]})",
                        R"({"containers":[{"name":"agent","image":"i","tty":true},{"name":"x","image":"j"}]})"},
                    Row{"mounts_by_path", R"({"volumeMounts":[{"mountPath":"/tmp","name":"tmp"}]})",
                        R"({"volumeMounts":[{"mountPath":"/tmp","name":"mine"},{"mountPath":"/x","name":"x"}]})",
                        R"({"volumeMounts":[{"mountPath":"/tmp","name":"mine"},{"mountPath":"/x","name":"x"}]})"},
                    Row{"lists_without_a_key_are_replaced", R"({"tolerations":[{"key":"a"}]})",
                        R"({"tolerations":[{"key":"b"}]})", R"({"tolerations":[{"key":"b"}]})"},
                    Row{"texts_are_replaced", R"({"args":["a","b"]})", R"({"args":["c"]})", R"({"args":["c"]})"},
                    Row{"no_map_changes_nothing", R"({"a":1})", R"([])", R"({"a":1})"}),
    [](const auto& row) { return std::string(row.param.name); });

struct Cover {
  const char* name;
  const char* live;
  const char* wanted;
  bool covered;
};
class Covers : public testing::TestWithParam<Cover> {};
TEST_P(Covers, compares) {
  EXPECT_EQ(covers(Json::parse(GetParam().live), Json::parse(GetParam().wanted)), GetParam().covered);
}
INSTANTIATE_TEST_SUITE_P(
    Drift, Covers,
    testing::Values(
        Cover{"what_others_added_is_no_drift", R"({"a":1,"b":2})", R"({"a":1})", true},
        Cover{"another_value_is", R"({"a":2})", R"({"a":1})", false},
        Cover{"a_missing_value_is", R"({})", R"({"a":1})", false},
        Cover{"an_empty_value_may_be_missing", R"({})", R"({"a":{},"b":[],"c":"","d":0,"e":{"f":""}})", true},
        Cover{"quantities_are_counted", R"({"cpu":"1","memory":"1Gi"})", R"({"cpu":"1000m","memory":"1024Mi"})", true},
        Cover{"another_quantity_is_drift", R"({"cpu":"1"})", R"({"cpu":"1001m"})", false},
        Cover{"a_foreign_item_in_front_is_no_drift", R"({"l":[{"name":"x"},{"name":"a","v":1}]})",
              R"({"l":[{"name":"a"}]})", true},
        Cover{"a_missing_item_is_drift", R"({"l":[{"name":"x"}]})", R"({"l":[{"name":"a"}]})", false},
        Cover{"text_is_no_number", R"({"a":"yes"})", R"({"a":"no"})", false}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Hash, changes_with_every_value) {
  EXPECT_EQ(hash(Json{{"a", 1}}), hash(Json{{"a", 1}}));
  EXPECT_NE(hash(Json{{"a", 1}}), hash(Json{{"a", 2}}));
  EXPECT_EQ(hash(Json{{"a", 1}}).size(), 16U);
}

}  // namespace
}  // namespace datasync::desired
