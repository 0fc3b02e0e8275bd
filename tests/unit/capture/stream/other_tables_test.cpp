#include "agents/capture/stream/other_tables.hpp"

#include <gtest/gtest.h>

#include "agents/capture/plan/filled_columns.hpp"
#include "tests/unit/protocol/records.hpp"

namespace datasync::capture {
namespace {

using Moves = std::vector<message::MovedColumn>;

class OtherTablesTest : public testing::Test {
 protected:
  /// What captured tables take over by the statement, as "d.t: secret>b".
  std::string run(const std::string& sql) {
    const binlog::StatementContext context{.database = "d"};
    const auto judgement = binlog::judge(sql, context);
    const auto names = column_names_of(sql, context, judgement.certain);
    const OtherTables tables(selection_, store_);
    const message::Gtid gtid{0, 1, ++sequence_};
    const auto unjudged = [&](const Moves& moved) {
      std::vector<std::string> columns{"secret"};
      for (const auto& m : moved) columns.push_back(m.is);
      return !judgement.certain && names_any(sql, context, columns);
    };
    const auto taken = tables.statement({judgement, names, like_table(sql, context), unjudged, gtid},
                                        [](const TableChoice&) { return Moves(); });
    place_.add(gtid);
    std::string out;
    for (const auto& t : *taken) {
      out += t.table->qualified() + ":";
      for (const auto& m : t.moved) out += " " + m.was + ">" + m.is;
    }
    return out;
  }

  Selection selection_ = *Selection::make({config::Type{"things", {"d.t"}, {"d.t.secret"}, {}}}, 1);
  std::uint64_t sequence_ = 0;
  message::GtidSet place_;
  std::vector<message::Definition> kept_;
  DefinitionStore store_{[this] { return place_; },
                         [this](const TableChoice& table, const message::GtidSet& place) {
                           std::vector<message::Definition> of_table;
                           for (const auto& d : kept_)
                             if (d.qualified() == table.qualified()) of_table.push_back(d);
                           return newest_at(of_table, place);
                         },
                         [this](const message::Definition& d) -> base::Result<void> {
                           kept_.push_back(d);
                           return {};
                         },
                         {}};
};

// A restart between the statement of gh-ost and its cut-over forgot what it had renamed.
TEST_F(OtherTablesTest, are_kept_until_they_get_a_captured_name) {
  EXPECT_EQ(run("CREATE TABLE _t_gho LIKE t"), "");
  EXPECT_TRUE(kept_.empty()) << "nothing is to be known of it";
  EXPECT_EQ(run("ALTER TABLE _t_gho RENAME COLUMN secret TO s2, ADD COLUMN secret INT"), "");
  ASSERT_EQ(kept_.size(), 1U);
  EXPECT_EQ(kept_[0].qualified(), "d._t_gho");
  EXPECT_EQ(kept_[0].position.text(), "0-1-2");
  EXPECT_EQ(run("RENAME TABLE t TO _t_del, _t_gho TO t"), "d.t: secret>s2");
}

TEST_F(OtherTablesTest, a_statement_that_cannot_be_judged_is_remembered) {
  EXPECT_EQ(run("ALTER TABLE n FUTURE secret"), "");
  ASSERT_EQ(kept_.size(), 1U);
  EXPECT_TRUE(is_unjudged(kept_[0].moved));
  EXPECT_TRUE(judged_moves(kept_[0].moved).empty());
  EXPECT_EQ(run("RENAME TABLE n TO t"), "d.t: *>");
  EXPECT_EQ(run("CREATE OR REPLACE TABLE n (id INT PRIMARY KEY, b INT DEFAULT (secret))"), "");
  EXPECT_EQ(run("ALTER TABLE n FUTURE v"), "");
  EXPECT_FALSE(is_unjudged(kept_.back().moved));
  EXPECT_EQ(run("ALTER TABLE n FUTURE b"), "") << "a column with values of an excluded one";
  EXPECT_EQ(run("RENAME TABLE n TO t"), "d.t: secret>b *>");
  EXPECT_EQ(run("CREATE OR REPLACE TABLE n (id INT PRIMARY KEY)"), "");
  EXPECT_EQ(run("RENAME TABLE n TO t"), "") << "a new table";
}

}  // namespace
}  // namespace datasync::capture
