#pragma once
// The changes of a source, from a position on, and what they are reported to.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/identifier.hpp"
#include "agents/base/result.hpp"
#include "agents/binlog/judgement.hpp"
#include "agents/binlog/rows_event.hpp"
#include "agents/binlog/table_map.hpp"
#include "agents/message/gtid.hpp"
#include "agents/source/place.hpp"

namespace datasync::source {

/// What a handler calls a table that it wants; any number but kUnwanted.
using TableToken = std::uint32_t;
inline constexpr TableToken kUnwanted = ~TableToken{0};

struct Transaction {
  message::Gtid gtid;
  std::uint64_t commit_time_us = 0;  ///< by the source's clock
  bool prepared = false;             ///< it is to end prepared, under the XA id
  std::string_view xid = {};         ///< of an XA transaction that it prepares or decides; else empty
  bool before_start = false;         ///< it is before the position all the same: nothing of it is wanted but its end
};

/// A statement in the stream of changes; views are valid during the call.
struct Statement {
  std::string_view sql;  ///< plain text, in the client's character set
  binlog::Where where;
  const binlog::Judgement& judgement;       ///< what the statement means for tables
  const binlog::StatementContext& context;  ///< for binlog::may_concern()
};

/// What the changes of a source mean. Every transaction that on_begin opens ends with exactly one of on_commit,
/// on_rollback, on_broken_off, on_xa_prepare, on_xa_commit, on_xa_rollback, on_end_unread; `end` is where it ends in
/// the log. Views are valid during the call only. An error stops the stream: ChangeStream::next returns it, unless
/// on_unreadable takes it.
class ChangeHandler {
 public:
  ChangeHandler() = default;
  ChangeHandler(const ChangeHandler&) = delete;
  ChangeHandler& operator=(const ChangeHandler&) = delete;
  virtual ~ChangeHandler() = default;

  /// The server sent something, whatever it means.
  virtual void on_heard() = 0;

  /// `first` is where the first event of the transaction ends.
  virtual base::Result<void> on_begin(const Transaction& transaction, const Place& first) = 0;
  /// Whether rows of the table are wanted; asked before its definition is read.
  virtual bool wants(std::string_view database, std::string_view table) = 0;
  /// A wanted table, when its definition is new in this stream or not the same as last time. The token comes back in
  /// on_rows.
  virtual base::Result<TableToken> on_table(const binlog::TableMap& map, const binlog::Where& where) = 0;
  virtual base::Result<void> on_rows(TableToken table, const binlog::RowsEvent& rows) = 0;
  /// Every statement but those that only begin or end a transaction.
  virtual base::Result<void> on_statement(const Statement& statement) = 0;
  /// A name in a statement, from a character set that binlog::to_utf8 does not know; nothing when it cannot be
  /// converted.
  virtual std::optional<std::string> to_utf8(std::string_view charset, std::string_view text) = 0;
  /// How the server compares the names of tables.
  [[nodiscard]] virtual base::TableNames table_names() const = 0;

  virtual base::Result<void> on_commit(const Place& end) = 0;
  virtual base::Result<void> on_rollback(const Place& end) = 0;  ///< nothing of the transaction counts
  /// The server went down inside the transaction. Nothing of it counts, and the server may log it again, whole, under
  /// the same GTID.
  virtual base::Result<void> on_broken_off(const Place& end) = 0;
  virtual base::Result<void> on_xa_prepare(std::string_view xid, const Place& end) = 0;
  virtual base::Result<void> on_xa_commit(std::string_view xid, const Place& end) = 0;
  virtual base::Result<void> on_xa_rollback(std::string_view xid, const Place& end) = 0;

  /// The server has nothing more to send at present. Outside of transactions.
  virtual base::Result<void> on_idle(const Place& here) = 0;
  /// The log was read up to here. Outside of transactions.
  virtual base::Result<void> on_moved(const Place& here) = 0;
  /// The source says that changes may be missing here.
  virtual base::Result<void> on_incident(std::string_view text, const binlog::Where& where) = 0;

  // What cannot be read or taken.

  /// Something could not be read, or a call of this handler failed with this error. No error: nothing of the open
  /// transaction is needed but its end, and the stream continues after it; else the error that `next` returns.
  virtual base::Result<void> on_unreadable(base::Error error) = 0;
  /// A change is too large to be held: the error that `next` returns for it.
  [[nodiscard]] virtual base::Error too_large(base::Error error) const = 0;
  /// Nothing of the open transaction is needed but its end: what is large need not be read.
  [[nodiscard]] virtual bool skips() const = 0;
  /// A part of such a transaction was not read: rows, or else a statement, which may have been the one that ends it.
  virtual void on_skipped(bool rows) = 0;
  /// The open transaction is over, after on_unreadable or on_skipped. What ended it was not read.
  virtual base::Result<void> on_end_unread(const Place& end) = 0;
};

struct StreamOptions {
  message::GtidSet position;    ///< changes after these transactions; empty: from the very first one
  std::uint32_t server_id = 0;  ///< unique among all replicas and readers of the server
  std::chrono::milliseconds heartbeat{1000};
  std::chrono::milliseconds watchdog{5000};                 ///< silence longer than this is SourceSilent
  std::uint64_t max_event_bytes = std::uint64_t{1} << 30U;  ///< of a wanted change, which is held whole
  /// False: the server also begins where it lacks the transactions at the position themselves (see `in_hole`), and
  /// only unbroken numbers prove that nothing is missing after them.
  bool strict = true;
  std::vector<std::string> before_start = {};  ///< see Engine::before_start
  /// Called each time that the server has been silent for a watchdog longer while it searches its log for the position:
  /// an error ends the stream. Without it, such silence is SourceSilent.
  std::function<base::Result<void>(std::chrono::milliseconds silent)> on_search = {};
};

/// One connection that changes come from. Not thread-safe, except `abort`.
class ChangeStream {
 public:
  ChangeStream() = default;
  ChangeStream(const ChangeStream&) = delete;
  ChangeStream& operator=(const ChangeStream&) = delete;
  virtual ~ChangeStream() = default;

  // As the server said over this connection just before the stream began.
  [[nodiscard]] virtual const std::string& history() const noexcept = 0;  ///< see Server::history
  [[nodiscard]] virtual const Place& end() const noexcept = 0;            ///< of its log

  /// Waits for what comes next and reports it to the handler, which must be the same one each time. Errors: those of
  /// the handler; SourceSilent, SourceRestarted, SourceUnreachable, BinlogPurged, GtidDiverged, DuplicateServerId,
  /// BinlogCorrupt, UnsupportedEvent, UnsupportedType, RowTooLarge. After an error, open another stream.
  virtual base::Result<void> next(ChangeHandler& handler) = 0;
  /// True between transactions: the place where a stream may be left.
  [[nodiscard]] virtual bool outside() const noexcept = 0;
  /// The last error was that the server lacks the transactions at the position, which `strict` refuses.
  [[nodiscard]] virtual bool in_hole() const noexcept = 0;

  /// Makes a blocked `next` return with an error at once. Thread-safe.
  virtual void abort() noexcept = 0;
};

}  // namespace datasync::source
