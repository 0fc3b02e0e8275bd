#pragma once
// Converts a row of information_schema.columns to a column of a message; pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/message/schema.hpp"

namespace datasync::sql {

/// The fields of one row of information_schema.columns that define a column.
struct ColumnWords {
  std::string name;
  std::string data_type;    ///< "decimal"
  std::string column_type;  ///< "decimal(10,2) unsigned"
  std::uint64_t octet_length = 0;
  std::uint64_t numeric_precision = 0;
  std::uint64_t numeric_scale = 0;
  std::uint64_t datetime_precision = 0;
  std::string charset;
  std::string collation;
  bool nullable = true;
  bool generated = false;
};

/// Returns the column, or nullopt when messages do not support its type. The result equals the result from a table map
/// with full metadata (agents/binlog), refined by the types that a table map does not contain.
std::optional<message::Column> column_of(const ColumnWords& words);

/// Returns the labels in "enum('a','it''s','back\\slash')": the server doubles quotes and escapes \0, \n, \r and \\ in
/// every sql_mode. Returns nullopt when the text is not such a list.
std::optional<std::vector<std::string>> parse_labels(std::string_view column_type);

/// Returns true when the server may have replaced characters beyond the basic multilingual plane with '?': both
/// information_schema and SHOW CREATE TABLE convert labels to three-byte UTF-8.
bool may_be_damaged(std::string_view label, std::string_view charset) noexcept;

}  // namespace datasync::sql
