#pragma once
// What a statement event of the binlog means for tables. A statement is harmless only when it is proved to be: it was
// read to its end as a form that changes no table. A form that is not known, a token without an end, or something that
// follows a form that was read makes the judgement uncertain, never harmless.
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

struct NamedTable {
  std::string database, table;
  bool operator==(const NamedTable&) const = default;
};

/// What a statement did to one table.
struct TableEffect {
  enum class What : std::uint8_t {
    Truncated,   ///< every row was deleted; the definition is the same
    Dropped,     ///< no table has this name any more; with an empty table name: this holds for the whole database
    Created,     ///< a table of this name exists; its rows, if any, follow as row events
    Moved,       ///< the table that was called `was` before the statement has this name now
    Definition,  ///< the definition may have changed; it is proved that no value of a row that was there has
    Values,      ///< the definition may have changed, and rows that were there may have other values
    Rows,       ///< rows may have come, disappeared or changed, or all of the table with them, without row events; with
                ///< an empty table name: this holds for every table of the database
    Statement,  ///< rows were written by the text of the statement
  };
  NamedTable name;
  What what = What::Definition;
  NamedTable was = {};      ///< Moved
  bool replaced = false;    ///< Created: another table of this name may have existed before (OR REPLACE)
  bool if_missing = false;  ///< Created: only if there was none of this name (IF NOT EXISTS), else nothing happened
  /// Definition, Values: columns of before that were changed, renamed or dropped. More may have changed when it is
  /// empty and `what` is Values.
  std::vector<std::string> columns = {};
  std::vector<std::string> added = {};  ///< names of columns that did not exist before
  bool key = false;                     ///< there may be another primary key, or none
  bool operator==(const TableEffect&) const = default;
};
std::string_view to_string(TableEffect::What what) noexcept;

/// What a statement does to the transaction that it is in.
enum class Control : std::uint8_t {
  None,
  Begin,
  Commit,
  Rollback,
  Savepoint,   ///< also RELEASE SAVEPOINT
  RollbackTo,  ///< a part of the open transaction is void
  XaStart,
  XaEnd,
  XaPrepare,
  XaCommit,
  XaRollback,
};
std::string_view to_string(Control control) noexcept;

struct Judgement {
  Control control = Control::None;
  /// In the order in which they happened. Empty and `certain`: proved harmless for every table.
  std::vector<TableEffect> effects;
  /// False: besides `effects`, each table that may_concern() names may have changed in any way (as What::Rows).
  bool certain = true;
  /// The statement changes rows by its text (INSERT, UPDATE, CALL, ... outside of binlog_format=ROW), or may. It is not
  /// certain then. It may also change tables that it does not name, through views, triggers, functions and foreign
  /// keys.
  bool by_statement = false;
  /// No name in the text says which tables are concerned (SELECT f(), CALL p()): every one may be.
  bool any_table = false;
  /// It renames tables, and only the server knows whether there is a table of a name that is said to be Dropped or
  /// Moved: each of the names in RENAME TABLE may be that of a temporary table of the session, and servers leave a
  /// table behind in some cases (10.11.19: ALTER TABLE ... RENAME into another database, of a table with a foreign key
  /// to itself and a name with a quote in it).
  bool renames = false;

  [[nodiscard]] bool harmless() const noexcept { return certain && effects.empty(); }
};

/// What the meaning of a statement's text depends on.
struct StatementContext {
  std::string_view database = {};  ///< the session's default database, in UTF-8; may be empty
  Quoting quoting = {};
  bool quoting_known = true;             ///< false: the event does not have the sql_mode
  std::string_view charset = "utf8mb4";  ///< of the client; empty: not known
  ToUtf8 to_utf8 = {};                   ///< for names in character sets that charset.hpp does not know; may be empty
  base::TableNames names{};              ///< how the server compares the names of tables
  bool failed = false;                   ///< the event has an error code: what it did happened in part, or not at all
  bool temporary = false;                ///< the session has temporary tables, and the statement used some of them
};

/// Judges one statement. Accepts any bytes and takes time in proportion to them.
Judgement judge(std::string_view sql, const StatementContext& context);

/// The indexes, in `tables`, of those that the statement could name in any reading: for statements that judge() is not
/// certain about. The text is read once.
std::vector<std::size_t> may_concern(std::string_view sql, const StatementContext& context,
                                     std::span<const NamedTable> tables);

}  // namespace datasync::binlog
