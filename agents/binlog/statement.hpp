#pragma once
// What a statement in the binlog means for captured rows. This is no parser: it reads the first words and the names
// that follow them; whatever it does not know counts as a change of data.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agents/binlog/judgement.hpp"
#include "agents/binlog/lexer.hpp"

namespace datasync::binlog {

enum class StatementKind : std::uint8_t {
  Begin,
  Commit,
  Rollback,
  Savepoint,   ///< also RELEASE SAVEPOINT
  RollbackTo,  ///< part of the open transaction is void
  XaStart,
  XaEnd,
  XaPrepare,
  XaCommit,
  XaRollback,
  Truncate,      ///< tables[0]
  DropTable,     ///< tables: all that are gone, also by CREATE OR REPLACE TABLE
  RenameTable,   ///< tables: old, new, old, new, ...; also ALTER TABLE ... RENAME
  DropDatabase,  ///< tables[0].database
  RowsByDdl,     ///< tables[0] lost or gained rows that no row event tells of (partitions, tablespaces, ALTER IGNORE)
  ValuesByDdl,   ///< rows of tables[0] may have other values now that no row event tells of; see `columns`
  OtherDdl,      ///< tables[0] if it is about one table
  Dml,           ///< changes data by statement, or may
  Other,         ///< touches no rows: SET, GRANT, FLUSH, an empty statement
};
std::string_view to_string(StatementKind kind) noexcept;

struct Statement {
  StatementKind kind = StatementKind::Other;
  std::vector<NamedTable> tables;
  std::vector<std::string> columns;  ///< ValuesByDdl: those that were there before and are changed or renamed
  bool primary_key = false;          ///< ValuesByDdl: there is another primary key now
  std::vector<std::string> added;  ///< ALTER TABLE: columns that are new, if no others of their names were there before
};

/// Tells the kind and the tables; names without a database are in `default_database`. Accepts any bytes.
Statement classify(std::string_view sql, std::string_view default_database, Quoting quoting);

/// The statement without the values in it: each string and number is a question mark. For logs and errors: a value may
/// be of a column that nobody is to see.
std::string without_values(std::string_view sql, Quoting quoting);

/// True when `sql` may name the table: one of its tokens is the table's name (ASCII case ignored) and is not qualified
/// by another database. A statement that reaches a table through a view, trigger or function does not name it.
bool mentions(std::string_view sql, std::string_view default_database, std::string_view database,
              std::string_view table, Quoting quoting);

}  // namespace datasync::binlog
