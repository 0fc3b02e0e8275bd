#include "agents/message/row.hpp"

#include <fmt/format.h>

namespace datasync::message {

std::uint8_t value_width(ColumnType type) noexcept {
  switch (type) {
    case ColumnType::TinyInt:
      return 1;
    case ColumnType::SmallInt:
    case ColumnType::Year:
    case ColumnType::Enum:
      return 2;
    case ColumnType::MediumInt:
    case ColumnType::Int:
    case ColumnType::Float:
    case ColumnType::Date:
    case ColumnType::Inet4:
      return 4;
    case ColumnType::BigInt:
    case ColumnType::Double:
    case ColumnType::DateTime:
    case ColumnType::Timestamp:
    case ColumnType::Time:
    case ColumnType::Set:
    case ColumnType::Bit:
      return 8;
    case ColumnType::Uuid:
    case ColumnType::Inet6:
      return 16;
    default:
      return kVariable;
  }
}

namespace {

std::vector<std::uint8_t> widths_of(const TableSchema& schema) {
  std::vector<std::uint8_t> widths;
  widths.reserve(schema.columns.size());
  for (const auto& c : schema.columns) widths.push_back(value_width(c.type));
  return widths;
}

/// Takes one image; false when it is damaged.
bool take_image(const std::vector<std::uint8_t>& widths, base::Cursor& in, ImageView& image) {
  const auto columns = widths.size();
  image.values.resize(columns);
  image.nulls.resize(columns);
  const auto* begin = in.rest().data();
  const auto nulls = in.take((columns + 7) / 8);
  if (!in.ok()) return false;
  for (std::size_t i = 0; i < columns; ++i) {
    const bool is_null = (std::to_integer<unsigned>(nulls[i / 8]) >> (i % 8) & 1U) != 0;
    image.nulls[i] = is_null ? 1 : 0;
    if (is_null) {
      image.values[i] = {};
    } else {
      image.values[i] = in.take(widths[i] != kVariable ? widths[i] : in.varint());
    }
  }
  if (!in.ok()) return false;
  image.raw = {begin, static_cast<std::size_t>(in.rest().data() - begin)};
  return true;
}

base::Error damaged(const TableSchema& schema, std::size_t at, std::size_t total) {
  return {base::Reason::ForeignMessage,
          fmt::format("rows of {}: the row at byte {} of {} is damaged", schema.qualified(), at, total)};
}

}  // namespace

RowReader::RowReader(const TableSchema& schema, base::Bytes rows)
    : schema_(schema), cursor_(rows), total_(rows.size()), widths_(widths_of(schema)) {}

base::Result<bool> RowReader::next(RowView& row) {
  if (cursor_.empty()) return false;
  const auto at = total_ - cursor_.left();
  const auto op = cursor_.get<std::uint8_t>();
  bool ok = op >= 1 && op <= 4;
  row.op = static_cast<Op>(op);
  if (ok && (row.op == Op::Update || row.op == Op::Delete)) ok = take_image(widths_, cursor_, row.before);
  if (ok && (row.op == Op::Update || row.op == Op::Insert)) ok = take_image(widths_, cursor_, row.after);
  if (!ok) return damaged(schema_, at, total_);
  return true;
}

base::Result<void> read_image(const TableSchema& schema, base::Bytes image, ImageView& out) {
  base::Cursor in(image);
  if (!take_image(widths_of(schema), in, out)) return damaged(schema, 0, image.size());
  return {};
}

ImageWriter::ImageWriter(base::Buffer& out, std::size_t columns) : out_(out), nulls_at_(out.size()) {
  const auto bytes = (columns + 7) / 8;
  std::memset(out.grow(bytes), 0xFF, bytes);
  // Bits after the last column are zero, so that equal images are equal bytes.
  if (columns % 8 != 0) out.data()[nulls_at_ + bytes - 1] = static_cast<std::byte>((1U << columns % 8) - 1);
}

void ImageWriter::present() noexcept {
  out_.data()[nulls_at_ + column_ / 8] &= static_cast<std::byte>(~(1U << column_ % 8));
  ++column_;
}

}  // namespace datasync::message
