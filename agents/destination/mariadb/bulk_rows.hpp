#pragma once
// Rows of parameters as COM_STMT_BULK_EXECUTE has them: the packet is built straight from message values, one copy each
// (https://mariadb.com/kb/en/com_stmt_bulk_execute/). COM_STMT_EXECUTE of one row is made from the same bytes. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/message/row.hpp"
#include "agents/message/schema.hpp"

namespace datasync::sql {

class BulkRows {
 public:
  explicit BulkRows(const std::vector<const message::Column*>& columns);

  void bind(base::Bytes value);
  void bind_null();
  void clear() noexcept;

  /// Complete rows.
  [[nodiscard]] std::size_t rows() const noexcept { return ends_.size(); }
  /// A value did not have its column's width, or a row is not complete: nothing may be sent.
  [[nodiscard]] bool broken() const noexcept { return broken_ || next_ != 0; }
  /// The first row at or after `row` that holds index 0 of an ENUM, which strict mode refuses; rows() when there is
  /// none.
  [[nodiscard]] std::size_t next_lax(std::size_t row) const noexcept;
  /// The first row after `first` that no longer fits a packet of `limit` bytes with those from `first` on. Equal to
  /// `first` when not even that row fits.
  [[nodiscard]] std::size_t fitting(std::size_t first, std::size_t last, std::size_t limit) const noexcept;

  /// The COM_STMT_BULK_EXECUTE payload of rows [first, last). Writes its head over bytes of earlier rows: ask for
  /// ascending, disjoint ranges.
  base::Bytes bulk_packet(std::uint32_t statement, std::size_t first, std::size_t last);
  /// The COM_STMT_EXECUTE payload of one row; in it the values that `long_values` named are left out.
  base::Bytes execute_packet(std::uint32_t statement, std::size_t row, std::size_t long_from);

  struct LongValue {
    std::uint16_t parameter;
    base::Bytes value;
  };
  /// The values of a row with at least `from` bytes.
  [[nodiscard]] std::vector<LongValue> long_values(std::size_t row, std::size_t from) const;
  [[nodiscard]] std::size_t enum_zeros(std::size_t row) const;  ///< in one row

 private:
  enum class Kind : std::uint8_t { Fixed, Bytes, Date, DateTime, Timestamp, Time, Enum };
  struct Slot {
    Kind kind;
    std::uint8_t width;  ///< in the message; 0 for Bytes
    std::uint16_t type;  ///< wire type and sign, as the packet's head has them
  };
  /// One parameter of a row as it stands in the buffer.
  struct Field {
    bool null = false;
    base::Bytes encoded;  ///< with length prefix
    base::Bytes value;    ///< without
  };

  static Slot slot_of(const message::Column& column) noexcept;
  void put_moment(const message::DateTimeParts& parts, bool date_only);
  void put_time(std::int64_t micros);
  void end_value();
  [[nodiscard]] std::size_t begin_of(std::size_t row) const noexcept { return row == 0 ? head_ : ends_[row - 1]; }
  [[nodiscard]] Field take_field(base::Cursor& cursor, const Slot& slot) const;

  std::vector<Slot> slots_;
  std::size_t head_;  ///< bytes kept free at the front for the packet's head
  base::Buffer buffer_;
  base::Buffer single_;            ///< of execute_packet
  std::vector<std::size_t> ends_;  ///< of the rows in buffer_
  std::vector<std::size_t> lax_;   ///< rows with an ENUM index 0, ascending
  std::size_t next_ = 0;           ///< parameter the next bind is for
  bool broken_ = false;
  bool lax_row_ = false;
};

}  // namespace datasync::sql
