#pragma once
// The thread that keeps the state topic: notices a newer instance, writes checkpoints and snapshot progress.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string_view>
#include <thread>
#include <vector>

#include "agents/base/clock.hpp"
#include "agents/base/result.hpp"
#include "agents/capture/plan/snapshot_plan.hpp"
#include "agents/capture/stream/xa.hpp"
#include "agents/health/status.hpp"
#include "agents/protocol/acks.hpp"
#include "agents/protocol/state_writer.hpp"

namespace datasync::capture {

struct KeeperOptions {
  std::int32_t streams = 1;
  base::Millis look_every{500};
  base::Millis checkpoint_every{2000};
  std::uint64_t checkpoint_bytes = 64ULL << 20U;
  /// Everything of former epochs has left the streams; asked on the keeper's thread every `tidy_every`. May be empty.
  std::function<bool()> former_are_gone = {};
  base::Millis tidy_every{600'000};
  base::Millis patience{10'000};  ///< a state topic that cannot be kept for so long is told of
  std::function<base::SteadyTime()> now = base::steady_now;
};

/// What the keeper tells, each from its own thread.
struct KeeperCallbacks {
  std::function<void(base::Error)> failure;  ///< once: the epoch is over, or the state topic cannot be understood
  std::function<void()> look;                ///< at every look at the state topic
  /// At every look that fails after the keeper's patience: why; once when the state topic is kept again: nothing. The
  /// data goes on meanwhile, but no newer instance is noticed and no checkpoint moves.
  std::function<void(std::optional<base::Error>)> trouble;
};

/// Runs from construction to destruction. Thread-safe.
class StateKeeper {
 public:
  /// `view` is what `state` was read into so far. `bytes` tells how much was produced so far.
  StateKeeper(protocol::StateLog& state, protocol::StateView view, message::Epoch epoch, protocol::AckTracker& acks,
              PreparedTransactions& prepared, health::Status& status, std::function<std::uint64_t()> bytes,
              KeeperOptions options, KeeperCallbacks callbacks);
  ~StateKeeper();
  StateKeeper(const StateKeeper&) = delete;
  StateKeeper& operator=(const StateKeeper&) = delete;

  /// Puts a schema on the state topic and waits for it; those that are there are not written again.
  /// Errors: those of StateWriter.
  base::Result<void> schema(const message::TableSchema& schema, std::stop_token stop);
  /// Hands over progress of work that is acknowledged on its stream; written soon.
  void progress(message::SnapshotProgress progress);
  /// Writes one progress now. Errors: those of StateWriter.
  base::Result<void> write_progress(const message::SnapshotProgress& progress, std::stop_token stop);
  /// Brings the state topic's account of snapshots in line (see `revise`) and returns what it says then. Progress that
  /// is waiting to be written may be lost by it: what it is about is copied again. Errors: those of StateWriter.
  base::Result<KnownSnapshot> revise(const Selection& selection, const std::vector<Outdated>& outdated,
                                     std::stop_token stop);
  /// Requests that nobody has served, as the state topic was last read; a look at every `look_every`.
  [[nodiscard]] std::vector<message::Request> requests();
  /// Whether there is one; without waiting for a reading that is under way.
  [[nodiscard]] bool has_requests() const noexcept { return has_requests_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool is_served(const std::string& request);
  /// Answers a request; its tables must be due already (`revise`). Errors: those of StateWriter.
  base::Result<void> served(const message::Request& request, std::stop_token stop);
  /// Writes a checkpoint of every stream on which something was acknowledged since the last. Errors: those of
  /// StateWriter.
  base::Result<void> write_checkpoints(std::stop_token stop);
  /// More than one schema of this table was published: which one readers were given last is not known.
  [[nodiscard]] bool had_several_schemas(const TableChoice& table);
  /// A schema of this table that was published once has a column of this name.
  [[nodiscard]] bool had_column(const TableChoice& table, std::string_view column);
  /// What is known of a table at a place: the newest definition that is valid there, if any is known.
  [[nodiscard]] std::optional<message::Definition> definition(const std::string& table, const message::GtidSet& place);
  /// Keeps a definition for those who begin after it. Errors: those of StateWriter.
  base::Result<void> learn(const message::Definition& definition, std::stop_token stop);
  /// How many definitions were kept; without waiting for brokers.
  [[nodiscard]] std::uint64_t learnt() const noexcept { return learnt_.load(std::memory_order_acquire); }
  /// A schema that readers were given for this table: the one with the most of these columns, if any has one.
  [[nodiscard]] std::optional<message::TableSchema> published(const TableChoice& table,
                                                              const std::vector<std::string>& columns);
  /// Writes everything that is waiting and a last checkpoint, as far as that works; call it when the epoch ends in
  /// peace.
  void finish();

  /// Offset and set up to which each stream is acknowledged and kept.
  [[nodiscard]] std::uint64_t checkpoints() const noexcept { return checkpoints_.load(std::memory_order_relaxed); }

 private:
  void run(std::stop_token stop);
  base::Result<void> look(std::stop_token stop);
  void tell_trouble(base::Error error);
  void kept_again();
  base::Result<void> write_waiting(std::stop_token stop);
  bool checkpoint_due();
  void tidy(std::stop_token stop);
  void tidy_schemas(std::stop_token stop);
  base::Result<bool> remove_old_schemas(std::stop_token stop);
  base::Result<void> learn_schemas(std::stop_token stop);

  protocol::StateView view_;
  protocol::AckTracker& acks_;
  PreparedTransactions& prepared_;
  health::Status& status_;
  std::function<std::uint64_t()> bytes_;
  KeeperOptions options_;
  KeeperCallbacks callbacks_;

  std::mutex state_mutex_;  ///< writer_, view_; held while brokers are asked
  protocol::StateWriter writer_;
  /// For the dump thread, which must not wait for brokers because of a schema that is on the topic.
  std::mutex known_mutex_;
  std::map<message::SchemaId, message::TableSchema> known_;  ///< also those that were removed
  std::set<message::SchemaId> on_topic_;
  std::set<message::SchemaId> used_;  ///< in this epoch
  std::mutex waiting_mutex_;
  std::vector<message::SnapshotProgress> waiting_;
  std::mutex checkpoint_mutex_;         ///< written_ to checkpoint_owed_ and written_at_; taken before state_mutex_
  std::vector<std::uint64_t> written_;  ///< per stream the AckTracker sequence of the last checkpoint
  std::vector<std::uint64_t> seen_;     ///< per stream the sequence at the last look
  std::uint64_t written_bytes_ = 0;
  bool checkpoint_owed_ = false;                   ///< the last one failed: it is written at the next look
  std::optional<base::SteadyTime> failing_since_;  ///< keeper's thread
  bool trouble_told_ = false;
  bool tidied_ = false;            ///< keeper's thread
  base::SteadyTime tidy_schemas_;  ///< then; keeper's thread
  base::SteadyTime written_at_;
  std::atomic<std::uint64_t> checkpoints_ = 0;
  std::atomic<bool> has_requests_ = false;
  std::atomic<std::uint64_t> learnt_ = 0;
  std::jthread thread_;  ///< last: ends before what it uses
};

}  // namespace datasync::capture
