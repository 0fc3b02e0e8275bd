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

/// Which rows event a type is.
struct RowsKind {
  message::Op op = message::Op::Insert;
  bool v2 = false;
  bool compressed = false;
};
/// Returns the kind of rows event of `type`; nullopt for other types.
std::optional<RowsKind> rows_kind(EventType type) noexcept;

/// The beginning of a rows event: enough to skip the event without reading its rows.
struct RowsHead {
  TableId table;
  bool keys_unchecked = false;  ///< foreign_key_checks=0: no row that refers to these rows changed with them
  bool statement_end = false;   ///< the table ids are not valid after this event
};
/// Parses the beginning of a rows event. Errors: BinlogCorrupt.
base::Result<RowsHead> parse_rows_head(base::Bytes body, const Where& where);

/// A rows event. It points into the event's bytes, or into the scratch buffer when the event was compressed.
struct RowsEvent {
  RowsHead head;
  message::Op op = message::Op::Insert;
  std::uint64_t columns = 0;
  base::Bytes present_before;  ///< bitmap of the columns in the only image, or in the before image
  base::Bytes present_after;   ///< Update only
  base::Bytes rows;
  Where where;
};
/// Parses a rows event. `scratch` is used only for compressed events, whose length is known before they are inflated.
/// Errors: BinlogCorrupt; RowTooLarge when that length is above `max_inflated`.
base::Result<RowsEvent> parse_rows(base::Bytes body, RowsKind kind, const Where& where, Inflater& inflater,
                                   base::Buffer& scratch, std::uint64_t max_inflated = kMaxInflated);

}  // namespace datasync::binlog
