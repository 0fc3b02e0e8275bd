#include "agents/destination/mariadb/bulk_rows.hpp"

#include <algorithm>

#include "agents/client/mysql/time_value.hpp"

namespace datasync::sql {
namespace {

using message::ColumnType;

// Type numbers of the protocol (https://mariadb.com/kb/en/result-set-packets/#field-types).
constexpr std::uint16_t kTiny = 1, kShort = 2, kLong = 3, kFloat = 4, kDouble = 5, kLongLong = 8, kDate = 10,
                        kTime = 11, kDateTime = 12, kNewDecimal = 246, kBlob = 252;
constexpr std::uint16_t kUnsigned = 0x8000;
constexpr std::uint16_t kSendTypes = 128;         // STMT_BULK_FLAG_CLIENT_SEND_TYPES
constexpr std::size_t kKeptCapacity = 8U << 20U;  // what one batch of huge values needed is given back
constexpr std::uint8_t kNone = 0, kNull = 1;      // indicators

/// Writes a length-encoded integer; returns how many bytes it took.
std::size_t write_length(std::byte* at, std::uint64_t n) noexcept {
  if (n < 251) {
    *at = static_cast<std::byte>(n);
    return 1;
  }
  const std::size_t width = n < 0x10000 ? 2 : n < 0x1000000 ? 3 : 8;
  *at = static_cast<std::byte>(width == 8 ? 0xFE : 0xFA + width);
  std::memcpy(at + 1, &n, width);
  return 1 + width;
}

}  // namespace

BulkRows::Slot BulkRows::slot_of(const message::Column& column) noexcept {
  const std::uint16_t sign = column.is_unsigned ? kUnsigned : 0;
  const auto fixed = [](std::uint8_t width, std::uint16_t type) { return Slot{Kind::Fixed, width, type}; };
  const auto integer = [&](std::uint8_t width, std::uint16_t type) {
    return fixed(width, static_cast<std::uint16_t>(type | sign));
  };
  switch (column.type) {
    case ColumnType::TinyInt:
      return integer(1, kTiny);
    case ColumnType::SmallInt:
      return integer(2, kShort);
    case ColumnType::MediumInt:
    case ColumnType::Int:
      return integer(4, kLong);
    case ColumnType::BigInt:
      return integer(8, kLongLong);
    case ColumnType::Float:
      return fixed(4, kFloat);
    case ColumnType::Double:
      return fixed(8, kDouble);
    case ColumnType::Year:
      return fixed(2, kShort | kUnsigned);
    case ColumnType::Set:
    case ColumnType::Bit:
      return fixed(8, kLongLong | kUnsigned);
    case ColumnType::Enum:
      return {Kind::Enum, 2, kShort | kUnsigned};
    case ColumnType::Decimal:
      return {Kind::Bytes, 0, kNewDecimal};
    case ColumnType::Date:
      return {Kind::Date, 4, kDate};
    case ColumnType::DateTime:
      return {Kind::DateTime, 8, kDateTime};
    case ColumnType::Timestamp:
      return {Kind::Timestamp, 8, kDateTime};
    case ColumnType::Time:
      return {Kind::Time, 8, kTime};
    default:
      return {Kind::Bytes, 0, kBlob};
  }
}

BulkRows::BulkRows(const std::vector<const message::Column*>& columns) : head_(4 + 2 + 2 * columns.size()) {
  slots_.reserve(columns.size());
  for (const message::Column* column : columns) slots_.push_back(slot_of(*column));
  clear();
}

void BulkRows::clear() noexcept {
  if (buffer_.capacity() > kKeptCapacity) buffer_ = base::Buffer();
  if (single_.capacity() > kKeptCapacity) single_ = base::Buffer();
  buffer_.clear();
  buffer_.grow(head_);
  ends_.clear();
  lax_.clear();
  next_ = 0;
  broken_ = lax_row_ = false;
}

void BulkRows::end_value() {
  if (++next_ < slots_.size()) return;
  if (lax_row_) lax_.push_back(ends_.size());
  ends_.push_back(buffer_.size());
  next_ = 0;
  lax_row_ = false;
}

void BulkRows::bind_null() {
  buffer_.put(kNull);
  end_value();
}

void BulkRows::bind(base::Bytes value) {
  const Slot& slot = slots_[next_];
  if (slot.width != 0 && value.size() != slot.width) {
    broken_ = true;
    return bind_null();
  }
  base::Cursor cursor(value);
  switch (slot.kind) {
    case Kind::Enum:
      lax_row_ = lax_row_ || (value[0] == std::byte{0} && value[1] == std::byte{0});
      [[fallthrough]];
    case Kind::Fixed: {
      std::byte* at = buffer_.grow(1 + value.size());
      at[0] = std::byte{kNone};
      std::memcpy(at + 1, value.data(), value.size());
      break;
    }
    case Kind::Bytes: {
      std::byte* at = buffer_.grow(1 + 9 + value.size());
      at[0] = std::byte{kNone};
      const std::size_t prefix = write_length(at + 1, value.size());
      if (!value.empty()) std::memcpy(at + 1 + prefix, value.data(), value.size());
      buffer_.truncate(buffer_.size() - (9 - prefix));
      break;
    }
    case Kind::Date:
      put_moment(message::unpack_date(cursor.get<std::uint32_t>()), true);
      break;
    case Kind::DateTime:
      put_moment(message::unpack_datetime(cursor.get<std::uint64_t>()), false);
      break;
    case Kind::Timestamp:
      put_moment(timestamp_parts(cursor.get<std::int64_t>()), false);
      break;
    case Kind::Time:
      put_time(cursor.get<std::int64_t>());
      break;
  }
  end_value();
}

void BulkRows::put_moment(const message::DateTimeParts& p, bool date_only) {
  const std::size_t length = date_only ? 4 : 11;
  std::byte* at = buffer_.grow(2 + length);
  const auto year = static_cast<std::uint16_t>(p.year);
  at[0] = std::byte{kNone};
  at[1] = static_cast<std::byte>(length);
  std::memcpy(at + 2, &year, sizeof year);
  at[4] = static_cast<std::byte>(p.month);
  at[5] = static_cast<std::byte>(p.day);
  if (date_only) return;
  at[6] = static_cast<std::byte>(p.hour);
  at[7] = static_cast<std::byte>(p.minute);
  at[8] = static_cast<std::byte>(p.second);
  std::memcpy(at + 9, &p.microsecond, sizeof p.microsecond);
}

void BulkRows::put_time(std::int64_t micros) {
  const std::uint64_t all = micros < 0 ? 0 - static_cast<std::uint64_t>(micros) : static_cast<std::uint64_t>(micros);
  const std::uint64_t seconds = all / 1000000;
  const auto days = static_cast<std::uint32_t>(seconds / 86400);
  const auto fraction = static_cast<std::uint32_t>(all % 1000000);
  std::byte* at = buffer_.grow(1 + 1 + 12);
  at[0] = std::byte{kNone};
  at[1] = std::byte{12};
  at[2] = micros < 0 ? std::byte{1} : std::byte{0};
  std::memcpy(at + 3, &days, sizeof days);
  at[7] = static_cast<std::byte>(seconds / 3600 % 24);
  at[8] = static_cast<std::byte>(seconds / 60 % 60);
  at[9] = static_cast<std::byte>(seconds % 60);
  std::memcpy(at + 10, &fraction, sizeof fraction);
}

std::size_t BulkRows::next_lax(std::size_t row) const noexcept {
  const auto found = std::ranges::lower_bound(lax_, row);
  return found == lax_.end() ? rows() : *found;
}

std::size_t BulkRows::fitting(std::size_t first, std::size_t last, std::size_t limit) const noexcept {
  if (limit < head_) return first;
  const std::size_t most = begin_of(first) + (limit - head_);
  const auto from = ends_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto to = ends_.begin() + static_cast<std::ptrdiff_t>(last);
  return static_cast<std::size_t>(std::upper_bound(from, to, most) - ends_.begin());
}

base::Bytes BulkRows::bulk_packet(std::uint32_t statement, std::size_t first, std::size_t last) {
  const std::size_t begin = begin_of(first) - head_;
  buffer_.patch(begin, statement);
  buffer_.patch(begin + 4, kSendTypes);
  for (std::size_t i = 0; i < slots_.size(); ++i) buffer_.patch(begin + 6 + 2 * i, slots_[i].type);
  return buffer_.bytes().subspan(begin, ends_[last - 1] - begin);
}

BulkRows::Field BulkRows::take_field(base::Cursor& cursor, const Slot& slot) const {
  Field field;
  if (cursor.get<std::uint8_t>() == kNull) {
    field.null = true;
    return field;
  }
  const base::Bytes rest = cursor.rest();
  std::size_t prefix = 0;
  std::uint64_t length = slot.width;
  if (slot.kind != Kind::Fixed && slot.kind != Kind::Enum) {
    length = cursor.get<std::uint8_t>();
    if (length >= 0xFC) length = cursor.fixed(length == 0xFC ? 2 : length == 0xFD ? 3 : 8);
    prefix = rest.size() - cursor.left();
  }
  cursor.skip(length);
  field.encoded = rest.first(prefix + length);
  field.value = rest.subspan(prefix, length);
  return field;
}

base::Bytes BulkRows::execute_packet(std::uint32_t statement, std::size_t row, std::size_t long_from) {
  const base::Bytes bytes = buffer_.bytes().subspan(begin_of(row), ends_[row] - begin_of(row));
  const std::size_t bitmap = 9;
  single_.clear();
  single_.put(statement);
  single_.put(std::uint8_t{0});   // no cursor
  single_.put(std::uint32_t{1});  // iterations
  const std::size_t nulls = (slots_.size() + 7) / 8;
  std::memset(single_.grow(nulls), 0, nulls);
  single_.put(std::uint8_t{1});  // types follow
  for (const Slot& slot : slots_) single_.put(slot.type);
  base::Cursor cursor(bytes);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Field field = take_field(cursor, slots_[i]);
    if (field.null) single_.data()[bitmap + i / 8] |= std::byte{1} << (i % 8);
    const bool is_long = slots_[i].type == kBlob && field.value.size() >= long_from;
    if (!is_long) single_.append(field.encoded);
  }
  return single_.bytes();
}

std::vector<BulkRows::LongValue> BulkRows::long_values(std::size_t row, std::size_t from) const {
  std::vector<LongValue> out;
  base::Cursor cursor(buffer_.bytes().subspan(begin_of(row), ends_[row] - begin_of(row)));
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Field field = take_field(cursor, slots_[i]);
    if (slots_[i].type == kBlob && field.value.size() >= from)
      out.push_back({static_cast<std::uint16_t>(i), field.value});
  }
  return out;
}

std::size_t BulkRows::enum_zeros(std::size_t row) const {
  std::size_t zeros = 0;
  base::Cursor cursor(buffer_.bytes().subspan(begin_of(row), ends_[row] - begin_of(row)));
  for (const Slot& slot : slots_) {
    const Field field = take_field(cursor, slot);
    if (slot.kind == Kind::Enum && !field.null && base::Cursor(field.value).get<std::uint16_t>() == 0) ++zeros;
  }
  return zeros;
}

}  // namespace datasync::sql
