#include "agents/binlog/row_plan.hpp"

#include "agents/binlog/row_values.hpp"

namespace datasync::binlog {
namespace {

using message::ColumnType;
using Code = Step::Code;

Step fixed(Code code, std::size_t width) noexcept {
  Step s;
  s.code = code;
  s.width = static_cast<std::uint8_t>(width);
  return s;
}
Step temporal(Code code, std::size_t width, std::uint8_t scale) noexcept {
  auto s = fixed(code, width);
  s.scale = scale;
  return s;
}
Step prefixed(Code code, std::uint32_t longest) noexcept {
  return fixed(code, longest > 255 ? 2 : 1);
}

Step decimal(const PlacedColumn& c) noexcept {
  auto s = temporal(Code::Decimal, values::decimal_bytes(c.length, c.scale), c.scale);
  s.precision = static_cast<std::uint8_t>(c.length);
  return s;
}

/// The binlog stores BINARY values without their trailing zeros.
Step string(const PlacedColumn& c, const message::Column* column) noexcept {
  auto s = prefixed(Code::Bytes, c.length);
  if (column == nullptr || column->type == ColumnType::Char) return s;
  s.code = column->type == ColumnType::Binary ? Code::Padded : Code::Fixed;
  s.length = c.length;
  return s;
}

Step labelled(Code code, const PlacedColumn& c, const message::Column* column) noexcept {
  auto s = fixed(code, c.length);
  s.length = column != nullptr ? static_cast<std::uint32_t>(column->labels.size()) : 0;
  return s;
}

Step wire_step(const PlacedColumn& c, const message::Column* column) noexcept {
  const bool is_unsigned = column != nullptr && column->is_unsigned;
  switch (c.type) {
    case WireType::Tiny:
      return fixed(Code::Copy1, 1);
    case WireType::Short:
      return fixed(Code::Copy2, 2);
    case WireType::Int24:
      return fixed(is_unsigned ? Code::Int24Unsigned : Code::Int24, 3);
    case WireType::Long:
    case WireType::Float:
      return fixed(Code::Copy4, 4);
    case WireType::LongLong:
    case WireType::Double:
      return fixed(Code::Copy8, 8);
    case WireType::Year:
      return fixed(Code::Year, 1);
    case WireType::Date:
    case WireType::NewDate:
      return fixed(Code::Date, 3);
    case WireType::DateTime2:
      return temporal(Code::DateTime, 5 + values::fraction_bytes(c.scale), c.scale);
    case WireType::Time2:
      return temporal(Code::Time, 3 + values::fraction_bytes(c.scale), c.scale);
    case WireType::Timestamp2:
      return temporal(Code::Timestamp, 4 + values::fraction_bytes(c.scale), c.scale);
    case WireType::DateTime:
      return temporal(Code::OldDateTime, values::kOldDateTimeBytes[c.scale], c.scale);
    case WireType::Time:
      return temporal(Code::OldTime, values::kOldTimeBytes[c.scale], c.scale);
    case WireType::Timestamp:
      return temporal(Code::OldTimestamp, values::kOldTimestampBytes[c.scale], c.scale);
    case WireType::NewDecimal:
      return decimal(c);
    case WireType::Bit:
      return fixed(Code::Bit, (c.length + 7) / 8);
    case WireType::Enum:
      return labelled(Code::Enum, c, column);
    case WireType::Set:
      return labelled(Code::Set, c, column);
    case WireType::String:
      return string(c, column);
    case WireType::VarChar:
    case WireType::VarString:
      return prefixed(Code::Bytes, c.length);
    case WireType::VarCharCompressed:
      return prefixed(Code::Inflated, c.length);
    case WireType::BlobCompressed:
      return fixed(Code::Inflated, c.length);
    case WireType::Geometry:
      return fixed(Code::Geometry, c.length);
    default:  // blobs, see readable()
      return fixed(Code::Bytes, c.length);
  }
}

/// Returns false when the width of a value is not known. schema_of has checked the columns that are kept.
bool readable(const PlacedColumn& c) noexcept {
  switch (c.type) {
    case WireType::Tiny:
    case WireType::Short:
    case WireType::Int24:
    case WireType::Long:
    case WireType::LongLong:
    case WireType::Float:
    case WireType::Double:
    case WireType::Year:
    case WireType::Date:
    case WireType::NewDate:
    case WireType::String:
    case WireType::VarChar:
    case WireType::VarString:
    case WireType::VarCharCompressed:
      return true;
    case WireType::Time:
    case WireType::DateTime:
    case WireType::Timestamp:
    case WireType::Time2:
    case WireType::DateTime2:
    case WireType::Timestamp2:
      return c.scale <= 6;
    case WireType::NewDecimal:
      return c.length >= 1 && c.length <= 65 && c.scale <= c.length;
    case WireType::Bit:
      return c.length >= 1 && c.length <= 64;
    case WireType::Enum:
    case WireType::Set:
      return c.length >= 1 && c.length <= 8;
    case WireType::TinyBlob:
    case WireType::MediumBlob:
    case WireType::LongBlob:
    case WireType::Blob:
    case WireType::BlobCompressed:
    case WireType::Json:
    case WireType::Geometry:
      return c.length >= 1 && c.length <= 4;
    case WireType::Decimal:
    case WireType::Null:
      return false;
  }
  return false;
}

}  // namespace

std::optional<Step> step_of(const PlacedColumn& c, const message::Column* column) noexcept {
  if (!readable(c)) return std::nullopt;
  auto step = wire_step(c, column);
  step.kept = c.place.has_value();
  step.place = c.place.value_or(0);
  if (!step.kept) {
    const bool prefixed_value = step.code == Code::Bytes || step.code == Code::Inflated || step.code == Code::Geometry;
    step.code = prefixed_value ? Code::SkipBytes : Code::SkipFixed;
  }
  return step;
}

std::size_t bound(const Step& s) noexcept {
  constexpr std::size_t kMaxVarint = 10;
  switch (s.code) {
    case Code::Decimal:
      return values::kMaxDecimalText + 1;
    case Code::Padded:
    case Code::Fixed:
      return s.length + kMaxVarint;
    default:
      return kMaxVarint;
  }
}

}  // namespace datasync::binlog
