#pragma once
// What SHOW CREATE TABLE says about a table; pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/client/mysql/table_reader.hpp"

namespace datasync::sql {

/// The parts of a definition that information_schema hides from users with few privileges (foreign-key rules are shown
/// only to users with more than SELECT), or may leave out with a warning instead of an error.
struct CreateTable {
  std::vector<std::string> columns;
  std::size_t unique_keys = 0;                      ///< the primary key included
  std::vector<TableInfo::ForeignKey> foreign_keys;  ///< parent_database is empty for the table's own database
};

/// Reads the text that the server makes with sql_quote_show_create=1 and without ANSI_QUOTES; in it, backslashes in
/// strings are escapes whatever the sql_mode. Nothing when the text is not understood to its end.
std::optional<CreateTable> parse_create_table(std::string_view text);

}  // namespace datasync::sql
