#pragma once
// Conditions on key columns as SQL text; pure.

#include <string>
#include <string_view>

#include "agents/message/row.hpp"
#include "agents/message/schema.hpp"

namespace datasync::sql {

/// Returns a value as a literal that compares exactly with its column and can use the column's index: text in the
/// column's own character set and collation, numbers with all their digits, ENUM and SET as numbers.
std::string literal(const message::Column& column, base::Bytes value);

/// Returns "`a`>5 OR (`a`=5 AND `b`>7)": the rows after the key in the order of the key columns, NULL first as in ORDER
/// BY. `keys` is the table's key_schema.
std::string after_key(const message::TableSchema& keys, const message::ImageView& image);
/// Returns the condition for the rows up to the key, including it.
std::string up_to_key(const message::TableSchema& keys, const message::ImageView& image);

}  // namespace datasync::sql
