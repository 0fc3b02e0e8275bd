#include "agents/capture/snapshot/snapshot.hpp"

#include <algorithm>

#include "tests/unit/capture/memory_parts.hpp"

namespace datasync::capture {
namespace {

using source::memory::insert;

class SnapshotTest : public MemoryParts {
 protected:
  static protocol::StateView claimed(protocol::StateLog& state) {
    protocol::StateView view;
    base::Backoff backoff(base::Millis(1), base::Millis(1));
    protocol::MemoryStreamLog streams;
    EXPECT_TRUE(protocol::claim_epoch(state, streams, view, "test", 1, backoff, {}));
    return view;
  }
  /// Copies a.t to its end.
  void copy(SnapshotSettings settings = {.parallelism = 1}) {
    SnapshotPlan plan;
    plan.id = "s";
    plan.all = {&selection_.tables()[0]};
    plan.tasks = {{&selection_.tables()[0], "", 0, 0, false}};
    SnapshotRunner runner(
        {selection_, gate_, out_, writer_, keeper_, between_, status_,
         [this](const std::string&) { return source::memory::connect(database_); },
         []() -> base::Result<void> { return {}; }, [](base::Error error) { ADD_FAILURE() << error.what; },
         [this] { complete_ = true; }, [](const base::Error*) {},
         [](const message::TableSchema& schema) { return "a row of " + schema.qualified(); }},
        settings);
    const auto started = runner.start(std::move(plan), {});
    ASSERT_TRUE(started) << started.error().what;
    EXPECT_TRUE(test::eventually([this] { return complete_.load(); }, std::chrono::seconds(30)));
  }
  /// Where an event of the recorder is; its end when it is not there.
  static std::ptrdiff_t index(const std::vector<std::string>& events, std::string_view event) {
    return std::ranges::find(events, event) - events.begin();
  }

  std::vector<protocol::StateRecord> records_;
  protocol::MemoryStateLog state_log_{records_};
  protocol::StateView view_ = claimed(state_log_);
  protocol::AckTracker acks_{{message::GtidSet{}}, {0}};
  KeeperOptions options_{.look_every = base::Millis(3'600'000)};
  StateKeeper keeper_{state_log_,
                      view_,
                      message::Epoch(1),
                      acks_,
                      prepared_,
                      status_,
                      [] { return std::uint64_t{0}; },
                      options_,
                      {[](base::Error error) { ADD_FAILURE() << error.what; }, [] {}, [](auto) {}}};
  std::atomic<bool> complete_ = false;
};

TEST_F(SnapshotTest, puts_all_rows_of_a_table_between_its_begin_and_its_end) {
  for (int i = 1; i <= 25; ++i) database_->commit({insert("a.t", {i, "row"})});
  start();
  copy({.parallelism = 1, .chunk_rows = 10});
  auto events = out_.events();
  std::erase_if(events, [](const auto& e) { return e.find("rows=") != std::string::npos; });
  EXPECT_EQ(events, (std::vector<std::string>{"Begin", "Rows 10", "Rows 10", "Rows 5", "Done", "End"}));
}

TEST_F(SnapshotTest, rows_come_after_the_changes_before_their_place) {
  for (int i = 1; i <= 3; ++i) database_->commit({insert("a.t", {i, "row"})});
  start();
  copy();
  const auto events = out_.events();
  EXPECT_LT(index(events, "0-1-3 tx rows=1"), index(events, "Rows 3")) << fmt::format("{}", fmt::join(events, ", "));
}

// A source that cannot say the exact place of a snapshot says between which two places it is.
TEST_F(SnapshotTest, its_end_waits_for_the_changes_that_its_rows_may_have_already) {
  database_->commit({insert("a.t", {1, "row"})});
  int opened = 0;
  database_->during_snapshot = [&] {
    if (++opened == 1) database_->commit({insert("a.t", {2, "meanwhile"})});
  };
  start();
  copy();
  const auto events = out_.events();
  const auto shown = fmt::format("{}", fmt::join(events, ", "));
  EXPECT_LT(index(events, "Rows 2"), index(events, "0-1-2 tx rows=1")) << shown;
  EXPECT_LT(index(events, "0-1-2 tx rows=1"), index(events, "End")) << shown;
  EXPECT_LT(index(events, "End"), std::ssize(events)) << shown;
}

// Each chunk of a table with rows of 1 MB asked for 10,000 of them, took eight, and read the others to their end: a
// copy of 10 GB read terabytes.
TEST_F(SnapshotTest, wide_rows_are_not_read_in_vain) {
  constexpr std::uint64_t kInChunk = 139;  // of 8 MiB
  for (int i = 1; i <= 500; ++i) database_->commit({insert("a.t", {i, std::string(60'000, 'x')})});
  std::vector<std::uint64_t> limits;
  database_->on_read = [&](const source::KeyRange& range) { limits.push_back(range.limit); };
  start();
  copy({.parallelism = 1, .chunk_rows = 1000});
  ASSERT_GE(limits.size(), 4U);
  EXPECT_EQ(limits[0], 1000U);
  for (std::size_t i = 1; i < limits.size(); ++i) {
    EXPECT_GE(limits[i], kInChunk);
    EXPECT_LE(limits[i], (kInChunk + 1) * 5 / 4 + 1);
  }
}

// The whole table was checked while the dump was held at the place of its last chunk, for as long as that took.
TEST_F(SnapshotTest, keys_of_a_whole_table_are_checked_while_no_place_is_held) {
  selection_ = *Selection::make({config::Type{"things", {"a.t"}, {}, {{"a.t", {"id"}}}}}, 1);
  database_->create_table("a.t", {{"id"}, {"v", true}}, {});
  for (int i = 1; i <= 25; ++i) database_->commit({insert("a.t", {i, "row"})});
  int whole = 0;
  database_->on_key_check = [&](const source::KeyRange& range) {
    if (!range.after_key.empty() || !range.up_to_key.empty()) return;
    ++whole;
    EXPECT_TRUE(reads(database_->commit({insert("a.t", {26, "meanwhile"})})));
  };
  start();
  copy({.parallelism = 1, .chunk_rows = 10});
  EXPECT_EQ(whole, 1);
  auto events = out_.events();
  EXPECT_LT(index(events, "0-1-26 tx rows=1"), index(events, "Rows 6")) << fmt::format("{}", fmt::join(events, ", "));
  EXPECT_LT(index(events, "Rows 6"), index(events, "End"));
}

TEST_F(SnapshotTest, a_row_count_and_checksum_are_taken_at_an_exact_place_only) {
  database_->commit({insert("a.t", {1, "row"})});
  start();
  int opened = 0;
  database_->during_snapshot = [&] {
    if (++opened == 2) database_->commit({insert("a.t", {2, "meanwhile"})});
  };
  copy({.parallelism = 1, .verify = true});
  EXPECT_EQ(opened, 3) << "one for the rows, and one more for the checksum";
}

}  // namespace
}  // namespace datasync::capture
