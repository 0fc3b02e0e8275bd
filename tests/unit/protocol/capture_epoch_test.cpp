#include "agents/protocol/capture_epoch.hpp"

#include <gtest/gtest.h>

#include "tests/unit/protocol/memory_log.hpp"
#include "tests/unit/protocol/records.hpp"

namespace datasync::protocol {
namespace {

using base::Reason;
using message::End;
using message::Epoch;
using message::Kind;

class CaptureEpoch : public testing::Test {
 protected:
  base::Result<Epoch> claim() {
    base::Backoff backoff(base::Millis(1), base::Millis(1));
    return claim_epoch(state, streams, view, "a", 1, backoff, {});
  }
  base::Result<std::vector<StreamState>> begin(std::int32_t count = 1) {
    const auto epoch = claim();
    if (!epoch) return base::Error(epoch.error());
    return start_and_recover(state, streams, view, *epoch, "a", count, {});
  }
  base::Result<std::vector<StreamState>> begin_again_above(Epoch& epoch) {
    base::Backoff backoff(base::Millis(1), base::Millis(1));
    return begin_epoch(state, streams, view, epoch, "a", 1, backoff, {});
  }
  void put_change(std::uint64_t epoch, std::uint64_t sequence, End end = End::Transaction, std::int32_t stream = 0) {
    streams.put(stream, change_headers(epoch, end), change_value(gtid(sequence)));
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

TEST_F(CaptureEpoch, the_first_epoch_is_one) {
  EXPECT_EQ(claim().value(), Epoch(1));
}

TEST_F(CaptureEpoch, claims_one_above_the_highest) {
  put_state(claim_at(0, 7, "b"));
  EXPECT_EQ(claim().value(), Epoch(8));
}

TEST_F(CaptureEpoch, a_lost_race_is_tried_again_higher) {
  int races = 0;
  state.before_append = [&](Kind) {
    if (races++ < 2) put_state(claim_at(0, view.highest_claim().value() + 1, "b"));
  };
  EXPECT_EQ(claim().value(), Epoch(3));
  EXPECT_EQ(races, 3);
}

TEST_F(CaptureEpoch, no_two_claims_share_a_key_even_of_one_instance) {
  state.fates = {Fate::LandsUnacknowledged};
  EXPECT_FALSE(claim());
  EXPECT_EQ(claim().value(), Epoch(2));
  EXPECT_NE(records[0].key, records[1].key);
  MemoryStateLog other(records);
  StateView others_view;
  base::Backoff backoff(base::Millis(1), base::Millis(1));
  EXPECT_EQ(claim_epoch(other, streams, others_view, "a", 1, backoff, {}).value(), Epoch(3));
  EXPECT_NE(view.owner(Epoch(2)), others_view.owner(Epoch(3)));
}

TEST_F(CaptureEpoch, an_own_claim_that_lands_late_is_just_another_lost_race) {
  state.fates = {Fate::Vanishes};
  EXPECT_FALSE(claim());
  state.before_append = [&](Kind) {
    if (records.empty()) put_state(claim_at(0, 1, "a/0123"));  // the first claim, late
  };
  EXPECT_EQ(claim().value(), Epoch(2));
}

// Two agents that were restarted at once replaced each other without end: 43 and 43 ends with status 3 in 40 s.
TEST_F(CaptureEpoch, a_restart_of_an_instance_that_was_replaced_claims_nothing) {
  const auto claim_as = [&](const std::string& instance) {
    MemoryStateLog restarted(records);  // a process that knows nothing but the topic
    StateView fresh;
    base::Backoff backoff(base::Millis(1), base::Millis(1));
    return claim_epoch(restarted, streams, fresh, instance, 1, backoff, {});
  };
  EXPECT_EQ(claim_as("older").value(), Epoch(1));
  EXPECT_EQ(claim_as("older").value(), Epoch(2));  // a restart of the newest claims again
  EXPECT_EQ(claim_as("newer").value(), Epoch(3));
  const auto claims = records.size();
  for (int i = 0; i < 3; ++i) {
    const auto refused = claim_as("older");
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is(Reason::Superseded));
    EXPECT_NE(refused.error().what.find("instance newer is newer"), std::string::npos) << refused.error().what;
  }
  EXPECT_EQ(records.size(), claims);
  EXPECT_EQ(claim_as("newer").value(), Epoch(4));
}

TEST_F(CaptureEpoch, of_two_that_claim_at_once_exactly_one_continues) {
  for (const auto* rival : {"A", "z"}) {  // of equal rank, the lesser and the greater name
    records.clear();
    MemoryStateLog mine(records);
    StateView fresh;
    int races = 0;
    mine.before_append = [&](Kind) {
      if (races++ == 0) put_state(ranked_claim_at(0, 1, rival, 1));
    };
    base::Backoff backoff(base::Millis(1), base::Millis(1));
    const auto claimed = claim_epoch(mine, streams, fresh, "a", 1, backoff, {});
    MemoryStateLog others(records);
    StateView seen;
    ASSERT_TRUE(catch_up(others, seen, {}));
    EXPECT_NE(claimed.has_value(), seen.newer_than(rival).empty()) << rival;
  }
}

TEST_F(CaptureEpoch, a_stop_ends_claiming) {
  std::stop_source stop;
  stop.request_stop();
  base::Backoff backoff(base::Millis(1), base::Millis(1));
  const auto epoch = claim_epoch(state, streams, view, "a", 1, backoff, stop.get_token());
  ASSERT_FALSE(epoch);
  EXPECT_TRUE(epoch.error().is(Reason::Stopping));
}

TEST_F(CaptureEpoch, a_new_stream_is_fresh) {
  const auto states = begin();
  ASSERT_TRUE(states);
  EXPECT_TRUE(states->at(0).fresh);
  EXPECT_EQ(states->at(0).start, 0);
  EXPECT_TRUE(states->at(0).published.empty());
}

TEST_F(CaptureEpoch, a_stream_that_only_saw_starts_is_fresh_still) {
  ASSERT_TRUE(begin());
  const auto states = begin();
  ASSERT_TRUE(states);
  EXPECT_TRUE(states->at(0).fresh);
  EXPECT_EQ(states->at(0).start, 1);
}

TEST_F(CaptureEpoch, writes_its_first_checkpoint_at_once) {
  ASSERT_TRUE(begin());
  put_change(1, 10);
  ASSERT_TRUE(begin());
  ASSERT_TRUE(catch_up(state, view, {}));
  const auto checkpoint = view.checkpoint(0);
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->epoch, Epoch(2));
  EXPECT_EQ(checkpoint->offset, 3);
  EXPECT_EQ(checkpoint->published, set_of({gtid(10)}));
}

TEST_F(CaptureEpoch, reads_from_the_first_offset_when_no_checkpoint_is_certain) {
  put_state(claim_at(0, 1, "b"));
  put_start(1);
  put_change(1, 10);
  put_change(1, 11, End::None);
  const auto states = begin();
  ASSERT_TRUE(states);
  EXPECT_EQ(states->at(0).published, set_of({gtid(10)}));
  EXPECT_FALSE(states->at(0).fresh);
}

TEST_F(CaptureEpoch, ignores_what_a_zombie_wrote_and_the_checkpoint_it_left) {
  put_state(claim_at(0, 1, "b"));
  put_start(1);
  put_change(1, 10);
  put_state(checkpoint_at(0, 1, 2, set_of({gtid(10)})));
  put_state(claim_at(0, 2, "c"));
  put_start(2);
  put_change(1, 11);                                      // a zombie's record,
  put_state(checkpoint_at(0, 1, 4, set_of({gtid(11)})));  // and its checkpoint
  const auto states = begin();
  ASSERT_TRUE(states);
  EXPECT_EQ(states->at(0).published, set_of({gtid(10)}));
}

TEST_F(CaptureEpoch, an_unacknowledged_start_is_repeated_and_harmless) {
  streams.fates = {Fate::LandsUnacknowledged};
  const auto states = begin();
  ASSERT_TRUE(states) << states.error().what;
  EXPECT_EQ(states->at(0).start, 1);
  EXPECT_TRUE(states->at(0).fresh);
}

TEST_F(CaptureEpoch, a_higher_start_supersedes) {
  ASSERT_TRUE(claim());
  put_start(9);
  const auto states = start_and_recover(state, streams, view, Epoch(1), "a", 1, {});
  ASSERT_FALSE(states);
  EXPECT_TRUE(states.error().is(Reason::Superseded));
}

TEST_F(CaptureEpoch, a_higher_claim_supersedes_before_anything_is_written) {
  ASSERT_TRUE(claim());
  put_state(claim_at(0, 2, "b"));
  ASSERT_TRUE(catch_up(state, view, {}));
  const auto states = start_and_recover(state, streams, view, Epoch(1), "a", 1, {});
  ASSERT_FALSE(states);
  EXPECT_TRUE(states.error().is(Reason::Superseded));
  EXPECT_EQ(streams.end(0), 0);
}

TEST_F(CaptureEpoch, the_position_is_unknown_when_retention_took_the_beginning) {
  put_state(claim_at(0, 1, "b"));
  put_start(1);
  put_change(1, 10);
  streams.first[0] = 2;
  const auto states = begin();
  ASSERT_FALSE(states);
  EXPECT_TRUE(states.error().is(Reason::PositionUnknown));
}

TEST_F(CaptureEpoch, the_position_is_unknown_when_retention_passed_the_checkpoint) {
  ASSERT_TRUE(begin());
  put_change(1, 10);
  put_change(1, 11);
  streams.first[0] = 2;
  const auto states = begin();
  ASSERT_FALSE(states);
  EXPECT_TRUE(states.error().is(Reason::PositionUnknown)) << states.error().what;
}

TEST_F(CaptureEpoch, retention_up_to_the_checkpoint_is_harmless) {
  ASSERT_TRUE(begin());
  streams.first[0] = 1;
  EXPECT_TRUE(begin());
}

// It claimed epoch 1 below the 5 on the stream: with the position given up, readers ignored it for ever.
TEST_F(CaptureEpoch, an_emptied_state_topic_of_a_used_stream_claims_nothing) {
  put_start(5);
  put_change(5, 10);
  for (const Offset first : {0, 2}) {
    streams.first[0] = first;
    const auto states = begin();
    ASSERT_FALSE(states);
    EXPECT_TRUE(states.error().is(Reason::LogTruncated)) << states.error().what;
    EXPECT_TRUE(records.empty());
    EXPECT_EQ(streams.end(0), 2);
  }
}

TEST_F(CaptureEpoch, an_emptied_state_topic_is_reported_by_any_stream) {
  streams.put(1, start_headers(5), message::encode(message::Start{Epoch(5), "x"}));
  base::Backoff backoff(base::Millis(1), base::Millis(1));
  EXPECT_TRUE(claim_epoch(state, streams, view, "a", 2, backoff, {}).error().is(Reason::LogTruncated));
}

// Another instance may claim and start between the two looks: its claim is seen because its start was.
TEST_F(CaptureEpoch, a_stream_used_meanwhile_is_not_an_emptied_state_topic) {
  streams.after_ends = [&] {
    put_state(claim_at(0, 1, "b"));
    put_start(1);
  };
  EXPECT_EQ(claim().value(), Epoch(2));
}

// Superseded by an instance that did not exist, once for each claim that was lost.
TEST_F(CaptureEpoch, after_lost_claims_the_next_is_above_every_started_epoch) {
  put_state(claim_at(0, 2, "b"));
  put_start(2);
  put_change(2, 10);
  put_state(checkpoint_at(0, 2, 2, set_of({gtid(10)})));
  put_start(3);
  put_start(5);
  put_change(5, 11);
  put_change(5, 12, End::None);
  Epoch epoch;
  const auto states = begin_again_above(epoch);
  ASSERT_TRUE(states) << states.error().what;
  EXPECT_GT(epoch, Epoch(5));
  EXPECT_EQ(states->at(0).published, set_of({gtid(11)}));
}

// An equal one is worse than a lower one: readers take both writers' records for one transaction after the other.
TEST_F(CaptureEpoch, an_epoch_that_has_started_already_is_not_begun_again) {
  put_state(claim_at(0, 4, "b"));
  put_start(5);
  put_change(5, 10, End::None);
  Epoch epoch;
  ASSERT_TRUE(begin_again_above(epoch));
  EXPECT_EQ(epoch, Epoch(6));
}

TEST_F(CaptureEpoch, a_newer_claim_supersedes_and_is_not_claimed_above) {
  streams.after_ends = [&, calls = 0]() mutable {
    if (++calls != 2) return;  // this instance has claimed, and its start is not on its way yet
    put_state(claim_at(0, 2, "b"));
    put_start(2);
  };
  Epoch epoch;
  const auto states = begin_again_above(epoch);
  ASSERT_FALSE(states);
  EXPECT_TRUE(states.error().is(Reason::Superseded));
  EXPECT_EQ(epoch, Epoch(1));
}

TEST_F(CaptureEpoch, a_recreated_stream_is_detected_by_its_checkpoint) {
  put_state(claim_at(0, 1, "b"));
  put_state(checkpoint_at(0, 1, 1000, set_of({gtid(10)})));
  const auto states = begin();
  ASSERT_FALSE(states);
  EXPECT_TRUE(states.error().is(Reason::LogTruncated));
}

TEST_F(CaptureEpoch, a_record_of_an_epoch_that_never_started_is_foreign) {
  put_state(claim_at(0, 1, "b"));
  put_start(1);
  put_change(3, 10);
  const auto states = begin();
  ASSERT_FALSE(states);
  EXPECT_TRUE(states.error().is(Reason::ForeignMessage));
}

TEST_F(CaptureEpoch, each_stream_recovers_separately) {
  ASSERT_TRUE(begin(2));
  put_change(1, 10, End::Transaction, 0);
  put_change(1, 12, End::Transaction, 1);
  const auto states = begin(2);
  ASSERT_TRUE(states);
  EXPECT_EQ(states->at(0).published, set_of({gtid(10)}));
  EXPECT_EQ(states->at(1).published, set_of({gtid(12)}));
}

TEST_F(CaptureEpoch, the_dump_starts_at_the_checkpoint_not_at_what_is_published) {
  ASSERT_TRUE(begin());
  put_change(1, 10);
  put_state(checkpoint_at(0, 1, 2, set_of({gtid(10)}), set_of({gtid(4)})));
  put_change(1, 11);
  const auto states = begin();
  ASSERT_TRUE(states);
  EXPECT_EQ(states->at(0).published, set_of({gtid(11)}));
  EXPECT_EQ(states->at(0).dump_from, set_of({gtid(4)}));
}

TEST(DumpPosition, is_the_intersection_of_the_streams_that_are_not_fresh) {
  const std::vector<StreamState> states{
      {0, false, {}, set_of({gtid(5), gtid(2, 1)})}, {0, true, {}, {}}, {0, false, {}, set_of({gtid(3), gtid(9, 1)})}};
  EXPECT_EQ(dump_position(states), set_of({gtid(3), gtid(2, 1)}));
  EXPECT_TRUE(dump_position({{0, true, {}, {}}}).empty());
}

}  // namespace
}  // namespace datasync::protocol
