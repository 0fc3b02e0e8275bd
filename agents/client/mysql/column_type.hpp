#pragma once
// From the words of information_schema.columns to a column of a message; pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/message/schema.hpp"

namespace datasync::sql {

/// The fields of one row of information_schema.columns that say what a column is.
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

/// Nothing when the type is not one that messages carry. The result equals what a table map with full metadata gives
/// (agents/binlog), refined by the types it does not tell.
std::optional<message::Column> column_of(const ColumnWords& words);

/// The labels in "enum('a','it''s','back\\slash')": the server doubles quotes and escapes \0, \n, \r and \\ whatever
/// the sql_mode. Nothing when the text is not such a list.
std::optional<std::vector<std::string>> parse_labels(std::string_view column_type);

/// True when the server may have put '?' in place of characters beyond the basic multilingual plane: information_schema
/// and SHOW CREATE TABLE alike convert labels to three-byte UTF-8.
bool may_be_damaged(std::string_view label, std::string_view charset) noexcept;

}  // namespace datasync::sql
