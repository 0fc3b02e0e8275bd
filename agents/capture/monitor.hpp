#pragma once
// Asks the replica in use, every few seconds over a connection of its own, for what only it knows: its clock, how far
// it is behind its primary, and how long the binlogs that are still needed will stay.

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
#include "agents/capture/chunk_reader.hpp"
#include "agents/capture/gate.hpp"
#include "agents/capture/pipeline.hpp"

namespace datasync::capture {

struct ReplicaFigures {
  std::optional<double> lag_seconds;        ///< behind its primary; nothing when it is none or may not be asked
  std::optional<double> binlog_hours_left;  ///< until the binlogs needed now are purged; nothing when never
};

/// Hours until the server purges what is being read: it keeps files for `expire_seconds` after their last change, and
/// the file being read ended (or is still written) so many seconds ago. Nothing when the server never purges.
std::optional<double> hours_left(std::uint64_t expire_seconds, std::uint64_t source_now_s, std::uint64_t read_time_s);

/// Runs from construction to destruction.
class Monitor {
 public:
  /// `read_time_us`: the source's time of the newest transaction read.
  Monitor(const ChunkGate& gate, ConnectTo connect, SourceClock& clock, std::function<std::uint64_t()> read_time_us);
  [[nodiscard]] ReplicaFigures figures() const;

 private:
  void run(std::stop_token stop);
  base::Result<void> ask(const std::string& replica);

  const ChunkGate& gate_;
  ConnectTo connect_;
  SourceClock& clock_;
  std::function<std::uint64_t()> read_time_us_;
  std::unique_ptr<sql::Connection> connection_;
  std::string connected_to_;
  mutable std::mutex mutex_;
  ReplicaFigures figures_;
  std::jthread thread_;  ///< last
};

}  // namespace datasync::capture
