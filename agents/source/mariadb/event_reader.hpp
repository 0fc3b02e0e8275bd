#pragma once
// Reads a binlog stream event by event and tells a handler what it means.
//
//   stream    := (outside | group)*
//   outside   := FORMAT_DESCRIPTION | ROTATE | STOP | GTID_LIST | BINLOG_CHECKPOINT | START_ENCRYPTION | HEARTBEAT
//              | INCIDENT
//   group     := GTID(standalone) variable* QUERY                             -> on_query, on_commit
//              | GTID(standalone, start or rollback of an ALTER) QUERY        -> on_commit
//              | GTID(standalone, completed xa) QUERY "XA COMMIT"             -> on_xa_commit
//              | GTID(standalone, completed xa) QUERY "XA ROLLBACK"           -> on_xa_rollback
//              | GTID part* (XID | QUERY "COMMIT")                            -> on_commit
//              | GTID part* QUERY "ROLLBACK"                                  -> on_rollback
//              | GTID(prepared xa) part* XA_PREPARE                           -> on_xa_prepare
//              | GTID part* FORMAT_DESCRIPTION of a restarted server          -> on_broken_off
//   part      := statement | variable* QUERY | load* EXECUTE_LOAD_QUERY       -> on_query
//   statement := ANNOTATE_ROWS? TABLE_MAP+ rows+                              -> on_rows
//                (the last rows event has the statement-end flag)
//   variable  := INTVAR | RAND | USER_VAR
//
// Heartbeats, and rotates and format descriptions made up by the dump thread, may stand anywhere and move no position.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/base/result.hpp"
#include "agents/binlog/event.hpp"
#include "agents/binlog/inflate.hpp"
#include "agents/binlog/judgement.hpp"
#include "agents/binlog/rows_event.hpp"
#include "agents/binlog/table_map.hpp"
#include "agents/source/change_stream.hpp"

namespace datasync::binlog {

using source::kUnwanted;
using source::TableToken;

struct QueryInfo {
  const QueryEvent& event;  ///< sql is plain text here, also when it came compressed
  Where where;
  const Judgement& judgement;       ///< what the statement means for tables
  const StatementContext& context;  ///< for may_concern()
};

/// What the reader tells. Every group that on_gtid opens ends with exactly one of on_commit, on_rollback,
/// on_broken_off, on_xa_prepare, on_xa_commit, on_xa_rollback. Views are valid during the call only. An error stops the
/// reader: feed returns it.
class Handler {
 public:
  virtual ~Handler() = default;

  virtual base::Result<void> on_gtid(const GtidEvent& gtid, const EventHeader& header, const Where& where) = 0;

  /// Whether rows of the table are wanted; asked before the rest of the table map is read.
  virtual bool wants(std::string_view database, std::string_view table) = 0;
  /// A wanted table, when its table map is new or not the same bytes as last time. The token comes back in on_rows.
  virtual base::Result<TableToken> on_table(const TableMap& map, const Where& where) = 0;
  virtual base::Result<void> on_rows(TableToken table, const RowsEvent& rows) = 0;
  /// Every statement but those that only bracket a group (BEGIN, COMMIT, ROLLBACK, XA ...).
  virtual base::Result<void> on_query(const QueryInfo& query) = 0;
  /// A name in a statement, from a character set that charset.hpp does not know; nothing when it cannot be converted.
  virtual std::optional<std::string> to_utf8(std::string_view charset, std::string_view text);
  /// How the server compares the names of tables.
  [[nodiscard]] virtual base::TableNames table_names() const { return base::TableNames(); }

  virtual base::Result<void> on_commit(const EventHeader& header) = 0;
  virtual base::Result<void> on_rollback() = 0;  ///< nothing of the group counts
  /// The server went down inside the group. Nothing of it counts, and its GTID is not used up: the server forgets it
  /// and may log it again, whole, in the next file.
  virtual base::Result<void> on_broken_off() { return on_rollback(); }
  virtual base::Result<void> on_xa_prepare(const Xid& xid) = 0;
  virtual base::Result<void> on_xa_commit(const Xid& xid) = 0;
  virtual base::Result<void> on_xa_rollback(const Xid& xid) = 0;

  virtual base::Result<void> on_gtid_list(const message::GtidSet& set) = 0;
  virtual base::Result<void> on_heartbeat(std::string_view file, std::uint64_t position) = 0;
  /// `artificial`: made up by the dump thread, e.g. at its start.
  virtual base::Result<void> on_rotate(std::string_view file, std::uint64_t position, bool artificial) = 0;
  /// The source says that changes may be missing here.
  virtual base::Result<void> on_incident(std::string_view text, const Where& where) = 0;
};

struct ReaderCounters {
  std::uint64_t events = 0;
  std::uint64_t ignored_unknown = 0;  ///< of an unknown type, but marked ignorable
  std::uint64_t unwanted_rows_events = 0;
};

/// Not thread-safe. The handler must outlive it.
class EventReader {
 public:
  struct Options {
    bool verify_checksums = true;
    std::uint64_t max_inflated = kMaxInflated;  ///< of a compressed event; a larger one is RowTooLarge
  };
  explicit EventReader(Handler& handler) : EventReader(handler, Options()) {}
  EventReader(Handler& handler, Options options) : handler_(handler), options_(options) {}

  /// Takes one whole event, as it came from the dump connection without the leading OK byte, or from a file. Errors:
  /// those of the handler; BinlogCorrupt, UnsupportedEvent, UnsupportedType with file and position. After an error,
  /// start anew.
  base::Result<void> feed(base::Bytes event);

  /// Whether an event, of which this is the front (200 bytes at least), has to be fed whole: rows of a table that is
  /// not wanted and the pieces of a LOAD DATA do not.
  [[nodiscard]] bool needs_whole(base::Bytes front) const;
  /// Takes the front of an event for which `needs_whole` is false, or of rows or a statement of a group that does not
  /// count for the caller (see `abandon`). Errors: BinlogCorrupt.
  base::Result<void> pass_over(base::Bytes front);
  /// "a row of shop.orders after binlog.000007:4711"; for messages.
  [[nodiscard]] std::string name_of(base::Bytes front) const;
  /// Leaves the open group, whose end could not be read: the next event is outside of one. The one exception to "start
  /// anew": a caller for whom nothing of the group counts may feed the events that follow a failed one.
  void abandon() noexcept { end_group(); }

  /// True between the groups: the place where a stream may be left.
  [[nodiscard]] bool outside() const noexcept { return state_ == State::Outside; }
  /// Where the event last fed begins.
  [[nodiscard]] Where where() const noexcept { return {file_, position_}; }
  /// Table maps that are remembered.
  [[nodiscard]] std::size_t known_tables() const noexcept { return known_.size(); }
  [[nodiscard]] const ReaderCounters& counters() const noexcept { return counters_; }

 private:
  enum class State : std::uint8_t {
    Outside,
    Standalone,  ///< in a group of one statement
    Group,
  };
  /// A table map seen before: its bytes decide whether it has to be read again.
  struct KnownTable {
    std::string bytes;
    TableToken token = kUnwanted;
  };
  struct OpenTable {
    TableId id;
    TableToken token;
  };

  base::Result<base::Bytes> checked_body(base::Bytes event);
  base::Result<bool> stream_event(base::Bytes event, base::Bytes body);
  base::Result<void> outside_event(base::Bytes body);
  base::Result<void> standalone_event(base::Bytes body);
  base::Result<void> group_event(base::Bytes body);
  base::Result<void> unexpected();
  base::Result<void> unknown();

  base::Result<void> format_description(base::Bytes event);
  base::Result<void> rotate(base::Bytes body);
  base::Result<void> gtid(base::Bytes body);
  base::Result<void> incident(base::Bytes body);
  base::Result<void> table_map(base::Bytes body);
  void forget_older(const TableName& name, base::Bytes body);
  base::Result<void> rows(base::Bytes body, RowsKind kind);
  base::Result<void> query(base::Bytes body);
  base::Result<QueryEvent> plain_query(base::Bytes body);
  base::Result<void> group_query(const QueryInfo& info);
  base::Result<void> standalone_query(const QueryInfo& info);
  base::Result<void> commit();
  base::Result<void> rollback();
  void end_group() noexcept;
  [[nodiscard]] base::Error damaged(std::string_view what) const;

  Handler& handler_;
  Options options_;
  State state_ = State::Outside;
  EventHeader header_;
  std::string file_;
  std::uint64_t position_ = 0;
  bool described_ = false;  ///< a format description has come
  Checksum checksum_ = Checksum::None;
  bool xa_prepared_ = false;   ///< the open group is to end with XA_PREPARE
  bool xa_completed_ = false;  ///< the open group commits or rolls back xid_
  bool pending_ = false;       ///< the open group announces or gives up an ALTER TABLE: nothing has happened yet
  Xid xid_;                    ///< points into xid_bytes_
  std::string xid_bytes_;
  std::vector<OpenTable> open_;                          ///< mapped in the open statement
  std::unordered_map<std::uint64_t, KnownTable> known_;  ///< by table id
  Inflater inflater_;
  base::Buffer scratch_;
  ReaderCounters counters_;
};

}  // namespace datasync::binlog
