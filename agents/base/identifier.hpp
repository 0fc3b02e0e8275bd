#pragma once
// Names of databases, tables and columns, compared as the server compares them.
//
// MariaDB and MySQL fold identifiers with the case table of utf8mb3_general_ci: one code point of the basic plane to
// one other (LOWER() in that collation uses the same table; tests/integration/sql_test.cpp compares all of them with
// the server). Column, index and constraint names never depend on case; names of databases and tables follow
// lower_case_table_names (https://mariadb.com/kb/en/identifier-case-sensitivity/).

#include <cstdint>
#include <string>
#include <string_view>

namespace datasync::base {

/// The name in lower case, as the server folds it. Bytes that are not UTF-8 stay as they are.
std::string fold_identifier(std::string_view name);

/// True when both name the same column of a table (index, constraint): they differ in case at most.
bool same_column(std::string_view a, std::string_view b);

/// How one server compares the names of databases and tables. A value: copy it freely.
class TableNames {
 public:
  /// `lower_case_table_names`: 0 compares bytes, 1 stores and compares in lower case, 2 stores as written and compares
  /// in lower case.
  explicit TableNames(int lower_case_table_names = 0) noexcept : mode_(lower_case_table_names) {}

  [[nodiscard]] bool folds() const noexcept { return mode_ != 0; }
  /// True when both name the same database, or the same table of a database.
  [[nodiscard]] bool same(std::string_view a, std::string_view b) const;
  /// Equal for two tables exactly when the server takes them for the same one. Not for display.
  [[nodiscard]] std::string key(std::string_view database, std::string_view table) const;
  /// The name as the server's catalogue and binlog write it.
  [[nodiscard]] std::string stored(std::string_view name) const;
  bool operator==(const TableNames&) const = default;

 private:
  int mode_;
};

}  // namespace datasync::base
