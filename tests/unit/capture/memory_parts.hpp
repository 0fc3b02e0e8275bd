#pragma once
// Parts of the capture agent with a source in memory, and everything that goes to the streams written down.

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "agents/capture/snapshot/snapshot.hpp"
#include "agents/capture/stream/pipeline.hpp"
#include "agents/protocol/capture_epoch.hpp"
#include "agents/source/memory/memory.hpp"
#include "tests/support/eventually.hpp"
#include "tests/unit/capture/nothing_kept.hpp"
#include "tests/unit/protocol/memory_log.hpp"

namespace datasync::capture {

/// Records what goes to the streams, in its order: "0-1-5 tx rows=2", "Begin", "Rows 3", "End".
class StreamRecorder final : public Output {
 public:
  base::Result<void> change(std::int32_t, message::Headers headers, base::Buffer value,
                            const message::Gtid& gtid) override {
    if (headers.kind == message::Kind::Schema) {
      put(fmt::format("{} note", gtid.text()));
      return {};
    }
    std::size_t rows = 0;
    const auto change = *message::decode<message::Change>(value.bytes());
    for (const auto& t : change.tables) rows += t.count;
    put(fmt::format("{} {} rows={}", gtid.text(), message::to_string(headers.end), rows));
    return {};
  }
  base::Result<void> between(std::int32_t, message::Headers headers, const std::string& value, OnAcked) override {
    if (headers.kind != message::Kind::Snapshot) return {};
    const auto record = *message::decode<message::Snapshot>(base::as_bytes(value));
    using Phase = message::Snapshot::Phase;
    std::size_t rows = 0;
    for (const auto& t : record.rows) rows += t.count;
    put(record.phase == Phase::Begin       ? "Begin"
        : record.phase == Phase::Rows      ? fmt::format("Rows {}", rows)
        : record.phase == Phase::TableDone ? "Done"
                                           : "End");
    return {};
  }
  void finished(const message::Gtid&) override {}

  [[nodiscard]] std::vector<std::string> events() const {
    const std::scoped_lock lock(mutex_);
    return events_;
  }

 private:
  void put(std::string event) {
    const std::scoped_lock lock(mutex_);
    events_.push_back(std::move(event));
  }
  mutable std::mutex mutex_;
  std::vector<std::string> events_;
};

class MemoryParts : public testing::Test {
 protected:
  MemoryParts() { database_->create_table("a.t", {{"id"}, {"v", true}}); }
  ~MemoryParts() override { stop(); }

  /// Reads the changes after the position, on a thread of its own, until `stop`.
  void start() {
    source::StreamOptions options;
    options.position = writer_.position();
    options.heartbeat = base::Millis(1);
    for (const auto& gtid : database_->before_start) options.before_start.push_back(gtid.text());
    stream_ = source::memory::open_stream(database_, options).value();
    gate_.connected("here", stream_->history(), stream_->end());
    catalog_.emplace(
        selection_, source::Rules{}, [this] { return source::memory::connect(database_); },
        [](const message::TableSchema&) { return base::Result<void>(); },
        nothing_kept([this] { return writer_.position(); }));
    pipeline_.emplace(parts(), *catalog_, stop_.get_token());
    dump_ = std::jthread([this] {
      const auto ended = pipeline_->run(*stream_);
      ended_ = ended.error();
    });
  }
  /// The error with which reading ended.
  base::Error stop() {
    stop_.request_stop();
    if (dump_.joinable()) dump_.join();
    return ended_.value_or(base::Error(base::Reason::Internal, "not started"));
  }
  /// Waits until everything up to the transaction was read.
  [[nodiscard]] bool reads(const message::Gtid& gtid) {
    return test::eventually([&] { return writer_.position().contains(gtid); }, std::chrono::seconds(30));
  }
  /// Waits until reading ended by itself.
  base::Error fails() {
    if (dump_.joinable()) dump_.join();
    return ended_.value_or(base::Error(base::Reason::Internal, "not started"));
  }

  PipelineParts parts() {
    return {selection_,
            writer_,
            prepared_,
            gate_,
            clock_,
            status_,
            freshness_,
            between_,
            [] {},
            [] {},
            [this](const Outdated& table, const std::string&) -> base::Result<void> {
              reported_.push_back(table.table + (table.rows_missed ? " is emptied" : " is copied"));
              return {};
            },
            [] { return base::Result<void>(); },
            [](const auto&, const auto&) { return false; },
            [this](const message::Gtid& gtid) { return accepted_.contains(gtid.text()); },
            [this](const std::string& gtid, const std::string&, const Passed& passed) -> base::Result<bool> {
              reported_.push_back(
                  gtid + " passed: " + (passed.all ? "everything" : fmt::format("{}", fmt::join(passed.tables, ","))));
              return true;
            },
            [](const std::string&, const std::string&, const Passed&) { return base::Result<void>(); },
            [](const std::string&) { return std::optional<Passed>(); },
            due_};
  }

  const std::shared_ptr<source::memory::Database> database_ = std::make_shared<source::memory::Database>("server 1");
  Selection selection_ = *Selection::make({config::Type{"things", {"a.t"}, {}, {}}}, 1);
  StreamRecorder out_;
  StreamWriter writer_{out_, {message::GtidSet{}}, {}, {}, [](message::SchemaId) { return std::string("the row"); }};
  PreparedTransactions prepared_;
  ChunkGate gate_;
  SourceClock clock_;
  health::Status status_{{"capture", "test", "test", ""}};
  Freshness freshness_;
  std::mutex between_;
  DueDefinitions due_;
  std::set<std::string> accepted_;
  std::vector<std::string> reported_;
  std::unique_ptr<source::ChangeStream> stream_;
  std::optional<Catalog> catalog_;
  std::optional<Pipeline> pipeline_;
  std::stop_source stop_;
  std::optional<base::Error> ended_;
  std::jthread dump_;
};

}  // namespace datasync::capture
