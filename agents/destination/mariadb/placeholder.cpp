#include "agents/destination/mariadb/bulk.hpp"

namespace datasync::sql {

// Text is sent as bytes, so that the server stores it as it is. In a comparison bytes would pull the column to the
// binary collation, past its index and its rules: there the bytes are named as what they are.
std::string placeholder(const message::Column& column, bool in_where) {
  using message::ColumnType;
  switch (column.type) {
    case ColumnType::Char:
    case ColumnType::VarChar:
    case ColumnType::Text:
      return in_where ? "CONVERT(? USING " + column.charset + ") COLLATE " + column.collation : "?";
    case ColumnType::Json:
      // MySQL makes no JSON of bytes
      return in_where && !column.collation.empty() ? "CONVERT(? USING utf8mb4) COLLATE " + column.collation
                                                   : "CONVERT(? USING utf8mb4)";
    default:
      return "?";
  }
}

}  // namespace datasync::sql
