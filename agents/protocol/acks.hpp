#pragma once
// The position moves only from acknowledged work, at the end of a transaction (step 4).

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <vector>

#include "agents/message/gtid.hpp"
#include "agents/protocol/log.hpp"

namespace datasync::protocol {

/// Follows the fragments of one epoch from hand-over to acknowledgement, for all its streams. Thread-safe: the reader
/// thread announces, the producer's thread acknowledges.
class AckTracker {
 public:
  /// One per stream: where recovery left it.
  AckTracker(std::vector<message::GtidSet> published, std::vector<Offset> next_offset);

  /// Announces a record about to be produced; returns the token its delivery report must carry. `ends` tells that the
  /// record is the last of transaction `gtid` on that stream.
  std::uint64_t sent(std::int32_t stream, bool ends, const message::Gtid& gtid);
  /// The transaction is over in the binlog. A stream it put nothing on counts it as published when everything sent on
  /// that stream before is acknowledged.
  void finished(const message::Gtid& gtid);
  /// A delivery report: the record stands at `offset`.
  void acknowledged(std::uint64_t token, Offset offset);

  struct Progress {
    Offset next_offset = 0;       ///< one past the newest record of the gapless acknowledged run that ends a transaction
    message::GtidSet published;   ///< what a reader has at next_offset
    std::uint64_t sequence = 0;   ///< grows with every change
  };
  [[nodiscard]] Progress progress(std::int32_t stream) const;
  [[nodiscard]] std::size_t in_flight() const;

 private:
  struct Entry {
    std::int32_t stream = -1;  ///< -1: a finished mark
    bool ends = false;
    bool done = false;
    message::Gtid gtid;
    Offset offset = -1;
  };
  void settle();

  mutable std::mutex mutex_;
  std::uint64_t first_token_ = 1;
  std::deque<Entry> entries_;
  std::vector<Progress> streams_;
};

}  // namespace datasync::protocol
