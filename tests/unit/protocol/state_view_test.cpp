#include "agents/protocol/state_view.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/protocol/records.hpp"

namespace datasync::protocol {
namespace {

using message::Epoch;

StateView view_of(const std::vector<StateRecord>& records) {
  StateView view;
  for (const auto& r : records) EXPECT_TRUE(view.see(r)) << r.offset;
  return view;
}

TEST(StateView, the_first_claim_of_an_epoch_has_it) {
  const auto view = view_of({claim_at(0, 1, "a"), claim_at(1, 2, "b"), claim_at(2, 2, "a"), claim_at(3, 2, "b")});
  EXPECT_EQ(view.owner(Epoch(1)), "a");
  EXPECT_EQ(view.owner(Epoch(2)), "b");
  EXPECT_EQ(view.owner(Epoch(3)), "");
  EXPECT_EQ(view.highest_claim(), Epoch(2));
}

TEST(StateView, a_claim_that_lands_late_does_not_lower_the_highest) {
  const auto view = view_of({claim_at(0, 5, "a"), claim_at(1, 3, "b")});
  EXPECT_EQ(view.highest_claim(), Epoch(5));
  EXPECT_EQ(view.owner(Epoch(3)), "b");
}

TEST(StateView, keeps_the_last_definitions_of_each_table) {
  StateView view;
  message::Definition d;
  d.database = "shop";
  d.table = "orders";
  d.schema = {"shop", "orders", {{.name = "id"}}, {0}};
  Offset at = 0;
  for (std::uint64_t n = 1; n <= message::kDefinitionSlots + 2; ++n) {
    d.sequence = n;
    d.position = set_of({gtid(n)});
    d.exists = n % 2 == 0;
    if (n > 4) d.acting_keys.emplace();
    if (n > 6) d.moved = {{"secret", "shown"}};
    if (n > 6) d.domains = {0, 99};
    if (n > 6) d.acting_keys = {{"fk", {"a", "b"}, "shop", "people", {"x", "y"}, "SET NULL", "CASCADE"}};
    ASSERT_TRUE(view.see({at++, message::Kind::Definition, message::definition_key(d), message::encode(d)}));
  }
  const auto known = view.definitions("shop.orders");
  ASSERT_EQ(known.size(), message::kDefinitionSlots);
  for (const auto& k : known) {
    EXPECT_GE(k.sequence, 3U);
    EXPECT_EQ(k.position, set_of({gtid(k.sequence)}));
    EXPECT_EQ(k.exists, k.sequence % 2 == 0);
    EXPECT_EQ(k.schema, d.schema);
    EXPECT_EQ(k.acting_keys.has_value(), k.sequence > 4);
    if (k.sequence <= 6) continue;
    EXPECT_EQ(k.acting_keys, d.acting_keys);
    EXPECT_EQ(k.moved, d.moved);
    EXPECT_EQ(k.domains, d.domains);
  }
  EXPECT_TRUE(view.definitions("shop.other").empty());
  EXPECT_FALSE(view.see({at, message::Kind::Definition, "definition/x/1", "\xff"}));
}

TEST(StateView, a_checkpoint_after_a_higher_claim_is_not_trusted) {
  const auto view = view_of({claim_at(0, 1, "a"), checkpoint_at(1, 1, 10, set_of({gtid(1)})), claim_at(2, 2, "b"),
                             checkpoint_at(3, 1, 20, set_of({gtid(2)}))});
  ASSERT_TRUE(view.checkpoint(0));
  EXPECT_EQ(view.checkpoint(0)->offset, 10);
  EXPECT_EQ(view.checkpoint(0)->published, set_of({gtid(1)}));
}

TEST(StateView, an_unstarted_claim_makes_later_checkpoints_uncertain_too) {
  const auto view = view_of({claim_at(0, 1, "a"), claim_at(1, 2, "dead"), checkpoint_at(2, 1, 10, set_of({gtid(1)}))});
  EXPECT_FALSE(view.checkpoint(0));
}

TEST(StateView, the_newest_certain_checkpoint_wins_in_any_order) {
  const auto view = view_of(
      {claim_at(0, 1, "a"), checkpoint_at(1, 1, 20, set_of({gtid(2)})), checkpoint_at(2, 1, 10, set_of({gtid(1)}))});
  EXPECT_EQ(view.checkpoint(0)->offset, 20);
}

TEST(StateView, a_checkpoint_of_a_higher_epoch_wins) {
  const auto view = view_of({claim_at(0, 1, "a"), checkpoint_at(1, 1, 20, set_of({gtid(2)})), claim_at(2, 2, "b"),
                             checkpoint_at(3, 2, 25, set_of({gtid(3)}))});
  EXPECT_EQ(view.checkpoint(0)->offset, 25);
}

TEST(StateView, streams_have_their_own_checkpoints) {
  const auto view =
      view_of({claim_at(0, 1, "a"), checkpoint_at(1, 1, 20, {}, {}, 0), checkpoint_at(2, 1, 7, {}, {}, 3)});
  EXPECT_EQ(view.checkpoint(0)->offset, 20);
  EXPECT_EQ(view.checkpoint(3)->offset, 7);
  EXPECT_FALSE(view.checkpoint(1));
}

TEST(StateView, keeps_the_progress_of_the_newest_snapshot) {
  const auto view = view_of({claim_at(0, 1, "a"), progress_at(1, 1, "s1", "orders", 10), progress_at(2, 1, "s1", "", 0),
                             progress_at(3, 1, "s2", "orders", 5), progress_at(4, 1, "s2", "orders", 7),
                             progress_at(5, 1, "s1", "orders", 99), claim_at(6, 2, "b"),
                             progress_at(7, 1, "s2", "orders", 50, true)});
  const auto progress = view.snapshot();
  ASSERT_EQ(progress.size(), 1U);
  EXPECT_EQ(progress[0].id, "s2");
  EXPECT_EQ(progress[0].rows_done, 7U);
  EXPECT_FALSE(progress[0].done);
}

TEST(StateView, a_schema_is_known_by_its_content) {
  message::TableSchema schema;
  schema.database = "shop";
  schema.table = "orders";
  schema.columns.push_back({"id", message::ColumnType::BigInt});
  schema.columns.back().nullable = false;
  schema.key = {0};
  const auto view =
      view_of({{0, message::Kind::SchemaBody, message::schema_key(schema.id()), message::serialize(schema)}});
  ASSERT_TRUE(view.schema(schema.id()));
  EXPECT_EQ(*view.schema(schema.id()), schema);
  EXPECT_FALSE(view.schema(message::SchemaId(1)));
}

struct Bad {
  const char* name;
  StateRecord record;
};

class StateViewRefuses : public testing::TestWithParam<Bad> {};

TEST_P(StateViewRefuses, naming_the_offset) {
  StateView view;
  const auto seen = view.see(GetParam().record);
  ASSERT_FALSE(seen);
  EXPECT_TRUE(seen.error().is(base::Reason::ForeignMessage));
  EXPECT_NE(seen.error().what.find("offset 42"), std::string::npos) << seen.error().what;
}

INSTANTIATE_TEST_SUITE_P(StateView, StateViewRefuses,
                         testing::Values(Bad{"rubbish", {42, message::Kind::Claim, "claim/1/a", "rubbish"}},
                                         Bad{"a_stream_record", {42, message::Kind::Change, "", ""}},
                                         Bad{"a_claim_of_epoch_zero", claim_at(42, 0, "a")},
                                         Bad{"a_checkpoint_of_an_epoch_nobody_claimed", checkpoint_at(42, 1, 0, {})},
                                         Bad{"progress_of_an_epoch_nobody_claimed", progress_at(42, 1, "s", "t", 1)}),
                         [](const auto& row) { return row.param.name; });

TEST(StateView, an_instance_is_replaced_by_one_that_first_claimed_after_it) {
  auto view = view_of({ranked_claim_at(0, 1, "me", 1), ranked_claim_at(1, 2, "me", 1)});
  EXPECT_EQ(view.newer_than("me"), "");
  EXPECT_EQ(view.newer_than("unknown"), "");
  EXPECT_EQ(view.rank_for("unknown"), 2U);
  ASSERT_TRUE(view.see(ranked_claim_at(2, 3, "other", 2)));
  EXPECT_EQ(view.newer_than("me"), "other");
  EXPECT_EQ(view.newer_than("other"), "");
  // Also when a claim of the older one lands late.
  ASSERT_TRUE(view.see(ranked_claim_at(3, 4, "me", 1)));
  EXPECT_EQ(view.newer_than("me"), "other");
  EXPECT_EQ(view.newer_than("other"), "");
  EXPECT_EQ(view.rank_for("me"), 1U);
}

TEST(StateView, of_two_that_first_claimed_at_once_exactly_one_is_newer) {
  for (const bool reversed : {false, true}) {
    std::vector<StateRecord> both{ranked_claim_at(0, 1, "a", 1), ranked_claim_at(1, 1, "b", 1)};
    if (reversed) std::ranges::reverse(both);
    const auto view = view_of(both);
    EXPECT_EQ(view.newer_than("a"), "b");
    EXPECT_EQ(view.newer_than("b"), "");
  }
}

TEST(StateView, claims_without_ranks_replace_no_instance_permanently) {
  const auto view = view_of({claim_at(0, 1, "old/0a"), ranked_claim_at(1, 2, "me", 1), claim_at(2, 3, "old/0b")});
  EXPECT_EQ(view.newer_than("me"), "");
  EXPECT_EQ(view.rank_for("me"), 1U);
  EXPECT_EQ(view.highest_claim(), Epoch(3));
}

StateRecord request_at(Offset offset, const message::Request& r) {
  return {offset, message::Kind::Request, message::request_key(r), message::encode(r)};
}

TEST(StateView, a_request_that_cannot_be_read_is_ignored) {
  StateView view;
  EXPECT_TRUE(view.see({0, message::Kind::Request, "request/x", "anything"}));
  EXPECT_TRUE(view.requests().empty());
}

TEST(StateView, a_request_waits_until_it_is_served_and_is_served_once) {
  StateView view;
  ASSERT_TRUE(view.see(claim_at(0, 1, "a")));
  message::Request request{.id = "skip/0:7", .from = "sync/shop", .tables = {"shop.orders"}};
  ASSERT_TRUE(view.see(request_at(1, request)));
  ASSERT_TRUE(view.see(request_at(2, request)));
  ASSERT_EQ(view.requests().size(), 1U);
  EXPECT_EQ(view.requests().at("skip/0:7").tables, request.tables);
  request.served = true;
  request.epoch = message::Epoch(1);
  ASSERT_TRUE(view.see(request_at(3, request)));
  EXPECT_TRUE(view.requests().empty());
  EXPECT_TRUE(view.served("skip/0:7"));
  request.served = false;
  ASSERT_TRUE(view.see(request_at(4, request)));  // the reader has started again and does not know
  EXPECT_TRUE(view.requests().empty());
}

// What a replaced capture wrote before its answer does not count, so the answer must not count either.
TEST(StateView, the_answer_of_a_replaced_capture_does_not_count) {
  StateView view;
  ASSERT_TRUE(view.see(claim_at(0, 1, "a")));
  message::Request request{.id = "skip/0:7", .from = "sync/shop", .tables = {"shop.orders"}};
  ASSERT_TRUE(view.see(request_at(1, request)));
  ASSERT_TRUE(view.see(claim_at(2, 2, "b")));
  request.served = true;
  request.epoch = message::Epoch(1);
  ASSERT_TRUE(view.see(request_at(3, request)));
  EXPECT_FALSE(view.served("skip/0:7"));
  EXPECT_EQ(view.requests().size(), 1U);
}

}  // namespace
}  // namespace datasync::protocol
