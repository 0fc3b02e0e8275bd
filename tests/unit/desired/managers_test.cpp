#include "operator/desired/managers.hpp"

#include <gtest/gtest.h>

namespace datasync::desired {
namespace {

Json entries(const char* text) {
  return Json::parse(text);
}

// After an upgrade the old name owned what it had applied: a field removed from the resource stayed for ever.
TEST(Managers, fields_of_a_former_name_are_taken_over) {
  const auto before = entries(R"([
    {"manager":"datasync-operator/one","operation":"Apply","apiVersion":"apps/v1","time":"2026-01-01T00:00:00Z",
     "fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:replicas":{}}}},
    {"manager":"kube-controller-manager","operation":"Update","apiVersion":"apps/v1","subresource":"status",
     "fieldsType":"FieldsV1","fieldsV1":{"f:status":{}}},
    {"manager":"datasync-operator/two","operation":"Apply","apiVersion":"apps/v1","time":"2026-02-01T00:00:00Z",
     "fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:strategy":{"f:rollingUpdate":{}},"f:replicas":{}}}}])");
  const auto after = taken_over(before);
  ASSERT_TRUE(after);
  EXPECT_EQ(*after, entries(R"([
    {"manager":"datasync-operator","operation":"Apply","apiVersion":"apps/v1","time":"2026-02-01T00:00:00Z",
     "fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{"f:a":{}}},
        "f:spec":{"f:replicas":{},"f:strategy":{"f:rollingUpdate":{}}}}},
    {"manager":"kube-controller-manager","operation":"Update","apiVersion":"apps/v1","subresource":"status",
     "fieldsType":"FieldsV1","fieldsV1":{"f:status":{}}}])"));
  EXPECT_FALSE(taken_over(*after)) << "once";
}

TEST(Managers, a_subresource_and_our_own_entry_keep_their_places) {
  const auto after = taken_over(entries(R"([
    {"manager":"datasync-operator","operation":"Apply","apiVersion":"v1","fieldsV1":{"f:a":{}}},
    {"manager":"datasync-operator/one","operation":"Apply","apiVersion":"v1","fieldsV1":{"f:b":{}}},
    {"manager":"datasync-operator/one","operation":"Apply","apiVersion":"v1","subresource":"status",
     "fieldsV1":{"f:status":{}}}])"));
  ASSERT_TRUE(after);
  EXPECT_EQ(*after, entries(R"([
    {"manager":"datasync-operator","operation":"Apply","apiVersion":"v1","fieldsV1":{"f:a":{},"f:b":{}}},
    {"manager":"datasync-operator","operation":"Apply","apiVersion":"v1","subresource":"status",
     "fieldsV1":{"f:status":{}}}])"));
}

TEST(Managers, nobody_else_is_taken_over) {
  for (const auto* text : {R"([])", R"(null)", R"({"a":1})", R"([1,"x",null,{"manager":5}])",
                           R"([{"manager":"datasync-operator","operation":"Apply"}])",
                           R"([{"manager":"datasync-operator/one","operation":"Update"}])",
                           R"([{"manager":"datasync-operatorx","operation":"Apply"}])",
                           R"([{"manager":"kubectl","operation":"Apply"}])"}) {
    EXPECT_FALSE(taken_over(entries(text))) << text;
    EXPECT_TRUE(former_managers(entries(text)).empty()) << text;
  }
}

}  // namespace
}  // namespace datasync::desired
