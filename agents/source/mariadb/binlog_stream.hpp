#pragma once
// The dump connection: binlog events of a replica from a GTID position on, read in place.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "agents/base/bytes.hpp"
#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/source/mariadb/binlog_place.hpp"

namespace datasync::sql {

struct DumpOptions {
  std::string position;         ///< GTID set text; empty: from the very first transaction (BinlogPurged if gone)
  std::uint32_t server_id = 0;  ///< unique among all replicas and readers of the server
  std::chrono::milliseconds heartbeat{1000};
  std::chrono::milliseconds watchdog{5000};                 ///< silence longer than this is SourceSilent
  std::uint64_t max_event_bytes = std::uint64_t{1} << 30U;  ///< of a wanted event; it is held whole
  /// False: the server also begins in a hole of its binlog (see `in_hole`), at the next transaction that it has.
  bool strict = true;
  /// While the server searches its binlog for the position it sends nothing, neither event nor heartbeat. Asked each
  /// time that it has been silent for a watchdog longer: an error ends the dump. Without it, such silence is
  /// SourceSilent.
  std::function<base::Result<void>(std::uint64_t thread, std::chrono::milliseconds silent)> on_search = {};
};

/// One dump. Not thread-safe, except `abort`. Sets @slave_connect_state, @slave_gtid_strict_mode,
/// @slave_gtid_ignore_duplicates, @mariadb_slave_capability=4, @master_heartbeat_period, @master_binlog_checksum; the
/// annotate flag stays off. Source: https://mariadb.com/kb/en/com_binlog_dump/ and sql_repl.cc.
class BinlogStream {
 public:
  /// Errors: as Connection; BinlogPurged and GtidDiverged when the server refuses the position (these may come from the
  /// first `next` as well).
  static base::Result<std::unique_ptr<BinlogStream>> open(const ConnectOptions& connect, const DumpOptions& dump);
  ~BinlogStream();
  BinlogStream(const BinlogStream&) = delete;
  BinlogStream& operator=(const BinlogStream&) = delete;

  // Told over the dump's own connection just before it began; see binlog_place.hpp.
  [[nodiscard]] const std::string& history() const noexcept;
  [[nodiscard]] const BinlogPlace& end() const noexcept;

  /// An event, header and checksum included, without the leading OK byte.
  struct Event {
    base::Bytes bytes;  ///< valid until the next call
    bool whole = true;  ///< false: only its front, the rest was read and dropped
  };
  /// Asked with the front (at least 200 bytes) of an event of more than 1 MiB: whether it is needed.
  using Wanted = std::function<bool(base::Bytes front)>;
  /// The next event. One that is not wanted is read piece by piece and never held. Errors: SourceSilent,
  /// SourceRestarted (server ended the dump), BinlogPurged, GtidDiverged, DuplicateServerId, BinlogCorrupt,
  /// SourceUnreachable; RowTooLarge for a wanted event above `max_event_bytes`.
  base::Result<Event> next(const Wanted& wanted);
  /// The same when all events are wanted.
  base::Result<base::Bytes> next();

  /// The last error was that the position lies in a hole of this server's binlog, which `strict` refuses.
  [[nodiscard]] bool in_hole() const noexcept;

  /// Makes a blocked `next` return with an error at once. Thread-safe.
  void abort() noexcept;

 private:
  struct Impl;
  explicit BinlogStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace datasync::sql
