#pragma once
// Rows of the binary protocol into the message layout; pure.

#include <cstdint>
#include <string>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/message/row.hpp"
#include "agents/message/schema.hpp"

namespace datasync::sql {

/// What to select for a column so that its exact value comes over the wire: ENUM and SET as numbers, UUID and addresses
/// as their bytes. Text comes in its own character set when character_set_results is NULL.
std::string select_expression(const message::Column& column);

/// How a value stands in a binary row.
enum class Wire : std::uint8_t { Int1, Int2, Int4, Int8, Float, Double, Bytes, Date, Time };
/// Of `select_expression`.
Wire wire_of(const message::Column& column) noexcept;

/// How a server keeps a column whose values are told in the terms of another one.
struct Kept {
  Wire wire = Wire::Bytes;
  bool is_unsigned = false;
};
inline Kept kept_as(const message::Column& column) noexcept {
  return {wire_of(column), column.is_unsigned};
}
/// True when a column kept so may hold every value of `column`, and its values can be told in that one's terms.
bool is_wider(const message::Column& column, const Kept& kept) noexcept;

/// Appends the image of one row packet (header byte, null bitmap, values) to `out`; false when the packet is not whole.
/// `kept` has an entry for each column. A value of a wider column that the narrower one cannot hold is appended as it
/// is: no image of the narrower column is like it.
bool append_image(const std::vector<message::Column>& columns, const std::vector<Kept>& kept, base::Bytes packet,
                  base::Buffer& out);

}  // namespace datasync::sql
