#pragma once
// What a statement event of the binlog does to tables. A statement is harmless only when that is proved: it was read to
// its end as a form that changes no table. An unknown form, an unterminated token, or text after a known form makes the
// judgement uncertain, never harmless.
//
// Source: the grammar of MariaDB 10.11 and later (https://mariadb.com/kb/en/sql-statements/); one QUERY event holds one
// statement (https://mariadb.com/kb/en/query_event/).

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/identifier.hpp"
#include "agents/binlog/charset.hpp"
#include "agents/binlog/lexer.hpp"

namespace datasync::binlog {

/// A table by database and name, in UTF-8.
struct NamedTable {
  std::string database, table;
  bool operator==(const NamedTable&) const = default;
};

/// What a statement did to one table.
struct TableEffect {
  enum class What : std::uint8_t {
    Truncated,   ///< every row was deleted; the definition is the same
    Dropped,     ///< no table has this name any more; with an empty table name: this is true of the whole database
    Created,     ///< a table of this name exists; its rows, if any, follow as row events
    Moved,       ///< the table named `was` before the statement now has this name
    Definition,  ///< the definition may have changed; it is proved that no value of an existing row has changed
    Values,      ///< the definition may have changed, and existing rows may have other values
    Rows,       ///< rows may have been added, deleted or changed, or the whole table, without row events; with an empty
                ///< table name: this is true of every table of the database
    Statement,  ///< the text of the statement wrote the rows
  };
  NamedTable name;
  What what = What::Definition;
  NamedTable was = {};      ///< Moved
  bool replaced = false;    ///< Created: another table of this name may have existed before (OR REPLACE)
  bool if_missing = false;  ///< Created: only if no table had this name (IF NOT EXISTS); otherwise nothing happened
  /// Definition, Values: existing columns that were changed, renamed or dropped.
  std::vector<std::string> columns = {};
  std::vector<std::string> added = {};  ///< names of new columns
  bool key = false;                     ///< the primary key may have changed, or been dropped
  bool others = false;                  ///< Values: columns that are not named may have changed too
  bool operator==(const TableEffect&) const = default;
};
std::string_view to_string(TableEffect::What what) noexcept;

/// What a statement does to the open transaction.
enum class Control : std::uint8_t {
  None,
  Begin,
  Commit,
  Rollback,
  Savepoint,   ///< also RELEASE SAVEPOINT
  RollbackTo,  ///< a part of the open transaction is rolled back
  XaStart,
  XaEnd,
  XaPrepare,
  XaCommit,
  XaRollback,
};
std::string_view to_string(Control control) noexcept;

/// The result of judge().
struct Judgement {
  Control control = Control::None;
  /// In the order in which they happened. Empty and `certain`: the statement is proved harmless for every table.
  std::vector<TableEffect> effects;
  /// False: besides `effects`, each table that may_concern() returns may have changed in any way (as What::Rows).
  bool certain = true;
  /// The text of the statement changes rows, or may change them (INSERT, UPDATE, CALL, ... outside of
  /// binlog_format=ROW). `certain` is false then. The statement may also change tables that it does not name, through
  /// views, triggers, functions and foreign keys.
  bool by_statement = false;
  /// The text does not name the tables it changes (SELECT f(), CALL p()), so it may change any table.
  bool any_table = false;
  /// The statement renames tables, and only the server knows whether a table exists under a name that is reported as
  /// Dropped or Moved. Each name in RENAME TABLE may be that of a temporary table of the session, and servers leave a
  /// table behind in some cases (10.11.19: ALTER TABLE ... RENAME into another database, of a table with a foreign key
  /// to itself and a name with a quote in it).
  bool renames = false;

  [[nodiscard]] bool harmless() const noexcept { return certain && effects.empty(); }
};

/// The facts beside the text that determine what a statement means.
struct StatementContext {
  std::string_view database = {};  ///< the session's default database, in UTF-8; may be empty
  Quoting quoting = {};
  bool quoting_known = true;             ///< false: the event does not have the sql_mode
  std::string_view charset = "utf8mb4";  ///< of the client; empty: not known
  ToUtf8 to_utf8 = {};       ///< for names in character sets that charset.hpp does not support; may be empty
  base::TableNames names{};  ///< how the server compares the names of tables
  bool failed = false;       ///< the event has an error code: the statement took effect in part, or not at all
  bool temporary = false;    ///< the session has temporary tables, and the statement used some of them
};

/// Judges one statement. Accepts any bytes; the time is linear in their number.
Judgement judge(std::string_view sql, const StatementContext& context);

/// Returns the indexes in `tables` of the tables that the statement could name in any reading. Use it for statements
/// that judge() is not certain about. The text is read once.
std::vector<std::size_t> may_concern(std::string_view sql, const StatementContext& context,
                                     std::span<const NamedTable> tables);

}  // namespace datasync::binlog
