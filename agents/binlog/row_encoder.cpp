#include "agents/binlog/row_encoder.hpp"

#include <cstring>

#include <fmt/format.h>

#include "agents/binlog/row_values.hpp"

namespace datasync::binlog {
namespace {

using base::Buffer;
using base::Bytes;
using base::Error;
using base::Reason;
using message::Op;
using Code = Step::Code;

bool all_set(Bytes bitmap, std::uint64_t bits) noexcept {
  for (std::uint64_t i = 0; i < bits; ++i) {
    if ((std::to_integer<unsigned>(bitmap[i / 8]) >> (i % 8) & 1U) == 0) return false;
  }
  return true;
}

}  // namespace

base::Result<RowEncoder> RowEncoder::make(const TableMap& map, const SchemaOptions& options) {
  RowEncoder out;
  DS_ASSIGN(out.layout_, schema_of(map, options));
  const auto& columns = out.layout_.columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto& c = columns[i];
    const auto step = step_of(c, c.place ? &out.layout_.schema.columns[*c.place] : nullptr);
    if (!step)
      return Error(Reason::UnsupportedType, fmt::format("column {} of {} has the type {}", map.columns[i].name,
                                                        map.qualified(), to_string(c.type)));
    if (!step->kept) out.identity_ = false;
    out.fixed_bound_ += bound(*step);
    out.steps_.push_back(*step);
  }
  out.nulls_in_ = (columns.size() + 7) / 8;
  out.nulls_out_ = (out.layout_.schema.columns.size() + 7) / 8;
  out.fixed_bound_ += out.nulls_out_;
  return out;
}

base::Result<RowCursor> RowEncoder::open(const RowsEvent& event) {
  const auto count = layout_.columns.size();
  if (event.columns != count)
    return Error(Reason::SchemaUnknown, fmt::format("rows of {} at {} have {} columns, its table map has {}",
                                                    schema().qualified(), event.where.text(), event.columns, count));
  const bool whole =
      all_set(event.present_before, count) && (event.op != Op::Update || all_set(event.present_after, count));
  if (!whole)
    return Error(Reason::PartialRowImage,
                 fmt::format("a row image of {} at {} lacks columns: some session does not have "
                             "binlog_row_image=FULL",
                             schema().qualified(), event.where.text()));
  return RowCursor(*this, event);
}

RowCursor::RowCursor(RowEncoder& encoder, const RowsEvent& event)
    : encoder_(&encoder),
      op_(event.op),
      at_(event.rows.data()),
      end_(event.rows.data() + event.rows.size()),
      where_(event.where) {}

base::Result<bool> RowCursor::next(Buffer& out) {
  const auto before = out.size();
  while (!done()) {
    if (!row(out)) return error();
    if (out.size() > before) return true;
  }
  return false;
}

base::Result<std::uint32_t> RowCursor::fill(Buffer& out, std::size_t target) {
  std::uint32_t rows = 0;
  next_row_ = 0;
  while (!done() && out.size() < target) {
    const auto* const from = at_;
    const auto before = out.size();
    if (!row(out)) return error();
    if (before != 0 && out.size() > target) {
      next_row_ = out.size() - before;
      out.truncate(before);
      at_ = from;
      break;
    }
    if (out.size() > before) ++rows;
  }
  return rows;
}

bool RowCursor::row(Buffer& out) {
  const auto before = out.size();
  const auto left = static_cast<std::size_t>(end_ - at_);
  // One grow call reserves the maximum that this row can need; the unused part is truncated below.
  std::byte* write = out.grow(1 + 2 * encoder_->fixed_bound_ + left);
  *write++ = static_cast<std::byte>(op_);
  const bool good = image(out, write) && (op_ != Op::Update || image(out, write));
  const bool left_out = good && empty_geometry_ && op_ != Op::Delete;
  if (left_out) ++left_out_;
  out.truncate(good && !left_out ? static_cast<std::size_t>(write - out.data()) : before);
  return good;
}

bool RowCursor::image(Buffer& out, std::byte*& write) {
  const RowEncoder& e = *encoder_;
  column_ = 0;
  empty_geometry_ = false;
  if (!has(e.nulls_in_)) return fail(Fault::Cut);
  const std::byte* const nulls = at_;
  at_ += e.nulls_in_;
  const auto nulls_at = static_cast<std::size_t>(write - out.data());
  if (e.identity_) {
    std::memcpy(write, nulls, e.nulls_in_);
    // The server sets the bits after the last column; messages clear them.
    const auto used = e.steps_.size() % 8;
    if (used != 0) write[e.nulls_in_ - 1] &= static_cast<std::byte>((1U << used) - 1);
  } else {
    std::memset(write, 0, e.nulls_out_);
  }
  write += e.nulls_out_;
  const auto count = e.steps_.size();
  const Step* const steps = e.steps_.data();
  for (std::size_t i = 0; i < count; ++i) {
    const Step& step = steps[i];
    if ((std::to_integer<unsigned>(nulls[i / 8]) >> (i % 8) & 1U) != 0) {
      if (!e.identity_ && step.kept)
        out.data()[nulls_at + step.place / 8] |= static_cast<std::byte>(1U << step.place % 8);
      continue;
    }
    if (!value(step, out, write)) {
      column_ = i;
      return false;
    }
  }
  return true;
}

bool RowCursor::value(const Step& step, Buffer& out, std::byte*& write) {
  if (step.code >= Code::Bytes && step.code != Code::SkipFixed) return bytes_value(step, out, write);
  if (!has(step.width)) return fail(Fault::Cut);
  const std::byte* const p = at_;
  at_ += step.width;
  switch (step.code) {
    case Code::Copy1:
      *write++ = *p;
      return true;
    case Code::Copy2:
      std::memcpy(write, p, 2);
      write += 2;
      return true;
    case Code::Copy4:
      std::memcpy(write, p, 4);
      write += 4;
      return true;
    case Code::Copy8:
      std::memcpy(write, p, 8);
      write += 8;
      return true;
    case Code::Int24:
      write = values::put(write, values::int24(p));
      return true;
    case Code::Int24Unsigned:
      write = values::put(write, static_cast<std::uint32_t>(values::load(p, 3)));
      return true;
    case Code::SkipFixed:
      return true;
    case Code::Decimal:
      return decimal_value(step, p, write);
    case Code::Bit:
    case Code::Enum:
    case Code::Set:
      return bits_value(step, p, write);
    default:
      return temporal_value(step, p, write);
  }
}

bool RowCursor::temporal_value(const Step& step, const std::byte* p, std::byte*& write) {
  const auto datetime = [&](std::uint64_t v) {
    if (v == values::kInvalidDateTime) return fail(Fault::DateTime);
    write = values::put(write, v);
    return true;
  };
  switch (step.code) {
    case Code::Year:
      write = values::put(write, values::year(p));
      return true;
    case Code::Date:
      write = values::put(write, values::date(p));
      return true;
    case Code::DateTime:
      return datetime(values::datetime2(p, step.scale));
    case Code::OldDateTime:
      return datetime(values::old_datetime(p, step.scale));
    case Code::Time:
      write = values::put(write, values::time2(p, step.scale));
      return true;
    case Code::OldTime:
      write = values::put(write, values::old_time(p, step.scale));
      return true;
    case Code::Timestamp:
      write = values::put(write, values::timestamp2(p, step.scale));
      return true;
    default:
      write = values::put(write, values::old_timestamp(p, step.scale));
      return true;
  }
}

bool RowCursor::decimal_value(const Step& step, const std::byte* p, std::byte*& write) {
  char* const text = reinterpret_cast<char*>(write + 1);
  const char* const end = values::write_decimal(p, step.precision, step.scale, text);
  if (end == nullptr) return fail(Fault::Decimal);
  *write = static_cast<std::byte>(end - text);  // below 128: one byte of varint
  write += 1 + (end - text);
  return true;
}

bool RowCursor::bits_value(const Step& step, const std::byte* p, std::byte*& write) {
  if (step.code == Code::Bit) {
    write = values::put(write, values::load_be(p, step.width));
    return true;
  }
  const auto v = values::load(p, step.width);
  if (step.code == Code::Enum) {
    if (v > step.length) return fail(Fault::Label);
    write = values::put(write, static_cast<std::uint16_t>(v));
    return true;
  }
  if (step.length < 64 && v >> step.length != 0) return fail(Fault::Label);
  write = values::put(write, v);
  return true;
}

bool RowCursor::take_prefixed(const Step& step, Bytes& value) {
  if (!has(step.width)) return fail(Fault::Cut);
  const auto n = values::load(at_, step.width);
  at_ += step.width;
  if (!has(n)) return fail(Fault::Cut);
  value = {at_, n};
  at_ += n;
  return true;
}

bool RowCursor::bytes_value(const Step& step, Buffer& out, std::byte*& write) {
  Bytes value;
  if (!take_prefixed(step, value)) return false;
  switch (step.code) {
    case Code::Geometry:
      empty_geometry_ = empty_geometry_ || value.empty();
      [[fallthrough]];
    case Code::Bytes:
      write = values::put_varint(write, value.size());
      if (!value.empty()) std::memcpy(write, value.data(), value.size());
      write += value.size();
      return true;
    case Code::Padded:
    case Code::Fixed:
      return padded(step, value, write);
    case Code::Inflated:
      return inflated(value, out, write);
    default:  // SkipBytes
      return true;
  }
}

bool RowCursor::padded(const Step& step, Bytes value, std::byte*& write) {
  if (value.size() > step.length) return fail(Fault::TooLong);
  if (step.code == Code::Padded) write = values::put_varint(write, step.length);
  if (!value.empty()) std::memcpy(write, value.data(), value.size());
  std::memset(write + value.size(), 0, step.length - value.size());
  write += step.length;
  return true;
}

bool RowCursor::inflated(Bytes value, Buffer& out, std::byte*& write) {
  const auto packed = read_column_header(value);
  if (!packed) return fail(Fault::Compressed);
  if (packed->length > encoder_->max_inflated_) return fail(Fault::TooLarge);
  // This is the only value that can be larger than its bytes in the event, so reserve more space for it.
  const auto at = static_cast<std::size_t>(write - out.data());
  (void)out.grow(packed->length);
  write = values::put_varint(out.data() + at, packed->length);
  if (!encoder_->inflater_.inflate(*packed, write)) return fail(Fault::Compressed);
  write += packed->length;
  return true;
}

}  // namespace datasync::binlog
