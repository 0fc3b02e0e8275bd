#include <atomic>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "agents/capture/stream/state_keeper.hpp"
#include "tests/support/eventually.hpp"
#include "tests/unit/protocol/memory_log.hpp"
#include "tests/unit/protocol/records.hpp"

namespace datasync::capture {
namespace {

using message::Epoch;

/// A state topic that runs a hook once, on the keeper's thread.
class HookedLog final : public protocol::MemoryStateLog {
 public:
  using MemoryStateLog::MemoryStateLog;
  base::Result<std::vector<protocol::StateRecord>> read_to_end(std::stop_token stop) override {
    if (armed && !in_remove) hook(armed);
    return MemoryStateLog::read_to_end(std::move(stop));
  }
  base::Result<protocol::Offset> remove(message::Kind kind, const std::string& key) override {
    if (armed && in_remove) hook(armed);
    auto done = MemoryStateLog::remove(kind, key);
    ++removed;
    return done;
  }
  std::function<void(std::atomic<bool>&)> hook;
  std::atomic<bool> armed = false;
  bool in_remove = false;
  std::atomic<int> removed = 0;
};

class KeptSchemas : public testing::Test {
 protected:
  KeptSchemas() {
    second.columns.push_back({.name = "a"});
    records.push_back(protocol::claim_at(0, 1, "a"));
    for (const auto& schema : {first, second})
      records.push_back({static_cast<protocol::Offset>(records.size()), message::Kind::SchemaBody,
                         message::schema_key(schema.id()), message::serialize(schema)});
    EXPECT_TRUE(protocol::catch_up(state, view, {}));
  }
  /// Old schemas are removed as soon as `tidies` is set.
  void start() {
    KeeperOptions options;
    options.look_every = base::Millis(1);
    options.checkpoint_every = base::Millis(3'600'000);
    options.tidy_every = base::Millis(0);
    options.former_are_gone = [this] {
      if (tidies) on_tidy();
      return tidies.load();
    };
    keeper.emplace(
        state, view, Epoch(1), acks, prepared, status, [] { return std::uint64_t{0}; }, options,
        KeeperCallbacks{[](const base::Error& e) { ADD_FAILURE() << e.what; }, [this] { ++looks; },
                        [](const std::optional<base::Error>&) {}});
  }
  /// A whole look that began after this call.
  void wait_for_look() {
    const auto before = looks.load();
    ASSERT_TRUE(test::eventually([&] { return looks >= before + 2; }, std::chrono::seconds(30)));
  }
  /// A reader that begins when the topic was compacted finds the schema.
  bool readers_find(const message::TableSchema& schema) {
    protocol::StateView fresh;
    for (const auto& record : records) EXPECT_TRUE(fresh.see(record));
    return fresh.on_topic(schema.id());
  }

  const message::TableSchema first{"shop", "orders", {{.name = "id"}}, {0}};
  message::TableSchema second = first;
  std::vector<protocol::StateRecord> records;
  HookedLog state{records};
  protocol::StateView view;
  protocol::AckTracker acks{{message::GtidSet{}}, {0}};
  PreparedTransactions prepared;
  health::Status status{{"capture", "n/t", "i", ""}};
  std::atomic<bool> tidies = false;
  std::function<void()> on_tidy = [] {};  ///< before old schemas are chosen
  std::atomic<int> looks = 0;
  std::optional<StateKeeper> keeper;
};

TEST_F(KeptSchemas, one_that_was_removed_is_written_before_rows_of_it) {
  start();
  ASSERT_TRUE(keeper->schema(second, {}));
  tidies = true;
  ASSERT_TRUE(test::eventually([&] { return state.removed == 1; }, std::chrono::seconds(30)));
  ASSERT_TRUE(keeper->schema(first, {}));
  keeper.reset();
  EXPECT_TRUE(readers_find(first));
  EXPECT_TRUE(readers_find(second));
}

// The list of used schemas was copied first: one that was used a moment later was removed with rows of it on a stream.
TEST_F(KeptSchemas, one_that_is_used_while_old_ones_are_chosen_stays) {
  start();
  ASSERT_TRUE(keeper->schema(second, {}));
  std::atomic<bool> used = false;
  state.hook = [&](std::atomic<bool>& armed) {
    armed = false;
    EXPECT_TRUE(keeper->schema(first, {}));
    used = true;
  };
  on_tidy = [&] { state.armed = !used; };
  tidies = true;
  ASSERT_TRUE(test::eventually([&] { return used.load(); }, std::chrono::seconds(30)));
  wait_for_look();
  keeper.reset();
  EXPECT_TRUE(readers_find(first));
}

TEST_F(KeptSchemas, one_that_is_used_while_it_is_removed_is_written_again) {
  start();
  ASSERT_TRUE(keeper->schema(second, {}));
  std::jthread dump;
  std::atomic<bool> used = false;
  state.in_remove = true;
  state.hook = [&](std::atomic<bool>& armed) {
    armed = false;
    dump = std::jthread([&] {
      EXPECT_TRUE(keeper->schema(first, {}));
      used = true;
    });
  };
  state.armed = true;
  tidies = true;
  ASSERT_TRUE(test::eventually([&] { return used.load(); }, std::chrono::seconds(30)));
  dump.join();
  keeper.reset();
  EXPECT_TRUE(readers_find(first));
}

// An instance of an earlier epoch that does not know yet that it is replaced removes what this one uses.
TEST_F(KeptSchemas, one_that_another_instance_removed_is_written_again) {
  start();
  ASSERT_TRUE(keeper->schema(first, {}));
  state.hook = [this](std::atomic<bool>& armed) {
    armed = false;
    ASSERT_TRUE(state.remove(message::Kind::SchemaBody, message::schema_key(first.id())));
  };
  state.armed = true;
  ASSERT_TRUE(test::eventually([&] { return !state.armed; }, std::chrono::seconds(30)));
  wait_for_look();
  keeper.reset();
  EXPECT_EQ(state.removed, 1);
  EXPECT_TRUE(readers_find(first));
}

}  // namespace
}  // namespace datasync::capture
