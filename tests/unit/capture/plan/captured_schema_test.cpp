#include "agents/capture/plan/captured_schema.hpp"

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

using base::Reason;

TEST(CapturedSchema, omits_excluded_columns_and_keeps_the_key) {
  TableChoice choice;
  choice.database = "shop";
  choice.table = "t";
  choice.exclude = {"a"};
  message::TableSchema full{"shop", "t", {}, {2}};
  for (const auto* name : {"a", "b", "c"}) {
    message::Column c;
    c.name = name;
    full.columns.push_back(c);
  }
  const auto schema = captured_schema(choice, full);
  ASSERT_TRUE(schema);
  ASSERT_EQ(schema->columns.size(), 2U);
  EXPECT_EQ(schema->key, std::vector<std::uint16_t>{1});
  choice.exclude = {"C"};
  EXPECT_TRUE(captured_schema(choice, full).error().is(Reason::KeyMissing));
}

}  // namespace
}  // namespace datasync::capture
