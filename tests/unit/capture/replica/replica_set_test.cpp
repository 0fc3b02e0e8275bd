#include "agents/capture/replica/replica_set.hpp"

#include <gtest/gtest.h>

#include "agents/source/memory/memory.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;
using source::memory::Database;
using source::memory::insert;

class ReplicaSetTest : public testing::Test {
 protected:
  ReplicaSetTest() {
    config_.replicas = {{"one", 1}, {"two", 2}};
    primary_.create_table("a.t", {{"id"}});
    write(3);
    follow(*one_);
    follow(*two_);
  }
  void write(int transactions) {
    for (int i = 0; i < transactions; ++i) primary_.commit({insert("a.t", {++rows_})});
  }
  void follow(Database& replica) { replica.replicate(primary_); }
  /// The host of the replica that is chosen, or why there is none.
  std::string pick(std::optional<std::string> position) {
    std::optional<source::Needed> needed;
    if (position) needed = {*message::GtidSet::parse(*position), *message::GtidSet::parse(*position)};
    const auto picked = replicas_.pick(selection_, needed, {});
    return picked ? picked->server.host : std::string(base::info(picked.error().reason).name);
  }

  Database primary_{"primary"};
  std::int64_t rows_ = 0;
  const std::shared_ptr<Database> one_ = std::make_shared<Database>("one"), two_ = std::make_shared<Database>("two");
  config::Capture config_;
  Selection selection_ = *Selection::make({config::Type{"things", {"a.t"}, {}, {}}}, 1);
  const std::unique_ptr<source::Engine> engine_ = source::memory::make_engine({{"one:1", one_}, {"two:2", two_}});
  ReplicaSet replicas_{config_, *engine_, 7};
};

TEST_F(ReplicaSetTest, takes_the_first_that_is_fit) {
  EXPECT_EQ(pick({}), "one");
  EXPECT_EQ(pick("0-1-2"), "one");
}

TEST_F(ReplicaSetTest, takes_another_when_the_first_cannot_be_reached_or_lacks_something) {
  one_->down = Error(Reason::SourceUnreachable, "down");
  EXPECT_EQ(pick("0-1-2"), "two");
  one_->down.reset();
  one_->findings = {{Reason::PreflightFailed, "binlog_format is MIXED", "set it"}};
  replicas_.prefer(0);
  EXPECT_EQ(pick("0-1-2"), "two");
}

TEST_F(ReplicaSetTest, takes_the_one_that_is_not_late) {
  one_->lag.seconds = 600;
  EXPECT_EQ(pick("0-1-2"), "two");
  two_->lag.seconds = 900;
  replicas_.prefer(0);
  EXPECT_EQ(pick("0-1-2"), "one");
}

TEST_F(ReplicaSetTest, waits_for_one_that_has_the_position) {
  write(1);
  EXPECT_EQ(pick("0-1-4"), "WaitingForReplica");
  follow(*two_);
  EXPECT_EQ(pick("0-1-4"), "two");
}

TEST_F(ReplicaSetTest, a_position_is_lost_when_no_replica_has_what_comes_after_it) {
  one_->purge();
  EXPECT_EQ(pick("0-1-2"), "two");
  two_->purge();
  replicas_.prefer(0);
  EXPECT_EQ(pick("0-1-2"), "BinlogPurged");
  EXPECT_EQ(pick("0-1-3"), "one");
}

TEST_F(ReplicaSetTest, a_dump_that_was_refused_counts_until_another_position_is_needed) {
  replicas_.dump_refused(0, *message::GtidSet::parse("0-1-2"), Error(Reason::BinlogPurged, "refused"));
  replicas_.prefer(0);
  EXPECT_EQ(pick("0-1-2"), "two");
  replicas_.prefer(0);
  EXPECT_EQ(pick("0-1-3"), "one");
}

TEST_F(ReplicaSetTest, a_table_that_was_dropped_is_no_fault_once_something_was_published) {
  one_->drop_table("a.t");
  two_->drop_table("a.t");
  EXPECT_EQ(pick({}), "PreflightFailed");
  EXPECT_EQ(pick("0-1-2"), "one");
  replicas_.stream_has_begun();
  EXPECT_EQ(pick({}), "one");
}

}  // namespace
}  // namespace datasync::capture
