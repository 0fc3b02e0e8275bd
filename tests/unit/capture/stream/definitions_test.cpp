#include "agents/capture/stream/definitions.hpp"

#include <gtest/gtest.h>

#include "tests/unit/protocol/records.hpp"

namespace datasync::capture {
namespace {

using binlog::WireType;
using message::ColumnType;
using protocol::gtid;
using protocol::set_of;

binlog::TableMap map(std::vector<binlog::WireColumn> columns) {
  binlog::TableMap m{.database = "d", .table = "t", .columns = std::move(columns), .primary_key = {0}};
  m.has_names = true;
  return m;
}
binlog::WireColumn bytes16(const std::string& name) {
  return {.type = WireType::String, .length = 16, .collation = 63, .name = name};
}
const binlog::WireColumn kId{.type = WireType::Long, .name = "id"};

message::TableSchema schema(std::vector<message::Column> columns) {
  message::TableSchema s{.database = "d", .table = "t", .columns = std::move(columns), .key = {0}};
  s.columns.insert(s.columns.begin(), {.name = "Id", .type = ColumnType::Int});
  return s;
}

TEST(Definitions, describe_the_maps_of_their_columns_only) {
  const auto uuid = schema({{.name = "u", .type = ColumnType::Uuid}});
  EXPECT_TRUE(describes(uuid, TableChoice(), map({kId, bytes16("U")})));
  EXPECT_FALSE(describes(uuid, TableChoice(), map({kId})));
  EXPECT_FALSE(describes(uuid, TableChoice(), map({kId, bytes16("u"), bytes16("w")})));
  EXPECT_FALSE(describes(uuid, TableChoice(), map({bytes16("u"), kId}))) << "another order";
  // CHAR(16) became a UUID later: the rows of before are text.
  EXPECT_FALSE(describes(uuid, TableChoice(),
                         map({kId, {.type = WireType::String, .length = 16, .collation = 8, .name = "u"}})));
  EXPECT_FALSE(describes(schema({{.name = "u", .type = ColumnType::Char, .length = 16}}), TableChoice(),
                         map({kId, bytes16("u")})));
  EXPECT_TRUE(describes(schema({{.name = "u", .type = ColumnType::Binary, .length = 16}}), TableChoice(),
                        map({kId, bytes16("u")})));
  auto other_key = map({kId, bytes16("u")});
  other_key.primary_key = {1};
  EXPECT_FALSE(describes(uuid, TableChoice(), other_key));
  EXPECT_TRUE(
      describes(uuid, TableChoice(), map({kId, bytes16("u"), {.type = WireType::LongLong, .name = "DB_ROW_HASH_1"}})));
}

TEST(Definitions, refine_what_the_map_leaves_out) {
  const auto known = schema({{.name = "u", .type = ColumnType::Uuid}, {.name = "g", .generated = true}});
  const auto refined = refine(map({kId,
                                   bytes16("u"),
                                   {.type = WireType::Long, .name = "g"},
                                   {.type = WireType::LongLong, .name = "DB_ROW_HASH_1"}}),
                              &known);
  ASSERT_EQ(refined.size(), 3U);
  EXPECT_EQ(refined[0].type, ColumnType::Uuid);
  EXPECT_TRUE(refined[1].generated);
  EXPECT_TRUE(refined[2].hidden);
  EXPECT_TRUE(refine(map({kId, bytes16("u")}), nullptr).empty()) << "nothing is known: bytes are bytes";
}

// A capture that lagged took UUID columns for BINARY(16) once they were dropped, and readers stopped.
// After a restart or at another replica, no earlier map shows that a definition changed without a statement.
TEST(Definitions, a_change_between_two_connections_is_seen_by_what_was_kept) {
  TableChoice table;
  table.exclude = {"SECRET"};
  const auto carried = schema({{.name = "v", .type = ColumnType::VarChar, .length = 200}});
  message::Definition kept;
  kept.schema = carried;
  EXPECT_TRUE(carries(kept, table, carried, false));
  kept.schema.columns.insert(kept.schema.columns.begin() + 1, {.name = "secret", .type = ColumnType::Int});
  EXPECT_TRUE(carries(kept, table, carried, false)) << "an excluded column is not carried";
  kept.schema.columns.push_back({.name = "more", .type = ColumnType::Int});
  EXPECT_FALSE(carries(kept, table, carried, false)) << "a column was dropped";
  kept.schema = schema({});
  EXPECT_FALSE(carries(kept, table, carried, false)) << "a column was added";
  kept.schema = schema({{.name = "v", .type = ColumnType::VarChar, .length = 400}});
  EXPECT_FALSE(carries(kept, table, carried, false)) << "values may have been cut";
  kept.schema = carried;
  kept.schema.key = {1};
  EXPECT_FALSE(carries(kept, table, carried, false)) << "another key";
  EXPECT_FALSE(carries(kept, table, carried, true));
  kept.schema.key.clear();
  EXPECT_TRUE(carries(kept, table, carried, true)) << "with a declared key";
  kept.exists = false;
  EXPECT_FALSE(carries(kept, table, carried, true)) << "it was dropped, and nothing created it";
}

// OPTIMIZE TABLE, or any other statement, made a change with sql_log_bin=0 before it the new definition, and nobody
// copied the rows.
TEST(Definitions, a_statement_explains_only_what_it_names) {
  const auto carried = schema({{.name = "v"}, {.name = "n", .type = ColumnType::VarChar}, {.name = "x"}});
  message::Definition kept;
  kept.schema = schema({{.name = "v"}, {.name = "old", .type = ColumnType::Text}});
  const auto explained = [&](const Announced& announced) {
    return carries(kept, TableChoice(), carried, false, announced);
  };
  EXPECT_TRUE(explained({{"OLD", "N", "x"}}));
  EXPECT_TRUE(explained({{"old", "n", "x", "v", "id"}})) << "of the key too";
  EXPECT_FALSE(explained({}));
  EXPECT_FALSE(explained({{"old", "n"}})) << "x was added, and nothing said so";
  EXPECT_FALSE(explained({{"n", "x"}})) << "old was dropped, and nothing said so";
  auto moved = kept;
  moved.schema.columns = {carried.columns[2], carried.columns[1], carried.columns[0]};
  EXPECT_FALSE(carries(moved, TableChoice(), carried, false, {{"n"}, true})) << "columns change places only if named";
  kept.schema = carried;
  kept.schema.key = {1};
  EXPECT_FALSE(explained({{"x"}}));
  EXPECT_TRUE(explained({{"v"}})) << "a column of the key";
  EXPECT_TRUE(explained({{}, true})) << "the key";
  kept.exists = false;
  EXPECT_FALSE(explained({{"v"}, true})) << "no statement created it";
}

// The server wrote a UNIQUE key as the primary key: rows had another key than the copy, or were refused for ever.
TEST(Definitions, a_unique_key_that_the_server_promotes_is_not_a_primary_key) {
  TableChoice table;
  const auto m = map({kId, {.type = WireType::Long, .name = "v"}});
  auto with_key = schema({{.name = "v"}});
  auto keyless = with_key;
  keyless.key.clear();
  auto declared = with_key;
  declared.key = {1};
  EXPECT_FALSE(promoted_key(table, m, &keyless, &keyless)) << "no key is declared";
  table.key_columns = {"V"};
  EXPECT_TRUE(promoted_key(table, m, &keyless, &keyless));
  EXPECT_TRUE(promoted_key(table, m, nullptr, &keyless));
  EXPECT_TRUE(promoted_key(table, m, &declared, nullptr)) << "as a copy has learnt it";
  EXPECT_TRUE(promoted_key(table, m, &keyless, &declared)) << "the server's primary key came later";
  EXPECT_FALSE(promoted_key(table, m, &with_key, &keyless)) << "its primary key was dropped later";
  EXPECT_FALSE(promoted_key(table, m, &declared, &with_key)) << "a primary key that was just added";
  EXPECT_FALSE(promoted_key(table, m, nullptr, nullptr)) << "nothing is known";
}

// A VECTOR column that is excluded is in no definition, and UUID columns beside it came as BINARY.
TEST(Definitions, excluded_columns_of_unread_types_hide_no_definition) {
  TableChoice table;
  table.exclude = {"Secret"};
  auto known = schema({{.name = "u", .type = ColumnType::Uuid}});
  const binlog::WireColumn secret{.type = WireType::VarString, .length = 64, .name = "secret"};
  EXPECT_TRUE(describes(known, table, map({kId, secret, bytes16("u")})));
  EXPECT_TRUE(describes(known, table, map({kId, bytes16("u"), secret})));
  EXPECT_FALSE(describes(known, TableChoice(), map({kId, bytes16("u"), secret})));
  known.columns.push_back({.name = "secret", .type = ColumnType::VarChar, .length = 64});
  EXPECT_TRUE(describes(known, table, map({kId, bytes16("u"), secret})));
  EXPECT_FALSE(describes(known, table, map({kId, bytes16("u")}))) << "it was dropped, and added again later";
}

/// Definitions over a store in memory, without a server.
class StoredDefinitions : public testing::Test {
 protected:
  Definitions definitions() {
    return Definitions(server_,
                       {[this] { return place_; },
                        [this](const TableChoice&, const message::GtidSet& at) { return newest_at(saved_, at); },
                        [this](const message::Definition& d) -> base::Result<void> {
                          saved_.push_back(d);
                          saved_.back().sequence = saved_.size();
                          return {};
                        },
                        [](const TableChoice&, const auto&) { return std::nullopt; },
                        [this] { return std::uint64_t{saved_.size()}; }});
  }

  TableChoice table_{.database = "d", .table = "t", .type = "things"};
  std::vector<message::Definition> saved_;
  message::GtidSet place_ = set_of({gtid(1)});
  const Selection selection_ = *Selection::make({config::Type{"things", {"d.t"}, {}, {}}}, 1);
  const source::Rules rules_;
  ServerTables server_{[]() -> base::Result<std::unique_ptr<source::Server>> {
                         return base::Error(base::Reason::SourceUnreachable, "no server is asked here");
                       },
                       rules_, selection_};
};

// A copy saved the definition of a later place, which hid the domains that the dump had saved at an earlier one: rows
// of a replica's own stayed after a failover.
TEST_F(StoredDefinitions, what_is_saved_is_not_hidden_by_what_a_copy_saves) {
  auto known = definitions();
  ASSERT_TRUE(known.wrote(table_, 7));
  const auto by_copy = [&](std::uint64_t at) {
    auto d = *newest_at(saved_, set_of({gtid(at)}));
    d.position = set_of({gtid(at)});
    d.schema = schema({{.name = "v"}});
    d.complete = true;
    d.sequence = saved_.size() + 1;
    saved_.push_back(d);
  };
  by_copy(5);
  place_ = set_of({gtid(9)});
  ASSERT_TRUE(known.wrote(table_, 8));
  EXPECT_EQ(newest_at(saved_, place_)->domains, (std::vector<std::uint32_t>{7, 8}));
  ASSERT_NE(known.whole(table_), nullptr) << "what the copy has learnt is known";
  EXPECT_EQ(known.whole(table_)->columns.size(), 2U);
  by_copy(9);
  ASSERT_TRUE(known.forget_domains(table_, {7, 8}));
  EXPECT_TRUE(newest_at(saved_, place_)->domains.empty());
}

// Labels are values that rows have, and the state topic had those of columns that were to stay at the source.
TEST_F(StoredDefinitions, labels_of_excluded_columns_are_not_kept) {
  const auto of_server = schema({{.name = "state", .type = ColumnType::Enum, .labels = {"new"}},
                                 {.name = "Illness", .type = ColumnType::Enum, .labels = {"gout"}}});
  table_.exclude = {"illness"};
  auto carried = of_server;
  carried.columns.pop_back();
  message::Definition before;
  before.schema = of_server;
  before.complete = true;
  before.position = place_;
  saved_ = {before};  // by a version that kept all labels
  {
    auto known = definitions();
    EXPECT_TRUE(known.is(table_, of_server)) << "the server's table is no other one";
    EXPECT_FALSE(known.met(table_, false, carried, false).value()) << "no change that no statement announced";
    ASSERT_TRUE(known.wrote(table_, 7));
  }
  ASSERT_EQ(saved_.size(), 2U);
  const auto& columns = saved_.back().schema.columns;
  EXPECT_EQ(columns[1].labels, std::vector<std::string>{"new"});
  EXPECT_EQ(columns[2].name, "Illness");
  EXPECT_TRUE(columns[2].labels.empty());
  {
    auto known = definitions();
    EXPECT_TRUE(known.is(table_, of_server));
    EXPECT_FALSE(known.met(table_, false, carried, false).value());
    EXPECT_NE(known.whole(table_), nullptr);
  }
  table_.exclude.clear();
  auto known = definitions();
  EXPECT_EQ(known.whole(table_), nullptr) << "its labels are not known";
  EXPECT_TRUE(known.explained(table_, of_server)) << "the table did not change";
}

TEST(Definitions, the_newest_at_a_place_counts_not_the_newest) {
  const auto at = [](std::uint64_t sequence, std::uint64_t place) {
    message::Definition d;
    d.sequence = sequence;
    d.position = set_of({gtid(place)});
    return d;
  };
  const std::vector<message::Definition> known{at(1, 10), at(2, 20), at(3, 30), at(4, 20)};
  EXPECT_FALSE(newest_at(known, set_of({gtid(9)})));
  EXPECT_EQ(newest_at(known, set_of({gtid(19)}))->sequence, 1U);
  EXPECT_EQ(newest_at(known, set_of({gtid(29)}))->sequence, 4U) << "learnt again at the same place";
  EXPECT_EQ(newest_at(known, set_of({gtid(31)}))->sequence, 3U);
}

}  // namespace
}  // namespace datasync::capture
