#pragma once
// What one stream tells about itself: the figures of /metrics and its part of /status.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "agents/apply/read/assembler.hpp"
#include "agents/apply/write/executor.hpp"
#include "agents/base/clock.hpp"
#include "agents/destination/held_tables.hpp"
#include "agents/destination/ledger.hpp"
#include "agents/health/metrics.hpp"

namespace datasync::apply {

/// The outcome of one verified table.
struct Verified {
  std::string table;
  std::uint64_t source_rows = 0, destination_rows = 0;
  bool equal = false;
};

/// Thread-safe: the stream's thread writes, the HTTP threads read. `metrics` must outlive it.
class StreamReport {
 public:
  StreamReport(health::Metrics& metrics, std::int32_t stream);
  ~StreamReport();
  StreamReport(const StreamReport&) = delete;
  StreamReport& operator=(const StreamReport&) = delete;

  /// A session has taken over the stream.
  void opened(const LedgerState& ledger, std::uint64_t token);
  void committed(const LedgerState& ledger, const BatchTimes& times, std::size_t rows, base::SteadyTime begun);
  /// Counts of a session so far; what grew since the last call is added.
  void counted(const Assembler::Counts& intake, const Executor::Counts& executor);
  void skipped(std::int64_t offset);
  /// A batch is tried again because the destination was busy.
  void retried() { retries_.add(); }
  void verified(const std::string& id, Verified result);
  void verification_done();
  /// Rows of held tables were committed.
  void replayed(std::size_t rows);
  /// The tables that wait now.
  void held(std::vector<HeldTable> tables);
  void forget_session();  ///< a new session counts from zero

  /// The agent's own part of /status as a JSON object: sums over all streams, the largest lag, and each stream.
  [[nodiscard]] static std::string json(const std::string& destination,
                                        const std::vector<const StreamReport*>& streams);

 private:
  struct Parts;
  void add_to(Parts& parts) const;
  /// Age of the newest commit of the source that is stored here, watermarks included; 0 before the first.
  [[nodiscard]] std::int64_t total_lag_ms() const;

  health::Metrics& metrics_;
  std::int32_t stream_;
  health::Counter &rows_, &transactions_, &commits_, &statement_rows_, &other_types_, &lower_epochs_, &discarded_,
      &duplicates_, &overwritten_, &row_by_row_, &skipped_, &retries_;
  health::Histogram &commit_seconds_, &batch_lag_seconds_;
  health::Gauge &next_offset_, &held_tables_;

  mutable std::mutex mutex_;  ///< everything below
  LedgerState ledger_;
  std::uint64_t token_ = 0;
  std::uint64_t snapshot_rows_ = 0;
  BatchTimes times_;
  std::int64_t committed_ms_ = 0;  ///< wall clock, for lag
  Assembler::Counts intake_;       ///< of this session, as last seen
  Executor::Counts executor_;
  std::vector<std::int64_t> skipped_offsets_;
  std::string verify_id_;
  std::vector<Verified> verified_;
  bool verify_done_ = false;
  std::vector<HeldTable> held_;
};

}  // namespace datasync::apply
