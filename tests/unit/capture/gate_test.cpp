#include "agents/capture/gate.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

using State = ChunkGate::State;

BinlogPoint at(std::uint64_t position, std::string file = "bin.000001") {
  return {std::move(file), position};
}

struct Gate : testing::Test {
  Gate() { gate.connected("r1:3306"); }
  void transaction(std::uint64_t begin, std::uint64_t end) {
    ASSERT_TRUE(gate.before_transaction(at(begin), {}));
    gate.transaction_ended(at(end));
  }
  ChunkGate gate;
};

TEST(BinlogPoints, are_ordered_by_the_number_of_their_file) {
  EXPECT_TRUE(at(900).before(at(4, "bin.000002")));
  EXPECT_TRUE(at(1, "bin.999999").before(at(1, "bin.1000000")));
  EXPECT_FALSE(at(5).before(at(5)));
}

TEST_F(Gate, place_waits_until_the_dump_comes_there) {
  transaction(10, 20);
  const auto place = gate.take_place(at(40), gate.generation());
  EXPECT_EQ(place->state, State::Waiting);
  transaction(25, 30);
  EXPECT_EQ(place->state, State::Waiting);
  transaction(35, 40);
  EXPECT_EQ(place->state, State::Reached);
  gate.done(place);
}

TEST_F(Gate, place_that_the_dump_is_past_is_passed) {
  transaction(10, 20);
  const auto place = gate.take_place(at(15), gate.generation());
  EXPECT_EQ(place->state, State::Passed);
  gate.done(place);
}

TEST_F(Gate, place_after_a_rotation_is_reached_when_the_dump_has_read_the_head_of_the_file) {
  transaction(10, 20);
  const auto place = gate.take_place(at(389, "bin.000002"), gate.generation());
  gate.moved_to(at(4, "bin.000002"));
  EXPECT_EQ(place->state, State::Waiting);
  gate.moved_to(at(389, "bin.000002"));
  EXPECT_EQ(place->state, State::Reached);
  gate.done(place);
}

TEST_F(Gate, next_transaction_waits_until_the_rows_of_a_reached_place_are_out) {
  transaction(10, 20);
  const auto place = gate.take_place(at(22), gate.generation());  // between two transactions, not at an event's end
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

TEST_F(Gate, hold_keeps_the_dump_from_starting_a_transaction) {
  std::optional<ChunkGate::Hold> hold(std::in_place, gate);
  std::atomic<bool> went_on = false;
  std::jthread dump([&] {
    EXPECT_TRUE(gate.before_transaction(at(30), {}));
    went_on = true;
  });
  const auto place = gate.take_place(at(50), gate.generation());
  EXPECT_FALSE(went_on);
  hold.reset();
  dump.join();
  EXPECT_TRUE(went_on);
  EXPECT_EQ(place->state, State::Waiting);
  gate.done(place);
}

TEST_F(Gate, another_replica_passes_places_that_were_not_reached) {
  transaction(10, 20);
  const auto waiting = gate.take_place(at(40), gate.generation());
  const auto reached = gate.take_place(at(20), gate.generation());
  EXPECT_EQ(reached->state, State::Reached);
  gate.connected("r2:3306");
  EXPECT_EQ(waiting->state, State::Passed);
  EXPECT_EQ(reached->state, State::Reached) << "what is on the stream is the same whoever is read next";
  gate.done(waiting);
  gate.done(reached);
}

TEST_F(Gate, same_replica_again_keeps_places) {
  transaction(10, 20);
  const auto place = gate.take_place(at(40), gate.generation());
  gate.connected("r1:3306");
  EXPECT_EQ(place->state, State::Waiting);
  transaction(35, 40);
  EXPECT_EQ(place->state, State::Reached);
  gate.done(place);
}

TEST_F(Gate, stop_wakes_whoever_waits) {
  std::stop_source stop;
  const auto place = gate.take_place(at(40), gate.generation());
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
