#pragma once
// How to walk a row image: a flat list of steps, one for each column, made once for a table.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "agents/binlog/schema.hpp"

namespace datasync::binlog {

/// What to do with one column of an image; made once for a table.
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
    Bytes,     ///< `width` bytes of length, then that many
    Padded,    ///< the same, with the trailing zeros cut off: out comes a value of `length` bytes
    Fixed,     ///< Padded, for a type of fixed width
    Inflated,  ///< a COMPRESSED column
    Geometry,  ///< Bytes, of which a stored value has at least one
    SkipFixed,
    SkipBytes,
  };
  Code code = Code::SkipFixed;
  std::uint8_t width = 0;      ///< bytes in the image (fixed), or bytes of the length prefix
  std::uint8_t precision = 0;  ///< Decimal
  std::uint8_t scale = 0;      ///< Decimal; fractional digits
  std::uint16_t place = 0;     ///< column in the message's schema
  bool kept = true;            ///< false: excluded
  std::uint32_t length = 0;    ///< Padded, Fixed: bytes; Enum, Set: number of labels
};

/// How to read a column; `column` is null when it is excluded. Nothing when the width of its values cannot be told.
std::optional<Step> step_of(const PlacedColumn& c, const message::Column* column) noexcept;

/// The most bytes an encoded value can have beyond the bytes it has in the event (Inflated grows by itself).
std::size_t bound(const Step& step) noexcept;

}  // namespace datasync::binlog
