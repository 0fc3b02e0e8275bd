#pragma once
// The plan for reading a row image: a flat list of steps, one for each column, created once for a table.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "agents/binlog/schema.hpp"

namespace datasync::binlog {

/// What to do with one column of an image; created once for a table.
struct Step {
  enum class Code : std::uint8_t {
    Copy1,
    Copy2,
    Copy4,
    Copy8,
    Int24,
    Int24Unsigned,
    Year,
    Date,
    DateTime,
    Time,
    Timestamp,
    OldDateTime,
    OldTime,
    OldTimestamp,
    Decimal,
    Bit,
    Enum,
    Set,
    Bytes,     ///< a length of `width` bytes, then that many bytes
    Padded,    ///< the same, stored without the trailing zeros; the encoded value has `length` bytes
    Fixed,     ///< Padded, for a type of fixed width
    Inflated,  ///< a COMPRESSED column
    Geometry,  ///< as Bytes; a value that a server can store has at least one byte
    SkipFixed,
    SkipBytes,
  };
  Code code = Code::SkipFixed;
  std::uint8_t width = 0;      ///< bytes in the image (fixed), or bytes of the length prefix
  std::uint8_t precision = 0;  ///< Decimal
  std::uint8_t scale = 0;      ///< Decimal; fractional digits
  std::uint16_t place = 0;     ///< index of the column in the message's schema
  bool kept = true;            ///< false: excluded
  std::uint32_t length = 0;    ///< Padded, Fixed: bytes; Enum, Set: number of labels
};

/// Returns how to read a column; `column` is null when it is excluded. Returns nullopt when the width of its values is
/// not known.
std::optional<Step> step_of(const PlacedColumn& c, const message::Column* column) noexcept;

/// Returns how many bytes larger an encoded value can be than its bytes in the event (Inflated reserves its own space).
std::size_t bound(const Step& step) noexcept;

}  // namespace datasync::binlog
