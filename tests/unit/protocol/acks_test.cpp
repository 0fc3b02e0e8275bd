#include "agents/protocol/acks.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>

#include <gtest/gtest.h>

#include "tests/unit/protocol/records.hpp"

namespace datasync::protocol {
namespace {

using message::End;

TEST(AckTracker, moves_only_at_the_acknowledged_end_of_a_transaction) {
  AckTracker acks({set_of({gtid(9)})}, {100});
  const auto a = acks.sent(0, End::None, gtid(10));
  const auto b = acks.sent(0, End::Transaction, gtid(10));
  acks.finished(gtid(10));
  acks.acknowledged(a, 100);
  EXPECT_EQ(acks.progress(0).next_offset, 100);
  EXPECT_EQ(acks.progress(0).published, set_of({gtid(9)}));
  acks.acknowledged(b, 101);
  EXPECT_EQ(acks.progress(0).next_offset, 102);
  EXPECT_EQ(acks.progress(0).published, set_of({gtid(10)}));
  EXPECT_EQ(acks.in_flight(), 0U);
}

TEST(AckTracker, a_gap_holds_everything_after_it_back) {
  AckTracker acks({{}}, {0});
  const auto first = acks.sent(0, End::Transaction, gtid(1));
  const auto second = acks.sent(0, End::Transaction, gtid(2));
  acks.acknowledged(second, 1);
  EXPECT_TRUE(acks.progress(0).published.empty());
  acks.acknowledged(first, 0);
  EXPECT_EQ(acks.progress(0).published, set_of({gtid(2)}));
  EXPECT_EQ(acks.progress(0).next_offset, 2);
}

TEST(AckTracker, a_stream_without_records_advances_by_finished) {
  AckTracker acks({{}, {}}, {0, 0});
  const auto token = acks.sent(0, End::Transaction, gtid(1));
  acks.finished(gtid(1));
  EXPECT_TRUE(acks.progress(0).published.empty());
  EXPECT_EQ(acks.progress(1).published, set_of({gtid(1)}));
  acks.finished(gtid(2));  // nothing of it was captured
  EXPECT_TRUE(acks.progress(0).published.empty());
  EXPECT_EQ(acks.progress(1).published, set_of({gtid(2)}));
  acks.acknowledged(token, 5);
  EXPECT_EQ(acks.progress(0).published, set_of({gtid(2)}));
  EXPECT_EQ(acks.progress(0).next_offset, 6);
}

TEST(AckTracker, an_aborted_transaction_advances_the_offset_only) {
  AckTracker acks({{}}, {0});
  const auto a = acks.sent(0, End::None, gtid(1));
  const auto b = acks.sent(0, End::Abort, gtid(1));
  acks.acknowledged(a, 0);
  acks.acknowledged(b, 1);
  EXPECT_EQ(acks.progress(0).next_offset, 2);
  EXPECT_TRUE(acks.progress(0).published.empty());
}

TEST(AckTracker, a_record_advances_the_offset_only_between_transactions) {
  AckTracker acks({{}}, {0});
  acks.acknowledged(acks.sent_between(0), 0);
  EXPECT_EQ(acks.progress(0).next_offset, 1);
  acks.acknowledged(acks.sent(0, End::None, gtid(1)), 1);
  acks.acknowledged(acks.sent_between(0), 2);
  EXPECT_EQ(acks.progress(0).next_offset, 1);
  acks.acknowledged(acks.sent(0, End::Transaction, gtid(1)), 3);
  EXPECT_EQ(acks.progress(0).next_offset, 4);
}

// librdkafka counts a repeat that the broker refused as delivered, without an offset.
TEST(AckTracker, an_acknowledgement_without_an_offset_moves_no_offset_back) {
  AckTracker acks({{}}, {100});
  acks.acknowledged(acks.sent(0, End::Transaction, gtid(1)), 104);
  acks.acknowledged(acks.sent(0, End::Transaction, gtid(2)), -1);
  EXPECT_EQ(acks.progress(0).next_offset, 105);
  EXPECT_EQ(acks.progress(0).published, set_of({gtid(2)}));
}

TEST(AckTracker, a_duplicate_or_unknown_report_changes_nothing) {
  AckTracker acks({{}}, {0});
  const auto token = acks.sent(0, End::Transaction, gtid(1));
  acks.acknowledged(token, 0);
  const auto before = acks.progress(0).sequence;
  acks.acknowledged(token, 0);
  acks.acknowledged(token + 1000, 0);
  EXPECT_EQ(acks.progress(0).sequence, before);
}

TEST(AckTracker, the_sequence_grows_with_every_change) {
  AckTracker acks({{}}, {0});
  const auto before = acks.progress(0).sequence;
  acks.finished(gtid(1));
  EXPECT_GT(acks.progress(0).sequence, before);
}

TEST(AckTracker, filtered_transactions_behind_a_stuck_record_take_no_memory) {
  AckTracker acks({{}}, {0});
  const auto stuck = acks.sent(0, End::Transaction, gtid(1));
  for (std::uint64_t i = 2; i <= 100000; ++i) acks.finished(gtid(i, i % 3U == 0 ? 1 : 0));
  EXPECT_EQ(acks.in_flight(), 1U);
  acks.acknowledged(stuck, 0);
  EXPECT_EQ(acks.progress(0).published, set_of({gtid(100000), gtid(99999, 1)}));
}

// A plain second opinion: keeps everything, computes from scratch.
struct Reference {
  struct Event {
    std::int32_t stream;  // -1: finished
    End end;
    message::Gtid gtid;
    bool done;
    Offset offset;
  };
  std::vector<Event> events;

  AckTracker::Progress progress(std::int32_t stream) const {
    AckTracker::Progress out;
    bool open = false;
    for (const auto& e : events) {
      if (e.stream == -1) {
        out.published.add(e.gtid);
      } else if (e.stream == stream) {
        if (!e.done) break;
        open = e.end != End::Transaction;
        if (!open) out.next_offset = e.offset + 1;
        if (!open) out.published.add(e.gtid);
      }
    }
    return out;
  }
};

std::uint64_t seed() {
  const auto* text = std::getenv("DATASYNC_SEED");
  const auto value = text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device{}();
  std::cout << "DATASYNC_SEED=" << value << "\n";
  return value;
}

TEST(AckTracker, agrees_with_a_plain_count_for_any_order_of_acknowledgement) {
  std::mt19937_64 rng(seed());
  const auto pick = [&](std::uint64_t n) { return static_cast<std::size_t>(rng() % n); };
  for (int round = 0; round < 300; ++round) {
    const auto streams = static_cast<std::int32_t>(1 + pick(3));
    AckTracker acks(std::vector<message::GtidSet>(static_cast<std::size_t>(streams)),
                    std::vector<Offset>(static_cast<std::size_t>(streams)));
    Reference reference;
    std::vector<std::pair<std::uint64_t, std::size_t>> waiting;  // token, index of the event
    std::vector<Offset> next(static_cast<std::size_t>(streams));
    const auto acknowledge_one = [&] {
      const auto i = pick(waiting.size());
      auto& event = reference.events[waiting[i].second];
      event.done = true;
      acks.acknowledged(waiting[i].first, event.offset);
      waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
    };
    const auto check = [&] {
      for (std::int32_t s = 0; s < streams; ++s) {
        EXPECT_EQ(acks.progress(s).next_offset, reference.progress(s).next_offset);
        EXPECT_EQ(acks.progress(s).published, reference.progress(s).published);
      }
    };
    for (std::uint64_t t = 1; t <= 20; ++t) {
      const auto g = gtid(t, static_cast<std::uint32_t>(pick(2)));
      for (std::int32_t s = 0; s < streams; ++s) {
        const auto fragments = pick(3);
        for (std::size_t f = 0; f < fragments; ++f) {
          const auto end = f + 1 == fragments ? End::Transaction : End::None;
          waiting.emplace_back(acks.sent(s, end, g), reference.events.size());
          const auto offset = next[static_cast<std::size_t>(s)]++;
          reference.events.push_back({s, end, g, false, offset});
        }
      }
      acks.finished(g);
      reference.events.push_back({-1, End::None, g, true, 0});
      while (!waiting.empty() && pick(2) == 0) acknowledge_one();
      check();
    }
    while (!waiting.empty()) acknowledge_one();
    check();
    EXPECT_EQ(acks.in_flight(), 0U);
  }
}

TEST(AckTracker, the_mark_is_that_of_the_record_before_the_position) {
  AckTracker acks({{}}, {1}, {7});
  EXPECT_EQ(acks.progress(0).last_record, 7U);
  const auto open = acks.sent(0, message::End::None, gtid(1), 20);
  const auto whole = acks.sent(0, message::End::Transaction, gtid(1), 21);
  const auto between = acks.sent_between(0, 22);
  acks.acknowledged(open, 1);
  EXPECT_EQ(acks.progress(0).last_record, 7U);  // inside a transaction the position does not move
  acks.acknowledged(whole, 2);
  EXPECT_EQ(acks.progress(0).next_offset, 3);
  EXPECT_EQ(acks.progress(0).last_record, 21U);
  acks.acknowledged(between, -1);  // a repeat, whose offset is not known
  EXPECT_EQ(acks.progress(0).next_offset, 3);
  EXPECT_EQ(acks.progress(0).last_record, 21U);
}

}  // namespace
}  // namespace datasync::protocol
