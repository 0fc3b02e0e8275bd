#pragma once
// Converts rows of the binary protocol to the message layout; pure.

#include <cstdint>
#include <string>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/message/row.hpp"
#include "agents/message/schema.hpp"

namespace datasync::sql {

/// Returns the expression to select for a column so that its exact value is transferred: ENUM and SET as numbers, UUID
/// and addresses as their bytes. Text is transferred in its own character set when character_set_results is NULL.
std::string select_expression(const message::Column& column);

/// The encoding of a value in a binary row.
enum class Wire : std::uint8_t { Int1, Int2, Int4, Int8, Float, Double, Bytes, Date, Time };
/// Returns the encoding of the column's `select_expression`.
Wire wire_of(const message::Column& column) noexcept;

/// The type with which a server stores a column, when its values are converted to the type of another column.
struct Kept {
  Wire wire = Wire::Bytes;
  bool is_unsigned = false;
};
/// Returns the type of a column that the server does not store with a wider type.
inline Kept kept_as(const message::Column& column) noexcept {
  return {wire_of(column), column.is_unsigned};
}
/// Returns true when a column stored as `kept` can hold every value of `column`, and its values can be converted to the
/// type of `column`.
bool is_wider(const message::Column& column, const Kept& kept) noexcept;

/// Appends the image of one row packet (header byte, null bitmap, values) to `out`; returns false when the packet is
/// incomplete. `kept` has an entry for each column. A value of a wider column that the narrower one cannot hold is
/// appended unchanged, so it differs from every image of the narrower column.
bool append_image(const std::vector<message::Column>& columns, const std::vector<Kept>& kept, base::Bytes packet,
                  base::Buffer& out);

}  // namespace datasync::sql
