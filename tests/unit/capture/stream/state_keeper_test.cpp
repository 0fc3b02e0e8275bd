#include "agents/capture/stream/state_keeper.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/protocol/memory_log.hpp"
#include "tests/unit/protocol/records.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;
using message::Epoch;
using message::Gtid;

/// A state topic whose rights are taken away and given back.
class GuardedLog final : public protocol::MemoryStateLog {
 public:
  using MemoryStateLog::MemoryStateLog;
  base::Result<protocol::Offset> append(message::Kind kind, const std::string& key, const std::string& value) override {
    if (!may_write) return Error(Reason::PermissionDenied, "appending to topic t.state: not authorized");
    return MemoryStateLog::append(kind, key, value);
  }
  base::Result<std::vector<protocol::StateRecord>> read_to_end(std::stop_token stop) override {
    if (!may_read) return Error(Reason::PermissionDenied, "reading topic t.state: not authorized");
    return MemoryStateLog::read_to_end(std::move(stop));
  }
  std::atomic<bool> may_read = true, may_write = true;
};

class StateKeeperTest : public testing::Test {
 protected:
  StateKeeperTest() {
    records.push_back(protocol::claim_at(0, 1, "a"));
    EXPECT_TRUE(protocol::catch_up(state, view, {}));
    options.look_every = base::Millis(1);
    options.checkpoint_every = base::Millis(3'600'000);
    options.checkpoint_bytes = 1;
    options.now = [this] { return base::SteadyTime(base::Millis(clock_ms)); };
    keeper.emplace(
        state, view, Epoch(1), acks, prepared, status, [this] { return bytes.load(); }, options,
        KeeperCallbacks{[](Error e) { ADD_FAILURE() << e.what; }, [this] { ++polls; },
                        [this](std::optional<Error> e) {
                          reason = e ? static_cast<int>(e->reason) : kNone;
                          ++reported;
                        }});
  }
  /// A whole look that began after this call.
  void wait_for_polls() {
    const auto before = polls.load();
    while (polls < before + 2) std::this_thread::yield();
  }
  void acknowledge(std::uint64_t sequence) {
    const Gtid gtid{0, 1, sequence};
    acks.acknowledged(acks.sent(0, message::End::Transaction, gtid), static_cast<protocol::Offset>(sequence));
    acks.finished(gtid);
    ++bytes;
  }
  static constexpr int kNone = -1;

  std::vector<protocol::StateRecord> records;
  GuardedLog state{records};
  protocol::StateView view;
  protocol::AckTracker acks{{message::GtidSet{}}, {0}};
  PreparedTransactions prepared;
  health::Status status{{"capture", "n/t", "i", ""}};
  KeeperOptions options;
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::int64_t> clock_ms = 1'000'000;
  std::atomic<int> polls = 0, reported = 0, reason = kNone;
  std::optional<StateKeeper> keeper;
};

// While capture stopped at a statement and tried again, its record replaced those that are valid before it, and what
// had become of an excluded column was forgotten.
TEST_F(StateKeeperTest, a_definition_that_is_learnt_again_replaces_no_other_one) {
  message::Definition before{.database = "d", .table = "t"}, after = before;
  before.position = protocol::set_of({{0, 1, 5}});
  before.moved = {{"secret", "tmp"}};
  after.position = protocol::set_of({{0, 1, 6}});
  ASSERT_TRUE(keeper->learn(before, {}));
  for (std::uint64_t i = 0; i < 2 * message::kDefinitionSlots; ++i) ASSERT_TRUE(keeper->learn(after, {}));
  const auto known = keeper->definition("d.t", before.position);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->moved, before.moved);
  after.moved = before.moved;
  ASSERT_TRUE(keeper->learn(after, {}));
  EXPECT_EQ(keeper->definition("d.t", after.position)->moved, before.moved);
}

// A right on the state topic alone that was lost was a line in the log twice a second; the status said Streaming, while
// no checkpoint moved and no newer instance was noticed.
TEST_F(StateKeeperTest, an_unreadable_state_topic_is_reported_until_it_is_readable) {
  state.may_read = false;
  wait_for_polls();
  clock_ms += 9'999;
  wait_for_polls();
  EXPECT_EQ(reported, 0);
  clock_ms += 1;
  wait_for_polls();
  EXPECT_EQ(reason, static_cast<int>(Reason::PermissionDenied));
  state.may_read = true;
  wait_for_polls();
  EXPECT_EQ(reason, kNone);
}

TEST_F(StateKeeperTest, a_checkpoint_that_cannot_be_written_is_reported) {
  state.may_write = false;
  acknowledge(1);
  wait_for_polls();
  clock_ms += 10'000;
  wait_for_polls();
  EXPECT_EQ(reason, static_cast<int>(Reason::PermissionDenied));
  EXPECT_EQ(keeper->checkpoints(), 0U);
  state.may_write = true;
  wait_for_polls();
  EXPECT_EQ(reason, kNone);
  EXPECT_EQ(keeper->checkpoints(), 1U);
}

TEST_F(StateKeeperTest, transient_errors_do_not_add_up) {
  for (int i = 0; i < 3; ++i) {
    state.may_read = false;
    wait_for_polls();
    clock_ms += 9'000;
    state.may_read = true;
    wait_for_polls();
  }
  EXPECT_EQ(reported, 0);
}

}  // namespace
}  // namespace datasync::capture
