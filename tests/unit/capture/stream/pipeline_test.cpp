#include "agents/capture/stream/pipeline.hpp"

#include "tests/unit/capture/memory_parts.hpp"

namespace datasync::capture {
namespace {

using base::Reason;
using source::memory::End;
using source::memory::insert;
using source::memory::remove;
using source::memory::statement;
using source::memory::update;

using Events = std::vector<std::string>;

class PipelineTest : public MemoryParts {};

TEST_F(PipelineTest, publishes_the_transactions_of_captured_tables_in_their_order) {
  database_->create_table("a.other", {{"id"}});
  database_->commit({insert("a.t", {1, "one"}), insert("a.t", {2, {}})});
  database_->commit({insert("a.other", {1})});
  start();
  database_->commit({update("a.t", {1, "one"}, {1, "uno"})});
  const auto last = database_->commit({remove("a.t", {2, {}})});
  ASSERT_TRUE(reads(last));
  EXPECT_TRUE(stop().is(Reason::Stopping));
  EXPECT_EQ(out_.events(), (Events{"0-1-1 tx rows=2", "0-1-3 tx rows=1", "0-1-4 tx rows=1"}));
  EXPECT_EQ(writer_.position().text(), "0-1-4");
}

TEST_F(PipelineTest, continues_after_its_position) {
  database_->commit({insert("a.t", {1, "one"})});
  start();
  ASSERT_TRUE(reads(database_->commit({insert("a.t", {2, "two"})})));
  stop();
  stop_ = {};
  const auto last = database_->commit({insert("a.t", {3, "three"})});
  start();
  ASSERT_TRUE(reads(last));
  stop();
  EXPECT_EQ(out_.events(), (Events{"0-1-1 tx rows=1", "0-1-2 tx rows=1", "0-1-3 tx rows=1"}));
}

TEST_F(PipelineTest, transactions_before_the_start_of_the_stream_are_not_published) {
  start();
  const auto first = database_->commit({insert("a.t", {1, "one"})});
  ASSERT_TRUE(reads(first));
  stop();
  stop_ = {};
  database_->before_start = {first};
  const auto last = database_->commit({insert("a.t", {2, "two"})});
  start();
  ASSERT_TRUE(reads(last));
  stop();
  EXPECT_EQ(out_.events(), (Events{"0-1-1 tx rows=1", "0-1-2 tx rows=1"}));
}

TEST_F(PipelineTest, a_rollback_publishes_nothing) {
  start();
  ASSERT_TRUE(reads(database_->log({insert("a.t", {1, "one"})}, End::Rollback)));
  stop();
  EXPECT_TRUE(out_.events().empty());
}

TEST_F(PipelineTest, a_prepared_transaction_is_published_by_its_commit) {
  start();
  database_->log({insert("a.t", {1, "one"})}, End::XaPrepare, "x");
  ASSERT_TRUE(reads(database_->commit({insert("a.t", {2, "two"})})));
  EXPECT_TRUE(prepared_.pending());
  ASSERT_TRUE(reads(database_->log({}, End::XaCommit, "x")));
  stop();
  EXPECT_EQ(out_.events(), (Events{"0-1-2 tx rows=1", "0-1-3 tx rows=1"}));
}

TEST_F(PipelineTest, a_truncated_table_is_emptied_at_readers) {
  start();
  ASSERT_TRUE(reads(database_->commit({statement("TRUNCATE TABLE a.t")})));
  stop();
  EXPECT_EQ(out_.events(), (Events{"0-1-1 tx rows=1"}));
}

TEST_F(PipelineTest, a_statement_that_changes_rows_stops_it_and_names_the_way_on) {
  start();
  database_->commit({statement("INSERT INTO a.t VALUES (1, 'one')")});
  const auto ended = fails();
  EXPECT_TRUE(ended.is(Reason::StatementFormat)) << ended.what;
  EXPECT_NE(ended.what.find("datasync.dev/accept-gtid=0-1-1"), std::string::npos) << ended.what;
}

TEST_F(PipelineTest, an_accepted_transaction_is_passed_and_its_tables_are_due) {
  accepted_ = {"0-1-1"};
  start();
  database_->commit({statement("INSERT INTO a.t VALUES (1, 'one')"), insert("a.t", {2, "two"})});
  ASSERT_TRUE(reads(database_->commit({insert("a.t", {3, "three"})})));
  stop();
  EXPECT_EQ(reported_, (Events{"0-1-1 passed: everything"}));
  EXPECT_EQ(out_.events(), (Events{"0-1-2 tx rows=1"}));
}

TEST_F(PipelineTest, a_table_that_changed_without_a_statement_is_copied_again) {
  start();
  ASSERT_TRUE(reads(database_->commit({insert("a.t", {1, "one"})})));
  database_->create_table("a.t", {{"id"}, {"v", true}, {"w"}});
  ASSERT_TRUE(reads(database_->commit({insert("a.t", {2, "two", 2})})));
  stop();
  EXPECT_EQ(reported_, (Events{"a.t is emptied"}));
}

}  // namespace
}  // namespace datasync::capture
