#include "agents/capture/stream/gate.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

using State = ChunkGate::State;

source::Place at(std::uint64_t position, std::string file = "bin.000001") {
  return {std::move(file), position};
}

struct Gate : testing::Test {
  Gate() { connected("r1:3306"); }
  void connected(const std::string& replica, const std::string& history = "server 1",
                 const source::Place& end = at(1000, "bin.000002")) {
    gate.connected(replica, history, end);
  }
  std::uint64_t generation() const { return gate.origin().generation; }
  void transaction(std::uint64_t begin, std::uint64_t end) {
    ASSERT_TRUE(gate.before_transaction(at(begin), {}));
    gate.transaction_ended(at(end));
  }
  ChunkGate gate;
};

TEST_F(Gate, place_waits_until_the_dump_comes_there) {
  transaction(10, 20);
  const auto place = gate.take_place(at(40), generation());
  EXPECT_EQ(place->state, State::Waiting);
  transaction(25, 30);
  EXPECT_EQ(place->state, State::Waiting);
  transaction(35, 40);
  EXPECT_EQ(place->state, State::Reached);
  gate.done(place);
}

TEST_F(Gate, place_before_the_dump_is_passed) {
  transaction(10, 20);
  const auto place = gate.take_place(at(15), generation());
  EXPECT_EQ(place->state, State::Passed);
  gate.done(place);
}

TEST_F(Gate, place_after_a_rotation_is_reached_at_the_head_of_the_file) {
  transaction(10, 20);
  const auto place = gate.take_place(at(389, "bin.000002"), generation());
  gate.moved_to(at(4, "bin.000002"));
  EXPECT_EQ(place->state, State::Waiting);
  gate.moved_to(at(389, "bin.000002"));
  EXPECT_EQ(place->state, State::Reached);
  gate.done(place);
}

TEST_F(Gate, next_transaction_waits_for_the_rows_of_a_reached_place) {
  transaction(10, 20);
  const auto place = gate.take_place(at(22), generation());  // between two transactions, not at an event's end
  std::atomic<bool> went_on = false;
  std::jthread dump([&] {
    EXPECT_TRUE(gate.before_transaction(at(30), {}));
    went_on = true;
  });
  EXPECT_EQ(*gate.wait(place, {}), State::Reached);
  EXPECT_FALSE(went_on);
  gate.done(place);
  dump.join();
  EXPECT_TRUE(went_on);
}

// The server logs XA COMMIT first and shows its rows afterwards.
TEST_F(Gate, place_after_an_xa_commit_that_the_rows_may_lack_is_in_doubt) {
  gate.prepared("x");
  transaction(10, 20);
  gate.prepared("y");
  transaction(25, 30);
  const auto place = [&](std::uint64_t point, std::uint64_t log_end, std::vector<std::string> ids) {
    return gate.take_place(at(point), generation(), source::PreparedBefore{at(log_end), std::move(ids)});
  };
  const auto before = place(30, 30, {"x", "y"});
  EXPECT_EQ(before->state, State::Reached) << "both are only prepared";
  gate.done(before);
  const auto between = place(60, 40, {"y"});
  const auto in_doubt = place(60, 40, {"x", "y"});
  const auto window = place(60, 39, {});
  const auto proved = place(60, 60, {"z"});
  ASSERT_TRUE(gate.before_transaction(at(35), {}));
  gate.prepared_committed("x", at(40));
  gate.transaction_ended(at(40));
  EXPECT_EQ(window->state, State::Waiting);
  std::jthread dump([&] { EXPECT_TRUE(gate.before_transaction(at(65), {})); });
  EXPECT_EQ(*gate.wait(between, {}), State::Reached);
  EXPECT_EQ(*gate.wait(proved, {}), State::Reached);
  EXPECT_EQ(*gate.wait(in_doubt, {}), State::InDoubt);
  EXPECT_EQ(*gate.wait(window, {}), State::InDoubt);
  for (const auto& ticket : {between, in_doubt, window, proved}) gate.done(ticket);
  dump.join();
  gate.transaction_ended(at(70));
  gate.prepared("x");  // the id is used again: the first commit is complete
  transaction(75, 80);
  const auto again = place(80, 80, {"x"});
  EXPECT_EQ(again->state, State::Reached);
  gate.done(again);
}

// The other server may still be at the commit of what is on the streams already.
TEST_F(Gate, xa_commits_are_remembered_when_another_server_is_read) {
  ASSERT_TRUE(gate.before_transaction(at(10), {}));
  gate.prepared_committed("x", at(20));
  gate.transaction_ended(at(20));
  connected("r2:3306", "server 2");
  gate.moved_to(at(5));
  const auto place = gate.take_place(at(5), generation(), source::PreparedBefore{at(5), {"x"}});
  EXPECT_EQ(place->state, State::InDoubt);
  gate.done(place);
  const auto other = gate.take_place(at(5), generation(), source::PreparedBefore{at(5), {}});
  EXPECT_EQ(other->state, State::Reached) << "a place of another history means nothing here";
  gate.done(other);
}

TEST_F(Gate, hold_keeps_the_dump_from_starting_a_transaction) {
  std::optional<ChunkGate::Hold> hold(std::in_place, gate);
  std::atomic<bool> went_on = false;
  std::jthread dump([&] {
    EXPECT_TRUE(gate.before_transaction(at(30), {}));
    went_on = true;
  });
  const auto place = gate.take_place(at(50), generation());
  EXPECT_FALSE(went_on);
  hold.reset();
  dump.join();
  EXPECT_TRUE(went_on);
  EXPECT_EQ(place->state, State::Waiting);
  gate.done(place);
}

TEST_F(Gate, another_replica_passes_places_that_were_not_reached) {
  transaction(10, 20);
  const auto waiting = gate.take_place(at(40), generation());
  const auto reached = gate.take_place(at(20), generation());
  EXPECT_EQ(reached->state, State::Reached);
  connected("r2:3306", "server 2");
  EXPECT_EQ(waiting->state, State::Passed);
  EXPECT_EQ(reached->state, State::Reached) << "what is on the stream is the same whoever is read next";
  gate.done(waiting);
  gate.done(reached);
}

TEST_F(Gate, same_replica_again_keeps_places) {
  transaction(10, 20);
  const auto place = gate.take_place(at(40), generation());
  connected("r1:3306");
  EXPECT_EQ(place->state, State::Waiting);
  transaction(35, 40);
  EXPECT_EQ(place->state, State::Reached);
  gate.done(place);
}

// A name led to another server, or to the same one recreated, and places were compared with those of the old binlog.
TEST_F(Gate, same_name_with_an_earlier_binlog_is_another_replica) {
  transaction(10, 20);
  gate.moved_to(at(389, "bin.000050"));
  gate.transaction_ended(at(600, "bin.000050"));
  const auto old = gate.take_place(at(900, "bin.000050"), generation());
  connected("r1:3306", "server 1", at(400));  // RESET MASTER that nothing else reported
  EXPECT_EQ(old->state, State::Passed);
  const auto place = gate.take_place(at(400), generation());
  EXPECT_EQ(place->state, State::Waiting);
  transaction(390, 400);
  EXPECT_EQ(place->state, State::Reached);
  gate.done(old);
  gate.done(place);
}

TEST_F(Gate, same_name_of_another_server_is_another_replica) {
  transaction(10, 20);
  const auto old = gate.take_place(at(40), generation());
  const auto before = gate.origin();
  connected("r1:3306", "server 2", at(9000));
  EXPECT_EQ(old->state, State::Passed);
  EXPECT_NE(gate.origin(), before);
  transaction(35, 40);
  EXPECT_EQ(old->state, State::Passed);
  gate.done(old);
}

TEST_F(Gate, transaction_that_ends_out_of_order_starts_a_generation) {
  transaction(10, 500);
  const auto old = gate.take_place(at(600), generation());
  transaction(350, 400);
  EXPECT_EQ(old->state, State::Passed);
  const auto place = gate.take_place(at(450), generation());
  EXPECT_EQ(place->state, State::Waiting);
  transaction(410, 450);
  EXPECT_EQ(place->state, State::Reached);
  gate.done(old);
  gate.done(place);
}

TEST_F(Gate, doubt_lasts_until_the_next_dump) {
  EXPECT_FALSE(gate.doubted());
  gate.doubt();
  EXPECT_TRUE(gate.doubted());
  connected("r1:3306");
  EXPECT_FALSE(gate.doubted());
}

TEST_F(Gate, stop_wakes_every_waiter) {
  std::stop_source stop;
  const auto place = gate.take_place(at(40), generation());
  stop.request_stop();
  const auto waited = gate.wait(place, stop.get_token());
  ASSERT_FALSE(waited);
  EXPECT_TRUE(waited.error().is(base::Reason::Stopping));
  gate.done(place);
  const ChunkGate::Hold hold(gate);
  EXPECT_FALSE(gate.before_transaction(at(60), stop.get_token()));
}

// A snapshot's end mark once stood inside a transaction of many fragments, and readers refused the stream.
TEST_F(Gate, end_of_a_snapshot_waits_for_the_end_of_the_open_transaction) {
  std::stop_source stopped;
  stopped.request_stop();  // what would have to wait returns at once
  ASSERT_TRUE(gate.before_transaction(at(10), {}));
  {
    const ChunkGate::Hold hold(gate);
    EXPECT_FALSE(gate.wait_outside(stopped.get_token()));
    gate.transaction_ended(at(20));
    EXPECT_TRUE(gate.wait_outside(stopped.get_token()));
    EXPECT_FALSE(gate.before_transaction(at(30), stopped.get_token()));
  }
  EXPECT_TRUE(gate.before_transaction(at(30), {}));
}

}  // namespace
}  // namespace datasync::capture
