#pragma once
// Watches the replica in use, every few seconds over a connection of its own: whether it is still what it was when it
// was taken (settings, filters, its binlog), whether it replicates, its clock, how far it is behind its primary, and
// how long the binlogs that are still needed will stay.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "agents/base/clock.hpp"
#include "agents/base/result.hpp"
#include "agents/capture/replica/replica_set.hpp"
#include "agents/capture/stream/gate.hpp"
#include "agents/capture/stream/pipeline.hpp"

namespace datasync::capture {

struct ReplicaFigures {
  std::optional<double> lag_seconds;        ///< behind its primary; nothing when it has none, or when it is not known
  bool lag_unknown = true;                  ///< it has a primary, and nobody knows how far it is behind
  std::optional<double> binlog_hours_left;  ///< until the binlogs needed now are purged; nothing when never
};

/// Hours until the server purges what is being read: it keeps files for `expire_seconds` after their last change, and
/// the file being read ended (or is still written) so many seconds ago. Nothing when the server never purges.
std::optional<double> hours_left(std::uint64_t expire_seconds, std::uint64_t source_now_s, std::uint64_t read_time_s);

/// What the monitor tells and asks, each from its own thread.
struct MonitorCallbacks {
  std::function<std::uint64_t()> read_time_us;  ///< the source's time of the newest transaction read
  std::function<base::Result<ReplicaSet::Inspection>(source::Server&, const std::string& replica)> inspect;
  /// Another candidate is fit and not late. Takes as long as a preflight.
  std::function<bool(const std::string& replica, std::stop_token)> other_is_better;
  /// The replica must not be read any longer as it is: its dump must end.
  std::function<void(base::Error)> unfit;
  /// What is wrong while the dump may go on: ReplicationStopped, or that the replica cannot be watched. Nothing:
  /// nothing.
  std::function<void(std::optional<base::Error>)> trouble;
};

/// Runs from construction to destruction.
class Monitor {
 public:
  Monitor(const ChunkGate& gate, ConnectTo connect, SourceClock& clock, MonitorCallbacks callbacks);
  [[nodiscard]] ReplicaFigures figures() const;

 private:
  void run(std::stop_token stop);
  base::Result<void> ask(const Origin& origin, std::stop_token stop);
  base::Result<bool> same_server(const Origin& origin);
  void replication(const Origin& origin, const source::ReplicationLag& lag, std::stop_token stop);
  void cannot_ask(const base::Error& error);
  void tell(std::optional<base::Error> trouble);

  const ChunkGate& gate_;
  ConnectTo connect_;
  SourceClock& clock_;
  MonitorCallbacks callbacks_;
  std::unique_ptr<source::Server> server_;
  std::string connected_to_;
  Origin watched_;                 ///< what the counters are about
  unsigned stopped_ = 0;           ///< times in a row that it did not replicate
  unsigned elsewhere_ = 0;         ///< times in a row that its name led to another server
  unsigned unasked_ = 0;           ///< times in a row that it could not be asked
  base::SteadyTime look_again_{};  ///< for a better one
  bool told_ = false;              ///< trouble
  mutable std::mutex mutex_;
  ReplicaFigures figures_;
  std::jthread thread_;  ///< last
};

}  // namespace datasync::capture
