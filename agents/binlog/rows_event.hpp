#pragma once
// WRITE_ROWS, UPDATE_ROWS and DELETE_ROWS of both versions, plain and compressed
// (https://mariadb.com/kb/en/rows_event_v1v2/).

#include <cstdint>
#include <optional>

#include "agents/base/bytes.hpp"
#include "agents/base/result.hpp"
#include "agents/binlog/event.hpp"
#include "agents/binlog/inflate.hpp"
#include "agents/binlog/table_map.hpp"
#include "agents/message/row.hpp"

namespace datasync::binlog {

/// What kind of rows event a type is; nothing for other types.
struct RowsKind {
  message::Op op = message::Op::Insert;
  bool v2 = false;
  bool compressed = false;
};
std::optional<RowsKind> rows_kind(EventType type) noexcept;

/// The front of a rows event: enough to drop it unread.
struct RowsHead {
  TableId table;
  bool keys_unchecked = false;  ///< foreign_key_checks=0: what refers to these rows did not change with them
  bool statement_end = false;   ///< the table ids named so far mean nothing after this event
};
/// Errors: BinlogCorrupt.
base::Result<RowsHead> parse_rows_head(base::Bytes body, const Where& where);

/// A rows event; points into the event's bytes, or into the scratch buffer when it was compressed.
struct RowsEvent {
  RowsHead head;
  message::Op op = message::Op::Insert;
  std::uint64_t columns = 0;
  base::Bytes present_before;  ///< bitmap of the columns in the only, or the before image
  base::Bytes present_after;   ///< Update only
  base::Bytes rows;
  Where where;
};
/// `scratch` is used only for compressed events, of which the length is known before they are inflated. Errors:
/// BinlogCorrupt; RowTooLarge when it is above `max_inflated`.
base::Result<RowsEvent> parse_rows(base::Bytes body, RowsKind kind, const Where& where, Inflater& inflater,
                                   base::Buffer& scratch, std::uint64_t max_inflated = kMaxInflated);

}  // namespace datasync::binlog
