#pragma once
// A record on a stream or on the state topic: what its Kafka headers say, and what its value holds.

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
  Watermark,   ///< "watermark": everything up to a GTID set stands before this record
  Start,       ///< "start": a new epoch begins
  Verify,      ///< "verify": the checksum of a table at this point
  Claim,       ///< state topic: an instance asks for an epoch
  Checkpoint,  ///< state topic "ckpt"
  SchemaBody,  ///< state topic "schema-body": a schema by its id
  Progress,    ///< state topic "progress": how far a snapshot got
  Request,     ///< state topic "request": a reader needs tables copied again, or capture's answer
  Definition,  ///< state topic "definition": a table's definition from a place on, see definition.hpp
};
std::string_view to_string(Kind kind) noexcept;
std::optional<Kind> parse_kind(std::string_view text) noexcept;

/// What a record ends, readable without its value (header "end"): several records make a group, several groups a
/// transaction. Rows within a group may stand in records of several types; `TableRows::order` puts them in order.
enum class End : std::uint8_t {
  None,         ///< header absent: the group goes on
  Group,        ///< "group": the group is whole, the transaction goes on
  Transaction,  ///< "tx": the transaction is whole
  Abort,        ///< "abort": the transaction is void, forget what came of it
};
std::string_view to_string(End end) noexcept;
std::optional<End> parse_end(std::string_view text) noexcept;  ///< of a header that is there

/// What a reader needs to skip a record unread. One Kafka header each: kind, type, epoch (decimal), end.
struct Headers {
  Kind kind = Kind::Change;
  std::string type;  ///< empty when the record is for every type
  Epoch epoch;
  End end = End::None;
  bool operator==(const Headers&) const = default;
};

struct TableRows {
  SchemaId schema;
  std::uint32_t order = 0;      ///< place among all TableRows of the same transaction on this stream
  std::uint32_t count = 0;      ///< rows in `rows`
  std::uint32_t statement = 0;  ///< reserved
  std::string rows;             ///< the compact layout, see row.hpp
};

/// kind=change. Snapshot rows travel in Snapshot instead.
struct Change {
  Gtid gtid;
  std::uint64_t commit_time_us = 0;  ///< source clock, microseconds since 1970; for lag only
  std::uint32_t fragment = 0;        ///< 0, 1, 2, ... within the transaction on this stream
  bool last = false;                 ///< the last fragment, same as header end=tx
  std::vector<TableRows> tables;
};

/// kind=schema: the table is not there any more from here on.
struct SchemaNote {
  enum class What : std::uint8_t { Dropped = 1, Renamed = 2 };
  Gtid gtid;
  std::string database, table;
  What what = What::Dropped;
  std::string statement;   ///< the source's statement, cut at 1 KiB, for a user
  std::string renamed_to;  ///< Renamed: the qualified name it has now; empty when it is not known
};

/// kind=snapshot. Begin: from here to End, rows of `tables` (qualified source names) may meet rows that are there
/// already or missing, see docs/messages.md. Rows: a chunk, exact at `position`: every transaction in it stands before
/// this record on the stream, none after. Done: the table is complete.
struct Snapshot {
  enum class Phase : std::uint8_t { Begin = 1, Rows = 2, TableDone = 3, End = 4 };
  std::string id;  ///< one per snapshot
  Phase phase = Phase::Rows;
  GtidSet position;
  std::vector<std::string> tables;  ///< Begin: all; TableDone: that one
  std::uint32_t fragment = 0;
  bool last = false;  ///< Rows: last fragment of the chunk
  std::vector<TableRows> rows;
};

struct Watermark {
  GtidSet position;                  ///< everything in it that concerns this stream stands before this record
  std::uint64_t source_time_us = 0;  ///< the source's clock when it was true
};

struct Start {
  Epoch epoch;
  std::string instance;
};

/// kind=verify: rows and checksum of a table at exactly this point of the stream.
struct Verify {
  std::string id;
  GtidSet position;
  std::string database, table;
  SchemaId schema;
  std::uint64_t rows = 0;
  std::uint64_t checksum_low = 0, checksum_high = 0;  ///< sum modulo 2^128 of XXH3-128 of each row image
  bool last = false;                                  ///< the last table of this verification
};

struct Claim {
  Epoch epoch;
  std::string instance;
  std::uint64_t time_us = 0;  ///< for users only
  /// `instance` without its random part: whose claims these are over all restarts. Empty in claims of versions that did
  /// not write it: those have no rank.
  std::string holder = {};
  std::uint64_t rank = 0;  ///< of the holder, the same in all its claims: one above all that it saw at its first claim
};

struct Checkpoint {
  Epoch epoch;
  std::int32_t stream = 0;
  std::int64_t offset = 0;  ///< the next offset: everything before it is covered by `published`
  GtidSet published;
  GtidSet
      dump_from;  ///< where to start reading the binlog: `published`, or earlier while an XA transaction is prepared
  std::uint64_t last_record = 0;  ///< protocol::mark_of the record at `offset` - 1; 0: unknown
};

/// How a table was captured when it was copied.
struct TableScope {
  std::string type;
  std::vector<std::string> exclude;  ///< columns
  bool operator==(const TableScope&) const = default;
};

struct SnapshotProgress {
  Epoch epoch;
  std::string id;
  std::string database, table;
  bool done = false;     ///< of the table; with an empty table name: of the snapshot
  std::string last_key;  ///< image bytes of the key columns of the last row sent and acknowledged
  std::uint64_t rows_done = 0;
  std::uint64_t rows_estimate = 0;
  // With an empty table name:
  std::vector<std::string> tables;  ///< all that were ever copied, also those that are captured no more
  std::vector<TableScope> scopes;   ///< one for each of `tables`; empty in records of before
  /// Tables of which readers may have rows that are gone at the source: their next copy begins with a Truncate.
  std::vector<std::string> stale;
  std::vector<std::string> again;  ///< tables that are to be copied once more, over what is there
};

/// A wish that tables are copied again, and capture's word that it has taken it over (`served`): from then on the state
/// topic's account of snapshots has these tables as due. The same id is one wish, however often it is written.
struct Request {
  std::string id;                   ///< "copy/TASK/VALUE", "skip/STREAM:OFFSET", "accept/GTID"
  std::string from;                 ///< the task that asks, NAMESPACE/NAME
  std::vector<std::string> tables;  ///< qualified source names; empty: all that are captured
  bool served = false;
  Epoch epoch;  ///< served: the capture's
  std::vector<std::string>
      absent;  ///< served: of `tables` those that are not captured or not at the source; no copy comes
};

/// A reader that knows versions up to `known` reads this one. Fields are only added: an older record lacks some, which
/// then have their defaults; what a newer one means is not known. 0: no version at all.
constexpr bool readable(std::uint32_t version, std::uint32_t known) noexcept {
  return version != 0 && version <= known;
}

// Values are protobuf (envelope.proto). Encoding cannot fail. Decoding errors: ForeignMessage saying what is wrong.
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

/// decode<Change>(bytes) and so on for every record above.
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

/// Keys on the state topic (it is compacted: a later record of a key replaces an earlier one).
std::string claim_key(Epoch epoch, std::string_view instance);
std::string checkpoint_key(const Checkpoint& c, unsigned slot);  ///< slot 0..7: a ring per epoch and stream
std::string schema_key(SchemaId id);
std::string progress_key(const SnapshotProgress& p);
std::string request_key(const Request& r);
inline constexpr unsigned kCheckpointSlots = 8;

}  // namespace datasync::message
