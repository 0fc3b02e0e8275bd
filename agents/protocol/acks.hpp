#pragma once
// The published position advances only after acknowledgement, at the end of a transaction (docs/architecture.md,
// "Acknowledge").

#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "agents/message/gtid.hpp"
#include "agents/protocol/log.hpp"

namespace datasync::protocol {

/// Tracks the records of one epoch on all its streams from production to acknowledgement. Thread-safe: the reader
/// thread announces, the producer's thread acknowledges. Memory use depends on the records in flight, not on time.
class AckTracker {
 public:
  /// One entry per stream: the position that recovery determined, and the mark of the record before it (empty: not
  /// known).
  AckTracker(std::vector<message::GtidSet> published, std::vector<Offset> next_offset,
             const std::vector<std::uint64_t>& last_records = {});

  /// Announces a record of transaction `gtid` that is about to be produced; returns the token that its delivery report
  /// must contain. `end` is the one in its header: with Transaction, `gtid` is published on that stream once this
  /// record and all earlier ones on the stream are acknowledged; Abort closes the transaction and publishes nothing.
  /// `mark`: see mark_of.
  std::uint64_t sent(std::int32_t stream, message::End end, const message::Gtid& gtid, std::uint64_t mark = 0);
  /// Announces a record that belongs to no transaction (snapshot, watermark, verify).
  std::uint64_t sent_between(std::int32_t stream, std::uint64_t mark = 0);
  /// The transaction has ended in the binlog. A stream without records of this transaction counts it as published when
  /// all earlier records on that stream are acknowledged.
  void finished(const message::Gtid& gtid);
  /// Reports that the record was stored at `offset`. A token that is not in flight has no effect.
  void acknowledged(std::uint64_t token, Offset offset);

  /// How far a stream is acknowledged.
  struct Progress {
    Offset next_offset =
        0;  ///< one past the newest record that is acknowledged without a gap and is not inside a transaction
    message::GtidSet published;     ///< what a reader has applied at next_offset
    std::uint64_t last_record = 0;  ///< mark of the record at next_offset - 1; 0: not known
    std::uint64_t sequence = 0;     ///< increases with every change
  };
  [[nodiscard]] Progress progress(std::int32_t stream) const;
  /// Returns how many announced records are not acknowledged without a gap yet.
  [[nodiscard]] std::size_t in_flight() const;

 private:
  struct Entry {
    message::Gtid gtid;
    message::End end = message::End::None;
    bool between = false;
    bool done = false;
    Offset offset = -1;
    std::uint64_t mark = 0;
    std::vector<message::Gtid>
        after;  ///< transactions that ended after it and before the next record; at most one per domain
  };
  struct Stream {
    Progress progress;
    std::uint64_t first = 0;  ///< sequence number of the front entry
    bool open = false;        ///< the acknowledged records end inside a transaction
    std::deque<Entry> entries;
  };
  std::uint64_t announce(std::int32_t stream, Entry entry);
  static void settle(Stream& stream);

  mutable std::mutex mutex_;
  std::vector<Stream> streams_;
};

}  // namespace datasync::protocol
