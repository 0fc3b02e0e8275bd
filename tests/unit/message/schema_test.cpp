#include "agents/message/schema.hpp"

#include <gtest/gtest.h>

namespace datasync::message {
namespace {

TableSchema sample() {
  TableSchema s;
  s.database = "shöp";
  s.table = "or`der \"s'";
  s.columns.push_back({.name = "id", .type = ColumnType::BigInt, .is_unsigned = true, .nullable = false});
  s.columns.push_back({.name = "state",
                       .type = ColumnType::Enum,
                       .charset = "utf8mb4",
                       .collation = "utf8mb4_bin",
                       .labels = {"new", "ganz fertig", ""}});
  s.columns.push_back({.name = "amount", .type = ColumnType::Decimal, .generated = true, .precision = 65, .scale = 30});
  s.columns.push_back({.name = "at", .type = ColumnType::DateTime, .scale = 6});
  s.key = {0, 3};
  return s;
}

TEST(Schema, survives_a_round_trip_with_the_same_id) {
  const auto s = sample();
  const auto bytes = serialize(s);
  const auto back = parse_schema(base::as_bytes(bytes));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(*back, s);
  EXPECT_EQ(back->id(), s.id());
}

TEST(Schema, the_id_never_changes) {
  // A changed id would orphan every schema that stands on state topics already.
  EXPECT_EQ(sample().id().value(), 16573640769874664554ULL);
}

TEST(Schema, any_difference_changes_the_id) {
  auto s = sample();
  const auto id = s.id();
  s.columns[0].is_unsigned = false;
  EXPECT_NE(s.id(), id);
  s = sample();
  s.key = {0};
  EXPECT_NE(s.id(), id);
  s = sample();
  s.columns[1].labels.pop_back();
  EXPECT_NE(s.id(), id);
}

TEST(Schema, every_cut_is_refused) {
  const auto bytes = serialize(sample());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto back = parse_schema(base::as_bytes(std::string_view(bytes).substr(0, n)));
    ASSERT_FALSE(back) << n;
    EXPECT_TRUE(back.error().is(base::Reason::ForeignMessage));
  }
  EXPECT_FALSE(parse_schema(base::as_bytes(bytes + "x")));
}

TEST(Schema, a_key_column_out_of_range_is_refused) {
  auto s = sample();
  s.key = {4};
  EXPECT_FALSE(parse_schema(base::as_bytes(serialize(s))));
}

}  // namespace
}  // namespace datasync::message
