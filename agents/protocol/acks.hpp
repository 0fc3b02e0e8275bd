#pragma once
// The position moves only from acknowledged work, at the end of a transaction (step 4).

#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "agents/message/gtid.hpp"
#include "agents/protocol/log.hpp"

namespace datasync::protocol {

/// Follows the records of one epoch from hand-over to acknowledgement, for all its streams. Thread-safe: the reader
/// thread announces, the producer's thread acknowledges. Memory grows with what is in flight, not with time.
class AckTracker {
 public:
  /// One per stream: where recovery left it, and the mark of the record before that (empty: not known).
  AckTracker(std::vector<message::GtidSet> published, std::vector<Offset> next_offset,
             const std::vector<std::uint64_t>& last_records = {});

  /// Announces a record of transaction `gtid` about to be produced; returns the token its delivery report must carry.
  /// `end` is that of its header: Transaction makes `gtid` published on that stream once it and everything sent there
  /// before is acknowledged; Abort closes the transaction and publishes nothing. `mark`: see mark_of.
  std::uint64_t sent(std::int32_t stream, message::End end, const message::Gtid& gtid, std::uint64_t mark = 0);
  /// Announces a record that belongs to no transaction (snapshot, watermark, verify).
  std::uint64_t sent_between(std::int32_t stream, std::uint64_t mark = 0);
  /// The transaction is over in the binlog. A stream it put nothing on counts it as published when everything sent on
  /// that stream before is acknowledged.
  void finished(const message::Gtid& gtid);
  /// A delivery report: the record stands at `offset`. A token that is not in flight changes nothing.
  void acknowledged(std::uint64_t token, Offset offset);

  struct Progress {
    Offset next_offset = 0;      ///< one past the newest record of the gapless acknowledged run, outside a transaction
    message::GtidSet published;  ///< what a reader has at next_offset
    std::uint64_t last_record = 0;  ///< mark of the record at next_offset - 1; 0: not known
    std::uint64_t sequence = 0;     ///< grows with every change
  };
  [[nodiscard]] Progress progress(std::int32_t stream) const;
  /// Records announced whose gapless run is not acknowledged yet.
  [[nodiscard]] std::size_t in_flight() const;

 private:
  struct Entry {
    message::Gtid gtid;
    message::End end = message::End::None;
    bool between = false;
    bool done = false;
    Offset offset = -1;
    std::uint64_t mark = 0;
    std::vector<message::Gtid> after;  ///< finished after it and before the next record; at most one per domain
  };
  struct Stream {
    Progress progress;
    std::uint64_t first = 0;  ///< sequence number of the front entry
    bool open = false;        ///< the settled run stands inside a transaction
    std::deque<Entry> entries;
  };
  std::uint64_t announce(std::int32_t stream, Entry entry);
  static void settle(Stream& stream);

  mutable std::mutex mutex_;
  std::vector<Stream> streams_;
};

}  // namespace datasync::protocol
