#pragma once
// All that capture may know of the engine of a source. Each engine (agents/source/mariadb, ...) implements these
// interfaces; SQL, error numbers and the forms of the server's answers stay inside it.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/base/identifier.hpp"
#include "agents/base/result.hpp"
#include "agents/binlog/schema.hpp"
#include "agents/config/config.hpp"
#include "agents/message/gtid.hpp"
#include "agents/message/schema.hpp"
#include "agents/source/change_stream.hpp"
#include "agents/source/history.hpp"
#include "agents/source/place.hpp"
#include "agents/source/selection.hpp"
#include "agents/source/table.hpp"

namespace datasync::source {

/// What a user declared about the servers.
struct Rules {
  bool allow_primary = false;
  bool allow_cascades = false;
  std::uint32_t server_id = 0;  ///< of the stream of changes
};

/// A server while it is read.
struct Condition {
  std::vector<Finding> findings;
  ReplicationLag lag;
  message::GtidSet replicated = {};  ///< as in HistoryFacts
};

/// A server before it is read.
struct Examination {
  std::vector<Finding> findings;  ///< about the server
  ReplicationLag lag;
  base::TableNames names{};          ///< how it compares the names of tables
  bool supported = true;             ///< false: it is of another kind, and its tables cannot be asked for
  message::GtidSet replicated = {};  ///< as in HistoryFacts
};

struct Clock {
  std::uint64_t now_us = 0;          ///< since 1970 UTC
  std::uint64_t expire_seconds = 0;  ///< files of the log are purged so long after their last change; 0: never
};

/// Some rows of a table, by images of message::key_schema.
struct KeyRange {
  std::string after_key;    ///< empty: from the start
  std::string up_to_key;    ///< inclusive; empty: to the end
  std::uint64_t limit = 0;  ///< rows; 0: all
  bool by_index = true;     ///< false: nothing but the user's word says that the server need not sort for this order
};

/// Rows that a server sends. No other call on its server until the reader is at its end or destroyed.
class RowReader {
 public:
  RowReader() = default;
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;
  virtual ~RowReader() = default;
  /// Appends the image of the next row to `out`. False at the end.
  virtual base::Result<bool> next(base::Buffer& out) = 0;
};

/// One connection to one server. For one thread, except `abort`. Errors of all calls: those of the connection
/// (SourceUnreachable, SourceRestarted, CredentialsRejected, PermissionDenied, SourceRefused, ...). A connection that
/// failed stays failed: open another one.
class Server {
 public:
  Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  virtual ~Server() = default;

  // Requirements. What the server refuses to answer becomes a finding, not an error.

  /// What may change while a server is read: its settings, filters and replication. Cheap.
  virtual base::Result<Condition> condition(const Rules& rules, const Selection& selection) = 0;
  /// Everything that is required of a server.
  virtual base::Result<Examination> examine(const Rules& rules, const Selection& selection) = 0;
  /// Everything that is required of a table. `selection`: compares names as the server does.
  virtual base::Result<TableFacts> check_table(const TableChoice& table, const Rules& rules,
                                               const Selection& selection) = 0;

  // History.

  /// Names one run of one server, between two resets of its log: for comparing, and for users to read. The only thing
  /// by which a connection is known to be to the same server: a host's name may resolve to another one each time.
  virtual base::Result<std::string> history() = 0;
  /// Whether two histories are of one server.
  [[nodiscard]] virtual bool same_server(std::string_view history, std::string_view other) const = 0;
  virtual base::Result<HistoryFacts> history_facts() = 0;
  /// Everything in the server's log.
  virtual base::Result<message::GtidSet> executed() = 0;
  /// Errors: WaitingForReplica when no stream can begin at present.
  virtual base::Result<StartPosition> start_position() = 0;
  virtual base::Result<Clock> clock() = 0;

  // Tables.

  /// Nothing when there is no such table. `excluded`: columns that are not carried, so that their type does not matter
  /// unless they are in the primary key. Errors: also UnsupportedType naming the column; PermissionDenied when the user
  /// has no privilege on the whole table.
  virtual base::Result<std::optional<TableInfo>> table(std::string_view database, std::string_view table,
                                                       const std::vector<std::string>& excluded) = 0;
  /// By the id that table maps have.
  virtual base::Result<std::map<std::uint32_t, binlog::Collation>> collations() = 0;
  /// Text of a character set that the server knows. Nothing when it cannot be converted.
  virtual base::Result<std::optional<std::string>> to_utf8(std::string_view charset, std::string_view text) = 0;

  // Copies. First prepare_copy, once; then any number of snapshots, one after the other.

  virtual base::Result<void> prepare_copy() = 0;
  /// From here to close_snapshot, rows are read as they are at one place. `exact`: its `until` is nothing; an engine
  /// that cannot know such a place at the moment fails with SourceRestarted, and it is tried again.
  virtual base::Result<SnapshotPlace> open_snapshot(bool exact) = 0;
  /// Never fails: a connection that cannot close it is closed.
  virtual void close_snapshot() noexcept = 0;
  /// Errors: also UnsupportedType when the server compares the key in another order than it sorts by it.
  virtual base::Result<void> check_key(const message::TableSchema& schema) = 0;
  /// Rows of `schema`'s table in the order of its key. Errors, also of the reader: UnsupportedValue for a row that no
  /// destination can store; RowTooLarge; KeyMissing when the server takes too long to sort, as `by_index` allows it.
  virtual base::Result<std::unique_ptr<RowReader>> read(const message::TableSchema& schema, const KeyRange& range) = 0;
  /// All rows, in any order and with all values.
  virtual base::Result<std::unique_ptr<RowReader>> scan(const message::TableSchema& schema) = 0;
  /// True when two rows in `range` (its limit counts for nothing) have the same key, as the server compares: NULLs are
  /// the same. It may take long for a whole table, so no place should be held meanwhile. Errors: also KeyMissing when
  /// the server needs longer than that is waited for; it does not go on with it then.
  virtual base::Result<bool> repeats_a_key(const message::TableSchema& schema, const KeyRange& range) = 0;

  /// Wakes a call that is blocked in another thread; the connection is failed from then on. Thread-safe.
  virtual void abort() noexcept = 0;
};

/// The kind of the servers that one capture reads. Thread-safe.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  /// Names are resolved and secrets read at each call. Errors: SecretNotFound; those of the connection.
  virtual base::Result<std::unique_ptr<Server>> connect(const config::HostPort& server) const = 0;
  /// Errors: as connect; BinlogPurged and GtidDiverged when the server refuses the position (these may come from the
  /// first `next` as well).
  virtual base::Result<std::unique_ptr<ChangeStream>> open_stream(const config::HostPort& server,
                                                                  const StreamOptions& options) const = 0;

  /// What a stream that begins at `options.position` has to know about transactions before it. Texts that only the
  /// engine reads: whoever keeps the position keeps them with it, and gives them to every later stream. `on_heard` is
  /// called while the log is read, which may take long. Errors: Stopping; as open_stream.
  virtual base::Result<std::vector<std::string>> before_start(const config::HostPort& server,
                                                              const StreamOptions& options, std::stop_token stop,
                                                              const std::function<void()>& on_heard) const = 0;
  /// What a row of a table is called in messages, which have no values of rows: the table and its key columns, and how
  /// a user finds the largest rows. Pure.
  [[nodiscard]] virtual std::string name_row(const message::TableSchema& schema) const = 0;
  /// What a user does when a server has another history than the one that was published.
  [[nodiscard]] virtual std::string_view fix_of_other_history() const noexcept = 0;

  /// Whether a server with this history can continue. Pure.
  [[nodiscard]] virtual Continuity judge(const HistoryFacts& facts, const Needed& needed) const = 0;
  /// Where to read the changes of such a server from, to continue at `position`. `without`: of its Continuity, with the
  /// domains of its own. Pure.
  [[nodiscard]] virtual message::GtidSet stream_position(const HistoryFacts& facts, const message::GtidSet& position,
                                                         const std::vector<std::uint32_t>& without) const = 0;
};

}  // namespace datasync::source
