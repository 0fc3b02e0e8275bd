#pragma once
// A database in this process, with a log of its changes: a source for tests, without a server.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agents/base/clock.hpp"
#include "agents/binlog/table_map.hpp"
#include "agents/message/gtid.hpp"
#include "agents/message/schema.hpp"
#include "agents/source/place.hpp"
#include "agents/source/source.hpp"

namespace datasync::source::memory {

/// NULL, a number or text.
using Value = std::variant<std::monostate, std::int64_t, std::string>;
using Row = std::vector<Value>;

/// BIGINT or VARCHAR(200) in utf8mb4.
struct ColumnDefinition {
  std::string name;
  bool text = false;
  bool nullable = true;
};

/// A table: its definition as a table map says it, and its rows by key.
struct Table {
  binlog::TableMap map;
  message::TableSchema schema;
  std::map<Row, Row> rows;

  [[nodiscard]] Row key_of(const Row& row) const;
};
/// By "database.table".
using Tables = std::map<std::string, Table>;

/// A row that is inserted, updated or deleted, or a statement.
struct Change {
  enum class What : std::uint8_t { Insert, Update, Delete, Statement };
  What what = What::Insert;
  std::string table;      ///< "shop.orders"; of a statement: its default database
  Row before, after;      ///< as `what` needs them
  std::string statement;  ///< its text
};
Change insert(std::string table, Row row);
Change update(std::string table, Row before, Row after);
Change remove(std::string table, Row row);
Change statement(std::string text, std::string database = {});

enum class End : std::uint8_t { Commit, Rollback, XaPrepare, XaCommit, XaRollback };

/// A transaction in the log.
struct Logged {
  message::Gtid gtid;
  std::uint64_t commit_time_us = 0;
  std::vector<Change> changes;
  std::map<std::string, binlog::TableMap> maps;  ///< of the tables of its rows, at its time
  End end = End::Commit;
  std::string xid;
};

/// One server. Thread-safe, but for the fields that tests set before anything reads it.
class Database {
 public:
  explicit Database(std::string name) : name_(std::move(name)) {}

  /// Creates a table, or another one in its place. Nothing of it is in the log.
  void create_table(const std::string& name, const std::vector<ColumnDefinition>& columns,
                    std::vector<std::uint16_t> key = {0});
  void drop_table(const std::string& name);
  /// Commits a transaction: changes the rows and appends to the log.
  message::Gtid commit(std::vector<Change> changes);
  /// The same with another end: rows change at the commit of an XA transaction only.
  message::Gtid log(std::vector<Change> changes, End end, std::string xid = {});
  /// The transactions of `primary` that this server lacks, as its replica.
  void replicate(const Database& primary);
  /// Forgets the log up to here: what is needed from before is purged.
  void purge();
  /// Another run of the server.
  void restart();

  // What a test decides.
  std::optional<base::Error> down;  ///< connecting fails
  std::vector<Finding> findings;    ///< about the server
  ReplicationLag lag;
  std::map<std::string, std::vector<message::ActingKey>> acting_keys;  ///< by "database.table"
  /// Transactions that new streams are sent again although they are in their position, up to the end of the log.
  std::vector<message::Gtid> before_start;
  /// Runs after a snapshot has learnt its place and before it is taken: what it commits makes the place a window.
  std::function<void()> during_snapshot;

  /// Runs before rows are read for a copy.
  std::function<void(const KeyRange&)> on_read;
  /// Runs before keys are checked.
  std::function<void(const KeyRange&)> on_key_check;

  // For the engine.
  [[nodiscard]] std::string history() const;
  [[nodiscard]] HistoryFacts facts() const;
  [[nodiscard]] Tables tables() const;
  [[nodiscard]] Place end() const;
  /// The transaction at `index` of the log, waiting up to `patience` for it; nothing: there is none. Errors:
  /// BinlogPurged; SourceUnreachable when `aborted` has become true.
  base::Result<std::optional<Logged>> at(std::size_t index, base::Millis patience, const bool& aborted);
  /// Makes those who wait look again, after `change` was called.
  void wake(const std::function<void()>& change);
  /// The index of the first transaction that is not in `position`, or is one of these.
  [[nodiscard]] std::size_t index_after(const message::GtidSet& position,
                                        const std::vector<std::string>& sent_again) const;

 private:
  void apply(const std::vector<Change>& changes);
  [[nodiscard]] message::GtidSet executed() const;

  const std::string name_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Tables tables_;
  std::vector<Logged> log_;
  std::map<std::string, std::vector<Change>> prepared_;
  std::size_t purged_ = 0;  ///< so many of log_
  bool replica_ = false;
  unsigned run_ = 1;
};

/// Places count the transactions of the log.
Place place_after(std::size_t transactions);

}  // namespace datasync::source::memory
