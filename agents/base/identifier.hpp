#pragma once
// Compares names of databases, tables and columns as the server compares them.
//
// MariaDB and MySQL fold identifiers with the case table of utf8mb3_general_ci: one code point of the basic plane maps
// to one other (LOWER() in that collation uses the same table; tests/integration/sql_test.cpp compares all of them with
// the server). Column, index and constraint names are never case-sensitive. The case of database and table names
// follows lower_case_table_names (https://mariadb.com/kb/en/identifier-case-sensitivity/).

#include <cstdint>
#include <string>
#include <string_view>

namespace datasync::base {

/// Returns the name in lower case, as the server folds it. Bytes that are not valid UTF-8 do not change.
std::string fold_identifier(std::string_view name);

/// Returns true when both are names of the same column of a table (or index, or constraint): they differ in case at
/// most.
bool same_column(std::string_view a, std::string_view b);

/// The rule by which one server compares the names of databases and tables. A value: copy it freely.
class TableNames {
 public:
  /// `lower_case_table_names`: 0 compares bytes, 1 stores and compares in lower case, 2 stores as written and compares
  /// in lower case.
  explicit TableNames(int lower_case_table_names = 0) noexcept : mode_(lower_case_table_names) {}

  /// True when case does not matter in comparisons.
  [[nodiscard]] bool folds() const noexcept { return mode_ != 0; }
  /// Returns true when both are names of the same database, or of the same table of a database.
  [[nodiscard]] bool same(std::string_view a, std::string_view b) const;
  /// Returns a key that is equal for two tables exactly when the server treats them as the same table. Not for display.
  [[nodiscard]] std::string key(std::string_view database, std::string_view table) const;
  /// Returns the name as the server writes it in its catalogue and binlog.
  [[nodiscard]] std::string stored(std::string_view name) const;
  bool operator==(const TableNames&) const = default;

 private:
  int mode_;
};

}  // namespace datasync::base
