#include "agents/binlog/rows_event.hpp"

#include <fmt/format.h>

namespace datasync::binlog {
namespace {

using base::Bytes;
using base::Cursor;
using message::Op;

base::Error damaged(const Where& where) {
  return {base::Reason::BinlogCorrupt, fmt::format("the rows event at {} is damaged", where.text())};
}

RowsHead read_head(Cursor& in) noexcept {
  constexpr std::uint16_t kStatementEnd = 1, kNoForeignKeyChecks = 2;
  RowsHead out;
  out.table = TableId(in.fixed(6));
  const auto flags = in.get<std::uint16_t>();
  out.statement_end = (flags & kStatementEnd) != 0;
  out.keys_unchecked = (flags & kNoForeignKeyChecks) != 0;
  return out;
}

}  // namespace

std::optional<RowsKind> rows_kind(EventType type) noexcept {
  switch (type) {
    case EventType::WriteRowsV1:
      return RowsKind{Op::Insert, false, false};
    case EventType::UpdateRowsV1:
      return RowsKind{Op::Update, false, false};
    case EventType::DeleteRowsV1:
      return RowsKind{Op::Delete, false, false};
    case EventType::WriteRowsV2:
      return RowsKind{Op::Insert, true, false};
    case EventType::UpdateRowsV2:
      return RowsKind{Op::Update, true, false};
    case EventType::DeleteRowsV2:
      return RowsKind{Op::Delete, true, false};
    case EventType::WriteRowsCompressedV1:
      return RowsKind{Op::Insert, false, true};
    case EventType::UpdateRowsCompressedV1:
      return RowsKind{Op::Update, false, true};
    case EventType::DeleteRowsCompressedV1:
      return RowsKind{Op::Delete, false, true};
    case EventType::WriteRowsCompressedV2:
      return RowsKind{Op::Insert, true, true};
    case EventType::UpdateRowsCompressedV2:
      return RowsKind{Op::Update, true, true};
    case EventType::DeleteRowsCompressedV2:
      return RowsKind{Op::Delete, true, true};
    default:
      return std::nullopt;
  }
}

base::Result<RowsHead> parse_rows_head(Bytes body, const Where& where) {
  Cursor in(body);
  const auto out = read_head(in);
  if (!in.ok()) return damaged(where);
  return out;
}

base::Result<RowsEvent> parse_rows(Bytes body, RowsKind kind, const Where& where, Inflater& inflater,
                                   base::Buffer& scratch, std::uint64_t max_inflated) {
  Cursor in(body);
  RowsEvent out;
  out.where = where;
  out.op = kind.op;
  out.head = read_head(in);
  if (kind.v2) {
    const auto extra = in.get<std::uint16_t>();  // includes its own two bytes
    if (extra < 2) return damaged(where);
    in.skip(extra - std::size_t{2});
  }
  out.columns = packed_length(in);
  if (out.columns > body.size() * 8) return damaged(where);
  out.present_before = in.take((out.columns + 7) / 8);
  if (kind.op == Op::Update) out.present_after = in.take((out.columns + 7) / 8);
  if (!in.ok()) return damaged(where);
  out.rows = in.rest();
  if (!kind.compressed) return out;

  const auto packed = read_event_header(out.rows);
  if (!packed) return damaged(where);
  if (packed->length > max_inflated)
    return base::Error(base::Reason::RowTooLarge,
                       fmt::format("the rows event at {} has {} bytes when it is not compressed; the agent's memory "
                                   "limit allows {}",
                                   where.text(), packed->length, max_inflated));
  scratch.clear();
  if (!inflater.inflate(*packed, scratch.grow(packed->length))) return damaged(where);
  out.rows = scratch.bytes();
  return out;
}

}  // namespace datasync::binlog
