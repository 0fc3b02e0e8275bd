// A log that lost acknowledged records is found before anything is written to it.

#include "agents/protocol/stream_check.hpp"

#include <gtest/gtest.h>

#include "agents/protocol/capture_epoch.hpp"
#include "agents/protocol/mark.hpp"
#include "tests/unit/protocol/memory_log.hpp"
#include "tests/unit/protocol/records.hpp"

namespace datasync::protocol {
namespace {

using base::Reason;
using message::End;
using message::Epoch;
using message::Kind;

class StreamCheck : public testing::Test {
 protected:
  base::Result<std::vector<StreamState>> begin(Epoch& epoch) {
    base::Backoff backoff(base::Millis(1), base::Millis(1));
    return begin_epoch(state, streams, view, epoch, "a", 1, backoff, {});
  }
  void begun() {
    Epoch epoch;
    ASSERT_TRUE(begin(epoch));
  }
  void put_change(std::uint64_t epoch, std::uint64_t sequence) {
    streams.put(0, change_headers(epoch, End::Transaction), change_value(gtid(sequence)));
  }
  void put_start(std::uint64_t epoch) {
    streams.put(0, start_headers(epoch), message::encode(message::Start{Epoch(epoch), "x"}));
  }
  void put_state(StateRecord record) {
    record.offset = static_cast<Offset>(records.size());
    records.push_back(std::move(record));
  }

  std::vector<StateRecord> records;
  MemoryStateLog state{records};
  MemoryStreamLog streams;
  StateView view;
};

// A broker that lost acknowledged records: each refused try put a start on the stream, until the stream was longer than
// the checkpoint and the lost changes were never published again.
TEST_F(StreamCheck, a_try_that_is_refused_leaves_no_trace) {
  begun();
  for (std::uint64_t i = 1; i <= 4; ++i) put_change(1, i);
  put_state(checkpoint_at(0, 1, 5, set_of({gtid(4)})));
  streams.streams[0].resize(3);
  const auto states = records.size();
  for (int i = 0; i < 5; ++i) {
    Epoch epoch;
    const auto refused = begin(epoch);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is(Reason::LogTruncated)) << refused.error().what;
    EXPECT_EQ(epoch, Epoch{});
  }
  EXPECT_EQ(streams.end(0), 3);
  EXPECT_EQ(records.size(), states);
}

TEST_F(StreamCheck, a_stream_that_has_grown_back_with_other_records_is_refused) {
  begun();
  for (std::uint64_t i = 1; i <= 4; ++i) put_change(1, i);
  const auto& last = streams.streams[0].back();
  auto checkpoint = message::Checkpoint{Epoch(1), 0, 5, set_of({gtid(4)}), {}};
  checkpoint.last_record = mark_of(last.headers, base::as_bytes(last.value));
  put_state({0, Kind::Checkpoint, message::checkpoint_key(checkpoint, 1), message::encode(checkpoint)});
  {
    Epoch epoch;
    ASSERT_TRUE(begin(epoch)) << "nothing was lost so far";
  }
  for (const auto recreated : {false, true}) {
    auto kept = streams.streams[0];
    streams.streams[0].resize(recreated ? 0 : 3);
    for (std::uint64_t i = 2; streams.end(0) < 20; ++i) put_start(i);
    Epoch epoch;
    const auto refused = begin(epoch);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is(Reason::LogTruncated)) << refused.error().what;
    EXPECT_EQ(streams.end(0), 20);
    streams.streams[0] = std::move(kept);
  }
}

// A zombie's checkpoint says nothing of what is published, but its records stood where it says.
TEST_F(StreamCheck, an_uncertain_checkpoint_shows_lost_records_too) {
  put_state(claim_at(0, 1, "b"));
  put_state(claim_at(0, 2, "c"));
  put_start(1);
  put_state(checkpoint_at(0, 1, 5, set_of({gtid(4)})));
  Epoch epoch;
  const auto refused = begin(epoch);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(Reason::LogTruncated)) << refused.error().what;
}

TEST_F(StreamCheck, a_position_lost_to_retention_is_refused_before_any_write) {
  put_state(claim_at(0, 1, "b"));
  put_start(1);
  for (std::uint64_t i = 1; i <= 4; ++i) put_change(1, i);
  put_state(checkpoint_at(0, 1, 2, set_of({gtid(1)})));
  streams.first[0] = 4;
  const auto states = records.size();
  Epoch epoch;
  const auto refused = begin(epoch);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(Reason::PositionUnknown)) << refused.error().what;
  EXPECT_EQ(streams.end(0), 5);
  EXPECT_EQ(records.size(), states);
  // Declared to be given up, the epoch begins all the same.
  base::Backoff backoff(base::Millis(1), base::Millis(1));
  const auto given_up = begin_epoch(state, streams, view, epoch, "a", 1, backoff, {}, [] { return true; });
  ASSERT_FALSE(given_up);
  EXPECT_TRUE(given_up.error().is(Reason::PositionUnknown));
  EXPECT_EQ(epoch, Epoch(2));
  EXPECT_EQ(streams.end(0), 6);
}

}  // namespace
}  // namespace datasync::protocol
