#pragma once
// The parts of SHOW CREATE TABLE that are needed; pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/client/mysql/table_reader.hpp"

namespace datasync::sql {

/// The parts of a definition that information_schema hides from users with few privileges (it shows foreign-key rules
/// only to users with more than SELECT), or may omit with a warning instead of an error.
struct CreateTable {
  std::vector<std::string> columns;
  std::size_t unique_keys = 0;                      ///< including the primary key
  std::vector<TableInfo::ForeignKey> foreign_keys;  ///< parent_database is empty for the table's own database
};

/// Parses the text that the server generates with sql_quote_show_create=1 and without ANSI_QUOTES; in it, a backslash
/// in a string is an escape in every sql_mode. Returns nullopt when the text is not understood to its end.
std::optional<CreateTable> parse_create_table(std::string_view text);

}  // namespace datasync::sql
