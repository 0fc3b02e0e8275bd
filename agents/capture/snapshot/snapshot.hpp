#pragma once
// Puts the rows that exist on the streams while changes go on, and verifies at the end of a mode Once run.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/capture/plan/snapshot_plan.hpp"
#include "agents/capture/snapshot/chunk_reader.hpp"
#include "agents/capture/snapshot/read_retry.hpp"
#include "agents/capture/stream/gate.hpp"
#include "agents/capture/stream/output.hpp"
#include "agents/capture/stream/state_keeper.hpp"
#include "agents/capture/stream/writer.hpp"
#include "agents/health/status.hpp"

namespace datasync::capture {

struct SnapshotParts {
  const Selection& selection;
  ChunkGate& gate;
  Output& output;
  StreamWriter& writer;
  StateKeeper& keeper;
  std::mutex& between;  ///< held while the records of one chunk go out
  health::Status& status;
  ConnectTo connect;
  std::function<base::Result<void>()> flush;    ///< waits until everything produced is acknowledged
  std::function<void(base::Error)> on_failure;  ///< called once at most: the work cannot go on without a person
  std::function<void()> on_complete;            ///< snapshot (and verification) done and acknowledged
  OnTrouble on_trouble;                         ///< from any worker
  std::function<std::string(const message::TableSchema&)> name_row;  ///< see source::Engine
};

struct SnapshotSettings {
  std::uint32_t parallelism = 2;
  std::uint64_t chunk_rows = 10000;
  std::uint64_t record_bytes = 256ULL << 10U;
  std::uint64_t max_record_bytes = 1'000'000;
  bool verify = false;  ///< mode Once: verify records after the snapshot
};

struct SnapshotFigures {
  std::string id;
  bool running = false;
  bool complete = false;
  std::uint64_t rows = 0, rows_estimate = 0;
  std::map<std::string, bool> tables;  ///< by name: done
  double rows_per_second = 0;
};

/// Works on threads of its own from `start` to destruction.
class SnapshotRunner {
 public:
  SnapshotRunner(SnapshotParts parts, SnapshotSettings settings);
  ~SnapshotRunner();
  SnapshotRunner(const SnapshotRunner&) = delete;
  SnapshotRunner& operator=(const SnapshotRunner&) = delete;

  /// Puts Begin on all streams and starts the workers. Call between transactions, on
  /// the dump thread. Without a plan only the verification, if set, is done.
  base::Result<void> start(std::optional<SnapshotPlan> plan, std::stop_token stop);

  [[nodiscard]] SnapshotFigures figures() const;
  /// The table will be copied from its beginning, and nothing of it is on a stream yet. On the dump thread, which waits
  /// while rows go out.
  [[nodiscard]] bool has_before_it(const std::string& table) const;
  /// Tables that the server did not have when they were to be copied, once all others are copied.
  [[nodiscard]] std::set<std::string> left_out() const;

 private:
  base::Result<void> begin(std::stop_token stop);
  void work(std::stop_token stop);
  base::Result<void> copy(SnapshotTask task, ChunkReader& reader, std::stop_token stop);
  enum class Step : std::uint8_t { More, Done, InDoubt };  ///< what comes after a chunk
  base::Result<Step> one_chunk(SnapshotTask& task, ChunkReader& reader, std::stop_token stop);
  base::Result<void> learn(const TableChoice& table, const Chunk& chunk, std::stop_token stop);
  [[nodiscard]] message::Snapshot rows_record() const;
  [[nodiscard]] std::size_t frame_bytes() const;
  [[nodiscard]] base::Result<void> check_size(const Chunk& chunk) const;
  [[nodiscard]] base::Result<void> check_moved(const TableChoice& table, const Chunk& chunk) const;
  [[nodiscard]] bool was_there(const TableChoice& table) const;
  void leave_out(const TableChoice& table);
  base::Result<void> emit(const SnapshotTask& task, Chunk& chunk, bool first);
  base::Result<void> emit_fragment(const TableChoice& table, message::Snapshot record, message::End end,
                                   Output::OnAcked on_acked);
  void newer_than_place(const message::GtidSet& until);
  base::Result<void> wait_for_changes(std::stop_token stop);
  base::Result<void> end(std::stop_token stop);
  base::Result<void> verify(std::stop_token stop);
  base::Result<Step> verify_table(const TableChoice& table, bool last, ChunkReader& reader, std::stop_token stop);
  base::Result<void> to_all_streams(message::Snapshot::Phase phase);
  [[nodiscard]] message::SnapshotProgress progress_of(const TableChoice& table) const;
  void fail(base::Error error);

  SnapshotParts parts_;
  SnapshotSettings settings_;
  SnapshotPlan plan_;
  mutable std::mutex mutex_;  ///< everything down to threads_
  std::deque<SnapshotTask> queue_;
  std::size_t unfinished_ = 0;
  std::set<std::string> before_them_;  ///< tables of which nothing is on a stream yet
  std::set<std::string> missing_;      ///< tables that the server does not have
  std::map<std::string, std::uint64_t> estimates_;
  message::GtidSet until_;  ///< rows that were read may have changes up to here
  SnapshotFigures figures_;
  std::uint64_t rows_at_start_ = 0;
  base::SteadyTime started_;
  bool failed_ = false;
  std::vector<std::jthread> threads_;  ///< last: end before what they use
};

}  // namespace datasync::capture
