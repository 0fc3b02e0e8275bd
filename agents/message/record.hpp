#pragma once
// A record on a stream or on the state topic: the content of its Kafka headers and of its value.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/base/named.hpp"
#include "agents/base/result.hpp"
#include "agents/message/gtid.hpp"
#include "agents/message/schema.hpp"

namespace datasync::message {

using Epoch = base::Named<std::uint64_t, struct EpochTag>;

/// The header "kind", as text.
enum class Kind : std::uint8_t {
  Change,      ///< "change": rows of a source transaction
  Schema,      ///< "schema": a captured table was dropped or renamed at this point
  Snapshot,    ///< "snapshot": begin, rows of a chunk, end
  Watermark,   ///< "watermark": all changes up to a GTID set are before this record
  Start,       ///< "start": a new epoch begins
  Verify,      ///< "verify": the checksum of a table at this point
  Claim,       ///< state topic: an instance claims an epoch
  Checkpoint,  ///< state topic "ckpt"
  SchemaBody,  ///< state topic "schema-body": a schema by its id
  Progress,    ///< state topic "progress": the progress of a snapshot
  Request,     ///< state topic "request": a reader requests tables to be copied again, or capture answers
  Definition,  ///< state topic "definition": a table's definition from a position on, see definition.hpp
};
std::string_view to_string(Kind kind) noexcept;
std::optional<Kind> parse_kind(std::string_view text) noexcept;

/// What a record ends; readable without the record's value (header "end"). Several records form a group, several groups
/// form a transaction. Rows within a group may be in records of several types; `TableRows::order` gives their order.
enum class End : std::uint8_t {
  None,         ///< header absent: the group continues
  Group,        ///< "group": the group is complete, the transaction continues
  Transaction,  ///< "tx": the transaction is complete
  Abort,        ///< "abort": the transaction is aborted; readers discard its earlier records
};
std::string_view to_string(End end) noexcept;
std::optional<End> parse_end(std::string_view text) noexcept;  ///< of a header that is present

/// The fields by which a reader skips a record without reading its value. One Kafka header each: kind, type, epoch
/// (decimal), end.
struct Headers {
  Kind kind = Kind::Change;
  std::string type;  ///< empty when the record is for every type
  Epoch epoch;
  End end = End::None;
  bool operator==(const Headers&) const = default;
};

/// Rows of one table in a record.
struct TableRows {
  SchemaId schema;
  std::uint32_t order = 0;      ///< position among all TableRows of the same transaction on this stream
  std::uint32_t count = 0;      ///< rows in `rows`
  std::uint32_t statement = 0;  ///< reserved
  std::string rows;             ///< the compact layout, see row.hpp
};

/// kind=change: rows of a source transaction. Rows of a snapshot are in Snapshot.
struct Change {
  Gtid gtid;
  std::uint64_t commit_time_us = 0;  ///< the source's clock, microseconds since 1970; used only for lag
  std::uint32_t fragment = 0;        ///< 0, 1, 2, ... within the transaction on this stream
  bool last = false;                 ///< the last fragment, same as header end=tx
  std::vector<TableRows> tables;
};

/// kind=schema: from this record on, the table no longer exists.
struct SchemaNote {
  enum class What : std::uint8_t { Dropped = 1, Renamed = 2 };
  Gtid gtid;
  std::string database, table;
  What what = What::Dropped;
  std::string statement;   ///< the source's statement, truncated to 1 KiB, for users
  std::string renamed_to;  ///< Renamed: the new qualified name; empty when it is not known
};

/// kind=snapshot. Begin: from here to End, rows of `tables` (qualified source names) may already exist or be missing at
/// a reader, see docs/messages.md. Rows: a chunk that is exact at `position`: every transaction in `position` is before
/// this record on the stream, no other one is. TableDone: the table is complete.
struct Snapshot {
  enum class Phase : std::uint8_t { Begin = 1, Rows = 2, TableDone = 3, End = 4 };
  std::string id;  ///< one per snapshot
  Phase phase = Phase::Rows;
  GtidSet position;
  std::vector<std::string> tables;  ///< Begin: all tables; TableDone: that table
  std::uint32_t fragment = 0;
  bool last = false;  ///< Rows: last fragment of the chunk
  std::vector<TableRows> rows;
};

/// kind=watermark: a position that the stream has reached.
struct Watermark {
  GtidSet position;                  ///< all its transactions that concern this stream are before this record
  std::uint64_t source_time_us = 0;  ///< the source's clock at that position
};

/// kind=start: a new epoch begins on this stream.
struct Start {
  Epoch epoch;
  std::string instance;
};

/// kind=verify: rows and checksum of a table at exactly this position of the stream.
struct Verify {
  std::string id;
  GtidSet position;
  std::string database, table;
  SchemaId schema;
  std::uint64_t rows = 0;
  std::uint64_t checksum_low = 0, checksum_high = 0;  ///< sum modulo 2^128 of XXH3-128 of each row image
  bool last = false;                                  ///< the last table of this verification
};

/// kind=claim: an instance claims an epoch.
struct Claim {
  Epoch epoch;
  std::string instance;
  std::uint64_t time_us = 0;  ///< for users only
  /// `instance` without its random part: identifies the owner of the claims across restarts. Empty in claims of
  /// versions that did not write it; those claims have no rank.
  std::string holder = {};
  std::uint64_t rank =
      0;  ///< of the holder, the same in all its claims: one above every rank that it saw before its first claim
};

/// kind=ckpt: a stream is published up to a position.
struct Checkpoint {
  Epoch epoch;
  std::int32_t stream = 0;
  std::int64_t offset = 0;  ///< the next offset: `published` covers every record before it
  GtidSet published;
  GtidSet dump_from;  ///< where to start the binlog dump: `published`, or earlier while an XA transaction is prepared
  std::uint64_t last_record = 0;  ///< protocol::mark_of the record at `offset` - 1; 0: unknown
};

/// How a table was captured at the time of its copy.
struct TableScope {
  std::string type;
  std::vector<std::string> exclude;  ///< columns
  bool operator==(const TableScope&) const = default;
};

/// kind=progress: the progress of a snapshot, or of one table in it.
struct SnapshotProgress {
  Epoch epoch;
  std::string id;
  std::string database, table;
  bool done = false;     ///< the table is complete; with an empty table name: the snapshot is complete
  std::string last_key;  ///< image bytes of the key columns of the last row sent and acknowledged
  std::uint64_t rows_done = 0;
  std::uint64_t rows_estimate = 0;
  // With an empty table name:
  std::vector<std::string> tables;  ///< all tables that were ever copied, including those no longer captured
  std::vector<TableScope> scopes;   ///< one for each of `tables`; empty in records of earlier versions
  /// Readers may have rows of these tables that no longer exist at the source, so the next copy of them begins with a
  /// Truncate.
  std::vector<std::string> stale;
  std::vector<std::string> again;  ///< tables to copy once more, over the existing rows
};

/// A request to copy tables again, or capture's answer that it has accepted the request (`served`): from then on the
/// snapshot progress on the state topic lists these tables as due. Records with the same id are one request.
struct Request {
  std::string id;                   ///< "copy/TASK/VALUE", "skip/STREAM:OFFSET", "accept/GTID"
  std::string from;                 ///< the requesting task, NAMESPACE/NAME
  std::vector<std::string> tables;  ///< qualified source names; empty: all captured tables
  bool served = false;
  Epoch epoch;  ///< served: the epoch of the capture
  std::vector<std::string>
      absent;  ///< served: those of `tables` that are not captured or do not exist at the source; they are not copied
};

/// Returns true when a reader that supports versions up to `known` can read `version`. Fields are only added: the
/// fields that an older record lacks have their defaults, while the meaning of a newer record is not known. 0 means
/// that there is no version.
constexpr bool readable(std::uint32_t version, std::uint32_t known) noexcept {
  return version != 0 && version <= known;
}

// Values are protobuf (envelope.proto). Encoding cannot fail. Errors of decoding: ForeignMessage with the cause.
std::string encode(const Change&);
std::string encode(const SchemaNote&);
std::string encode(const Snapshot&);
std::string encode(const Watermark&);
std::string encode(const Start&);
std::string encode(const Verify&);
std::string encode(const Claim&);
std::string encode(const Checkpoint&);
std::string encode(const SnapshotProgress&);
std::string encode(const Request&);

/// Decodes the value of a record: decode<Change>(bytes) and so on for every record above.
template <class T>
base::Result<T> decode(base::Bytes value);
template <>
base::Result<Change> decode(base::Bytes value);
template <>
base::Result<SchemaNote> decode(base::Bytes value);
template <>
base::Result<Snapshot> decode(base::Bytes value);
template <>
base::Result<Watermark> decode(base::Bytes value);
template <>
base::Result<Start> decode(base::Bytes value);
template <>
base::Result<Verify> decode(base::Bytes value);
template <>
base::Result<Claim> decode(base::Bytes value);
template <>
base::Result<Checkpoint> decode(base::Bytes value);
template <>
base::Result<SnapshotProgress> decode(base::Bytes value);
template <>
base::Result<Request> decode(base::Bytes value);

/// Return the keys on the state topic. The topic is compacted: a later record with the same key replaces an earlier
/// one.
std::string claim_key(Epoch epoch, std::string_view instance);
std::string checkpoint_key(const Checkpoint& c, unsigned slot);  ///< slot 0..7: a ring per epoch and stream
std::string schema_key(SchemaId id);
std::string progress_key(const SnapshotProgress& p);
std::string request_key(const Request& r);
inline constexpr unsigned kCheckpointSlots = 8;

}  // namespace datasync::message
