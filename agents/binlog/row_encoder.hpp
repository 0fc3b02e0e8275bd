#pragma once
// Converts the row images of a rows event to the compact rows of messages (message/row.hpp), without an object or an
// allocation per row or value.

#include <cstdint>
#include <string>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/base/result.hpp"
#include "agents/binlog/inflate.hpp"
#include "agents/binlog/row_plan.hpp"
#include "agents/binlog/rows_event.hpp"
#include "agents/binlog/schema.hpp"

namespace datasync::binlog {

class RowCursor;

/// Encodes the rows of one version of one table. Not thread-safe; the encoder must outlive its cursors.
class RowEncoder {
 public:
  /// Creates an encoder for the table. Errors: those of schema_of.
  static base::Result<RowEncoder> make(const TableMap& map, const SchemaOptions& options);

  [[nodiscard]] const message::TableSchema& schema() const noexcept { return layout_.schema; }
  /// Sets the maximum inflated size of a value of a COMPRESSED column; a larger value is RowTooLarge.
  void limit_values(std::uint64_t bytes) noexcept { max_inflated_ = bytes; }
  [[nodiscard]] const TableLayout& layout() const noexcept { return layout_; }

  /// Starts reading the rows of `event`, which must outlive the cursor. Errors: PartialRowImage (binlog_row_image is
  /// not FULL), SchemaUnknown (the event has another number of columns); both name the table and the position.
  base::Result<RowCursor> open(const RowsEvent& event);

 private:
  friend class RowCursor;
  RowEncoder() = default;

  TableLayout layout_;
  std::vector<Step> steps_;
  bool identity_ = true;         ///< no column is excluded: NULL bitmaps are copied unchanged
  std::size_t nulls_in_ = 0;     ///< bytes of the NULL bitmap in an image of the event
  std::size_t nulls_out_ = 0;    ///< bytes of the NULL bitmap in an image of the message
  std::size_t fixed_bound_ = 0;  ///< an encoded image is at most this many bytes larger than the image
  std::uint64_t max_inflated_ = kMaxInflated;
  Inflater inflater_;
};

/// Reads the rows of one event. A row is encoded completely or not at all, so the caller may split records between any
/// two rows.
class RowCursor {
 public:
  [[nodiscard]] bool done() const noexcept { return at_ == end_; }

  /// Appends the next row. Returns false at the end. Errors leave `out` unchanged and name table, column and position:
  /// BinlogCorrupt (a value runs past the end of the event, or is not valid), UnsupportedValue, RowTooLarge.
  base::Result<bool> next(base::Buffer& out);

  /// Appends rows until the event ends or `out` would grow beyond `target` bytes; returns how many. A single row may
  /// exceed the target when `out` was empty. Errors: as next; rows before the bad one stay in `out`.
  base::Result<std::uint32_t> fill(base::Buffer& out, std::size_t target);
  /// Returns how many rows `next` and `fill` have left out so far because they have a GEOMETRY value of zero bytes (a
  /// NOT NULL column that was added, or left out of an INSERT): no server accepts such a value in a statement. Deletes
  /// and before images may have one.
  [[nodiscard]] std::uint32_t left_out() const noexcept { return left_out_; }
  /// Returns about how many bytes the remaining rows need; exact when `fill` stopped before a row that was too large.
  [[nodiscard]] std::size_t expected() const noexcept {
    return next_row_ != 0 ? next_row_ : static_cast<std::size_t>(end_ - at_);
  }

 private:
  friend class RowEncoder;
  enum class Fault : std::uint8_t { None, Cut, Decimal, Label, DateTime, TooLong, Compressed, TooLarge };

  RowCursor(RowEncoder& encoder, const RowsEvent& event);
  bool row(base::Buffer& out);
  bool image(base::Buffer& out, std::byte*& write);
  bool value(const Step& step, base::Buffer& out, std::byte*& write);
  bool temporal_value(const Step& step, const std::byte* p, std::byte*& write);
  bool decimal_value(const Step& step, const std::byte* p, std::byte*& write);
  bool bits_value(const Step& step, const std::byte* p, std::byte*& write);
  bool bytes_value(const Step& step, base::Buffer& out, std::byte*& write);
  bool padded(const Step& step, base::Bytes value, std::byte*& write);
  bool inflated(base::Bytes value, base::Buffer& out, std::byte*& write);
  bool take_prefixed(const Step& step, base::Bytes& value);
  [[nodiscard]] bool has(std::size_t n) const noexcept { return static_cast<std::size_t>(end_ - at_) >= n; }
  bool fail(Fault fault) noexcept {
    fault_ = fault;
    return false;
  }
  [[nodiscard]] base::Error error() const;

  RowEncoder* encoder_;
  message::Op op_;
  const std::byte* at_;
  const std::byte* end_;
  Where where_;
  Fault fault_ = Fault::None;
  bool empty_geometry_ = false;  ///< of the image that was read last
  std::uint32_t left_out_ = 0;
  std::size_t column_ = 0;    ///< in the table map, for the error
  std::size_t next_row_ = 0;  ///< encoded bytes of the row before which `fill` stopped; 0: it did not stop
};

}  // namespace datasync::binlog
