#pragma once
// Binlog events as MariaDB 10.11 sends them: the common header, the checksum, and the bodies of control events.
// Layouts: https://mariadb.com/kb/en/2-binlog-event-header/ and the page of each event there. All parsed values point
// into the event's bytes; nothing is copied.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agents/base/bytes.hpp"
#include "agents/base/result.hpp"
#include "agents/message/gtid.hpp"

namespace datasync::binlog {

enum class EventType : std::uint8_t {
  Unknown = 0,
  StartV3 = 1,
  Query = 2,
  Stop = 3,
  Rotate = 4,
  IntVar = 5,
  Load = 6,
  Slave = 7,
  CreateFile = 8,
  AppendBlock = 9,
  ExecLoad = 10,
  DeleteFile = 11,
  NewLoad = 12,
  Rand = 13,
  UserVar = 14,
  FormatDescription = 15,
  Xid = 16,
  BeginLoadQuery = 17,
  ExecuteLoadQuery = 18,
  TableMap = 19,
  WriteRowsV1 = 23,
  UpdateRowsV1 = 24,
  DeleteRowsV1 = 25,
  Incident = 26,
  Heartbeat = 27,
  Ignorable = 28,
  RowsQuery = 29,
  WriteRowsV2 = 30,
  UpdateRowsV2 = 31,
  DeleteRowsV2 = 32,
  XaPrepare = 38,
  HeartbeatV2 = 41,
  AnnotateRows = 160,
  BinlogCheckpoint = 161,
  Gtid = 162,
  GtidList = 163,
  StartEncryption = 164,
  QueryCompressed = 165,
  WriteRowsCompressedV1 = 166,
  UpdateRowsCompressedV1 = 167,
  DeleteRowsCompressedV1 = 168,
  WriteRowsCompressedV2 = 169,
  UpdateRowsCompressedV2 = 170,
  DeleteRowsCompressedV2 = 171,
};
/// Returns e.g. "WRITE_ROWS_V1"; "event type 200" for a number that this version does not support.
std::string to_string(EventType type);

/// Header flags.
inline constexpr std::uint16_t kFlagInUse =
    0x1;  ///< the binlog file was not closed yet; the checksum does not cover it
/// The statement used temporary tables of its session. RENAME TABLE does not set it (tested with 10.11).
inline constexpr std::uint16_t kFlagThreadSpecific = 0x4;
inline constexpr std::uint16_t kFlagArtificial = 0x20;  ///< created by the dump thread; the event is not in any file
inline constexpr std::uint16_t kFlagIgnorable = 0x80;   ///< a reader that does not support the type may skip the event

inline constexpr std::size_t kHeaderSize = 19;
inline constexpr std::size_t kChecksumSize = 4;

/// The common header of every event.
struct EventHeader {
  std::uint32_t timestamp = 0;  ///< seconds since 1970 by the source's clock
  EventType type = EventType::Unknown;
  std::uint32_t server_id = 0;
  std::uint32_t size = 0;           ///< includes the header and the checksum
  std::uint32_t next_position = 0;  ///< position in the file; 0 in artificial events; wraps in files above 4 GiB
  std::uint16_t flags = 0;

  [[nodiscard]] bool artificial() const noexcept { return next_position == 0 || (flags & kFlagArtificial) != 0; }
};

/// The position of an event, for messages to users only; never use it to resume reading.
struct Where {
  std::string_view file;
  std::uint64_t position = 0;
  [[nodiscard]] std::string text() const;  ///< "mariadb-bin.000007:1234"
};

/// Parses the header. Errors: BinlogCorrupt when `event` is shorter than a header or its size field is wrong.
base::Result<EventHeader> parse_header(base::Bytes event, std::string_view file);

enum class Checksum : std::uint8_t { None, Crc32 };

/// Returns true when the last four bytes are the CRC32 of the bytes before them (with kFlagInUse cleared).
bool checksum_fits(base::Bytes event) noexcept;

/// The body of FORMAT_DESCRIPTION, which describes the events after it.
struct FormatDescription {
  std::string_view server;    ///< "10.11.19-MariaDB-log"
  std::uint32_t created = 0;  ///< not 0: the server (re)started when it created this file
  Checksum checksum = Checksum::None;
  base::Bytes post_header_lengths;  ///< by event type - 1

  /// Returns the post-header length of an event type; 0 when the server does not list the type.
  [[nodiscard]] std::uint8_t post_header(EventType type) const noexcept;
};
/// Parses a whole `event`, with header and checksum. Errors: BinlogCorrupt, UnsupportedEvent (unknown checksum
/// algorithm, or a binlog version that is not 4).
base::Result<FormatDescription> parse_format_description(base::Bytes event, const Where& where);

// Bodies: `body` is the bytes between header and checksum. Errors: BinlogCorrupt naming the event and `where`.

struct Rotate {
  std::string_view file;
  std::uint64_t position = 0;
};
base::Result<Rotate> parse_rotate(base::Bytes body, const Where& where);

/// An XA transaction id.
struct Xid {
  std::uint32_t format = 0;
  std::string_view gtrid;
  std::string_view bqual;
  /// Returns X'6731',X'6231',7 : the form of XA statements in the binlog.
  [[nodiscard]] std::string text() const;
};

/// The body of GTID: the id and the properties of the transaction or statement that follows.
struct GtidEvent {
  static constexpr std::uint8_t kStandalone = 1, kGroupCommit = 2, kTransactional = 4, kAllowParallel = 8, kWaited = 16,
                                kDdl = 32, kPreparedXa = 64, kCompletedXa = 128;
  static constexpr std::uint8_t kMultiEngine = 1, kStartAlter = 2, kCommitAlter = 4, kRollbackAlter = 8;

  message::Gtid gtid;
  std::uint8_t flags = 0;
  std::uint8_t extra_flags = 0;
  std::uint64_t commit_id = 0;
  std::optional<Xid> xid;  ///< with kPreparedXa or kCompletedXa

  [[nodiscard]] bool standalone() const noexcept { return (flags & kStandalone) != 0; }
  [[nodiscard]] bool ddl() const noexcept { return (flags & kDdl) != 0; }
  [[nodiscard]] bool prepared_xa() const noexcept { return (flags & kPreparedXa) != 0; }
  [[nodiscard]] bool completed_xa() const noexcept { return (flags & kCompletedXa) != 0; }
  [[nodiscard]] bool start_alter() const noexcept { return (extra_flags & kStartAlter) != 0; }
  [[nodiscard]] bool rollback_alter() const noexcept { return (extra_flags & kRollbackAlter) != 0; }
};
base::Result<GtidEvent> parse_gtid(base::Bytes body, const EventHeader& header, const Where& where);
base::Result<message::GtidSet> parse_gtid_list(base::Bytes body, const Where& where);

struct XaPrepare {
  bool one_phase = false;
  Xid xid;
};
base::Result<XaPrepare> parse_xa_prepare(base::Bytes body, const Where& where);

/// The body of QUERY: a statement.
struct QueryEvent {
  std::string_view database;  ///< the session's default database; may be empty
  std::string_view sql;       ///< in the client's character set; compressed when the event is QueryCompressed
  std::uint16_t error =
      0;  ///< not 0: the statement failed on the source with this error after it had done part of its work
  std::uint64_t sql_mode = 0;
  bool sql_mode_known = false;
  std::uint16_t client_collation = 0;  ///< 0 when the event does not contain it
};
base::Result<QueryEvent> parse_query(base::Bytes body, const Where& where);

/// EXECUTE_LOAD_QUERY contains the LOAD DATA statement after 13 more bytes of post-header.
base::Result<QueryEvent> parse_load_query(base::Bytes body, const Where& where);

}  // namespace datasync::binlog
