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

RowReader::RowReader(const TableSchema& schema, base::Bytes rows)
    : schema_(schema), cursor_(rows), total_(rows.size()) {
  widths_.reserve(schema.columns.size());
  for (const auto& c : schema.columns) widths_.push_back(value_width(c.type));
}

bool RowReader::read_image(ImageView& image) {
  const auto columns = widths_.size();
  image.values.resize(columns);
  image.nulls.resize(columns);
  const auto* begin = cursor_.rest().data();
  const auto nulls = cursor_.take((columns + 7) / 8);
  if (!cursor_.ok()) return false;
  for (std::size_t i = 0; i < columns; ++i) {
    const bool is_null = (std::to_integer<unsigned>(nulls[i / 8]) >> (i % 8) & 1U) != 0;
    image.nulls[i] = is_null ? 1 : 0;
    if (is_null) {
      image.values[i] = {};
    } else {
      image.values[i] = cursor_.take(widths_[i] != kVariable ? widths_[i] : cursor_.varint());
    }
  }
  if (!cursor_.ok()) return false;
  image.raw = {begin, static_cast<std::size_t>(cursor_.rest().data() - begin)};
  return true;
}

base::Result<bool> RowReader::next(RowView& row) {
  if (cursor_.empty()) return false;
  const auto at = total_ - cursor_.left();
  const auto op = cursor_.get<std::uint8_t>();
  bool ok = op >= 1 && op <= 4;
  row.op = static_cast<Op>(op);
  if (ok && (row.op == Op::Update || row.op == Op::Delete)) ok = read_image(row.before);
  if (ok && (row.op == Op::Update || row.op == Op::Insert)) ok = read_image(row.after);
  if (!ok)
    return base::Error(base::Reason::ForeignMessage,
                       fmt::format("rows of {}: the row at byte {} of {} is damaged", schema_.qualified(), at, total_));
  return true;
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
